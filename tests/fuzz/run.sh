#!/bin/sh
# Builds the fuzz preset and runs every target for a while, two at a time per two cores.
#   tests/fuzz/run.sh [--no-install] [--keep] [SECONDS_EACH] [TARGET...]     default: 60 s, all
# New inputs collect in build/fuzz/corpus/TARGET. --keep merges those that reach new code and are
# at most 2 KiB long into tests/fuzz/corpus/TARGET. A finding's input stays in build/fuzz/found;
# once mended, add it to the corpus, where ctest replays it.
set -eu
cd "$(dirname "$0")/../.."
. tests/setup.sh

install=yes keep=
while [ "$#" -gt 0 ]; do
  case $1 in
    --no-install) install= ;;
    --keep) keep=yes ;;
    *) break ;;
  esac
  shift
done
seconds=${1:-60}
[ "$#" -eq 0 ] || shift

if [ "$install" ]; then
  say "packages"
  need_packages $BUILD_PACKAGES $FUZZ_PACKAGES
fi
say "build (preset fuzz, in build/fuzz)"
configure fuzz
cmake --build build/fuzz --parallel "$(nproc)"

if [ "$#" -eq 0 ]; then
  set -- $(cd tests/fuzz && ls *_fuzzer.cc | sed 's/_fuzzer\.cc$//')
fi
say "fuzzing for $seconds s each: $*"
mkdir -p build/fuzz/found
for name in "$@"; do mkdir -p "build/fuzz/corpus/$name"; done
failed=
printf '%s\n' "$@" | xargs -P "$(nproc)" -I NAME sh -c '
  fuzzer=build/fuzz/tests/fuzz/NAME_fuzzer
  "$fuzzer" -max_total_time="$0" -timeout=10 -rss_limit_mb=4096 \
    -dict=tests/fuzz/words.dict -artifact_prefix=build/fuzz/found/NAME- -print_final_stats=1 \
    build/fuzz/corpus/NAME tests/fuzz/corpus/NAME >build/fuzz/NAME.log 2>&1 </dev/null
  code=$?
  if [ "$code" -eq 0 ]; then
    echo "NAME: $(sed -n "s/^stat::number_of_executed_units: *//p" build/fuzz/NAME.log) inputs, none found fault"
  else
    echo "NAME: FAILED, see build/fuzz/NAME.log"
    tail -n 20 build/fuzz/NAME.log
  fi
  exit "$code"' "$seconds" || failed=yes

if [ "$keep" ]; then
  for name in "$@"; do
    rm -rf "build/fuzz/merged/$name"
    mkdir -p "build/fuzz/merged/$name"
    "build/fuzz/tests/fuzz/${name}_fuzzer" -merge=1 "build/fuzz/merged/$name" \
      "tests/fuzz/corpus/$name" "build/fuzz/corpus/$name" >"build/fuzz/$name.merge.log" 2>&1
    find "build/fuzz/merged/$name" -type f -size -5 -exec cp -n {} "tests/fuzz/corpus/$name/" \;
  done
fi
[ -z "$failed" ] || give_up "at least one target found fault; its input is in build/fuzz/found"
