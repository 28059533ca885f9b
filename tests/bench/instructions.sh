#!/bin/sh
# Instructions per evaluation, by callgrind: repeatable where seconds are not.
#   tests/bench/instructions.sh [perfect|ragged] [march|previous_tile]
set -eu
cd "$(dirname "$0")/../.."
factors=${1:-perfect} reuse=${2:-march}
loop=build/release/tests/bench/evaluate_loop
out=$(mktemp)
trap 'rm -f "$out" "$out.log"' EXIT
evaluations=$(valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect=measured \
  "$loop" "$factors" "$reuse" 1 2>"$out.log") || { cat "$out.log" >&2; exit 1; }
instructions=$(sed -n 's/^summary: //p' "$out")
echo "$factors, $reuse: $((instructions / evaluations)) instructions per evaluation"
