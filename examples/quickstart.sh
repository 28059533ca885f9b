#!/bin/sh
# Installs what building needs (Debian 12), builds the loopscape command, and prices one layer of
# ResNet-50 on an Eyeriss-like accelerator. Quick the second time.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

if [ "${1:-}" != --no-install ]; then
  say "1/3 packages"
  need_packages $BUILD_PACKAGES
fi

say "2/3 build (in build/release)"
# A tree that already builds the tests keeps doing so; a new one builds the command only.
[ -f build/release/CMakeCache.txt ] && developer= || developer=-DLOOPSCAPE_DEVELOPER=OFF
configure release $developer
cmake --build build/release --parallel "$(nproc)" --target loopscape

lesson=examples/01_one_layer
say "3/3 what does this mapping cost?"
set -- evaluate $lesson/arch.json $lesson/problem.json $lesson/mapping.json
echo "\$ build/release/loopscape $*"
build/release/loopscape "$@"
cat <<TXT

That was a 3x3 layer of ResNet-50 on an Eyeriss-like array. Next:
  add --explain to that command      every count behind the numbers
  edit $lesson/mapping.json    try another loop nest and run it again
  examples/*/README.md               four lessons, the next one: your own architecture
  build/release/loopscape --help     the other verbs
TXT
