#!/bin/sh
# Installs what the tests need (Debian 12), builds, and runs them. Quick the second time.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

usage() {
  cat <<'TXT'
usage: tests/run.sh [--long] [--preset NAME] [--no-install] [CTEST_FLAG...]
  --long         run the long suites as well (hours rather than minutes)
  --preset NAME  release (default), debug, asan-ubsan, tsan or coverage
  --no-install   do not look for missing packages
  CTEST_FLAG     everything else goes to ctest: -R unit, -L lint, -V, ...
TXT
}

preset=release long= install=yes
while [ "$#" -gt 0 ]; do
  case $1 in
    --long) long=yes ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --no-install) install= ;;
    -h | --help) usage; exit 0 ;;
    *) break ;;
  esac
  shift
done

if [ "$install" ]; then
  say "1/3 packages"
  need_packages $BUILD_PACKAGES $TEST_PACKAGES ${long:+$LONG_TEST_PACKAGES}
fi

say "2/3 build (preset $preset, in build/$preset)"
configure "$preset" -DLOOPSCAPE_DEVELOPER=ON
cmake --build "build/$preset" --parallel "$(nproc)"

say "3/3 tests${long:+, the long ones too}"
[ "$long" ] || set -- --label-exclude '^long$' "$@"
exec ctest --test-dir "build/$preset" --output-on-failure --no-tests=error \
  --parallel "$(nproc)" "$@" </dev/null
