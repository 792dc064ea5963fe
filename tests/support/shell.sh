# Helpers of the shell tests: each claim prints `ok NAME` or `not ok NAME`.
# Not a test itself: tools/run-tests leaves tests/support/ out.
set -u
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0

# claim NAME COMMAND...: the command must succeed.
claim() {
  local name=$1
  shift
  if "$@" >"$scratch/claim.out" 2>&1; then
    echo "ok $name"
  else
    echo "not ok $name"
    sed 's/^/  /' "$scratch/claim.out"
    failed=1
  fi
}
# refuses TEXT COMMAND...: the command must end with status 1 and say TEXT.
refuses() {
  local text=$1 status=0
  shift
  "$@" >"$scratch/refuses.out" 2>&1 || status=$?
  cat "$scratch/refuses.out"
  [ "$status" -eq 1 ] && grep -qF -- "$text" "$scratch/refuses.out"
}
# status_is STATUS COMMAND...
status_is() {
  local wanted=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
}
