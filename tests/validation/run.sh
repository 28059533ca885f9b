#!/usr/bin/env bash
# The validation suite, and README.md and figures/ that it gives.
#
#   tests/validation/run.sh             run the suite, compare README.md and figures/
#   tests/validation/run.sh --update    write them; review them with `git diff`
#
# BUILD names the build (default: build/release).
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
[ -x "$build/tests/validation_tests" ] || { echo "no tests in $build; build them or set BUILD" >&2; exit 2; }
rm -rf "$build/tests/validation_rows"
ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel "${JOBS:-$(nproc)}" \
  -L '^validation$' -E '^validation/report$'
python3 tests/validation/report.py "$build/tests/validation_rows" "$@"
