#!/bin/sh
# clang-tidy 14 over every product source, with the checks of .clang-tidy.
#   tests/lint/tidy.sh BUILD_DIR [FILE...]      BUILD_DIR holds compile_commands.json
set -eu
cd "$(dirname "$0")/../.."
build=${1:?usage: tests/lint/tidy.sh BUILD_DIR [FILE...]}
shift
if [ "$#" -eq 0 ]; then
  set -- $(find model mapper explore interface -name '*.cc' | sort)
fi
if [ ! -f "$build/compile_commands.json" ]; then
  echo "tidy.sh: $build/compile_commands.json is missing; configure that build first" >&2
  exit 2
fi
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p "$build"
