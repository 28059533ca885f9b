#!/bin/sh
# The least energy of a layer under every dataflow of this lesson:  compare.sh LAYER
set -eu
here=$(dirname "$0")
loopscape=${LOOPSCAPE:-build/release/loopscape}
for dataflow in ws os is rs nlr; do
  "$loopscape" map "$here/$dataflow.json" "$here/$1.json" --objective energy --factors perfect |
    sed -n "s/^  Energy  *\([0-9.]* [a-z]*J\)  .*/$dataflow	\1/p"
done
