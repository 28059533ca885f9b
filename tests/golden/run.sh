#!/usr/bin/env bash
# Golden tests of the command. Each *.golden file begins with "$ COMMAND"; the rest is what that
# command must print, then "--- stderr" and what it must say there (if anything), then "--- exit N"
# (if not 0). Commands run at the top of the repository, without colours, in the plain C locale.
#
#   tests/golden/run.sh              compare all
#   tests/golden/run.sh NAME...      compare some
#   tests/golden/run.sh --update     write what the command says now; review it with `git diff`
#
# LOOPSCAPE names the command (default: build/release/loopscape).
set -u
cd "$(dirname "$0")/../.."
export LOOPSCAPE=${LOOPSCAPE:-build/release/loopscape} LC_ALL=C NO_COLOR=1
export EXAMPLE=examples/01_one_layer
export A=$EXAMPLE/arch.json P=$EXAMPLE/problem.json M=$EXAMPLE/mapping.json
export SMALL_A=tests/golden/inputs/small_arch.json SMALL_P=tests/golden/inputs/small_problem.json
# What a certificate says of the search rather than of the answer: `| sed -E "$CERTIFICATE"`.
export CERTIFICATE='s/^(  (Looked at|Left out|Work) +).*/\1.../; s/"(states|work|seconds)": [0-9.e-]+/"\1": 0/; s/("pruned": \{).*\}/\1...}/'
# The certificate alone.
export ONLY='/^Certificate/,$p'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

loopscape() { "$LOOPSCAPE" "$@"; }
export -f loopscape

# What golden file $1 should hold, to stdout.
observe() {
  local command code
  command=$(head -n 1 "$1")
  printf '%s\n' "$command"
  bash -c "${command#\$ }" > "$scratch/out" 2> "$scratch/err" < /dev/null
  code=$?
  cat "$scratch/out"
  [ -s "$scratch/err" ] && { echo "--- stderr"; cat "$scratch/err"; }
  [ $code -ne 0 ] && echo "--- exit $code"
  return 0
}

update=no
if [ "${1:-}" = --update ]; then
  update=yes
  shift
fi
[ -x "$LOOPSCAPE" ] || { echo "no command at $LOOPSCAPE; build it or set LOOPSCAPE" >&2; exit 2; }
if [ $# -gt 0 ]; then files=("${@/#/tests/golden/}"); files=("${files[@]/%/.golden}")
else files=(tests/golden/*.golden); fi

failed=0
for file in "${files[@]}"; do
  observe "$file" > "$scratch/seen"
  if [ $update = yes ]; then
    cp "$scratch/seen" "$file"
  elif ! diff -u --label "$file" --label "now" "$file" "$scratch/seen"; then
    failed=$((failed + 1))
  fi
done
echo "${#files[@]} golden files, $failed differ"
[ $failed -eq 0 ]
