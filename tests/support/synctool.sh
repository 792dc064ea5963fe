# shellcheck shell=bash
# What the tests of synctool share. Not a test itself. Wants $1, the build folder.
if [ $# -ne 1 ] || [ ! -x "$1/bin/synctool" ] || [ ! -x "$1/tests/synctool/make_store" ]; then
  echo "usage: $0 BUILD_FOLDER (with bin/synctool and tests/synctool/make_store built)" >&2
  exit 2
fi
synctool=$(realpath "$1/bin/synctool")
# shellcheck disable=SC2034 # for the tests
repository=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
# shellcheck disable=SC2034 # for the tests
make_store=$(realpath "$1/tests/synctool/make_store")
. "$(dirname "${BASH_SOURCE[0]}")/shell.sh"
cd "$scratch" || exit 1

# says STATUS TEXT ARGUMENTS...: synctool ends with that status and says that text.
says() {
  local wanted=$1 text=$2 status=0
  shift 2
  "$synctool" "$@" >says.out 2>&1 </dev/null || status=$?
  head -c 3000 says.out
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" says.out || { echo "does not say: $text"; return 1; }
}
# Names, sizes, times of change and bytes of all that is in a directory, and the times of the directory.
state_of() { (cd "$1" && stat -c '%n %s %y %z %i %a' . ./* && sha256sum ./*) 2>&1; }
# leaves_alone DIR COMMAND...: whatever the command says, not a byte and not a time of DIR is another one.
leaves_alone() {
  local directory=$1
  shift
  state_of "$directory" >before.state
  "$@" >alone.out 2>&1 </dev/null
  echo "status $?" >>alone.out
  state_of "$directory" >after.state
  diff before.state after.state && [ -s alone.out ] && [ "$(cat alone.out)" != "status 0" ]
}
# flip FILE OFFSET: turns all bits of one byte.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1") && printf "\\x$(printf %02x $((byte ^ 255)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
