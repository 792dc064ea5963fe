#!/bin/bash
# Nothing leaves a node before it is durable there: two processes exchange
# records under strace, and the order of their system calls is checked.
# usage: fsync_before_send.sh BUILD_FOLDER
set -u
if [ $# -ne 1 ]; then
  echo "usage: $0 BUILD_FOLDER" >&2
  exit 2
fi
program=$1/examples/two_processes
checker=$(dirname "$0")/fsync_before_send.awk
if ! command -v strace > /dev/null; then
  echo "not ok fsync_before_send: strace is missing (Debian package: strace)"
  exit 1
fi
if [ ! -x "$program" ]; then
  echo "not ok fsync_before_send: $program is not built"
  exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/sync-strace-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

check() {
  local name=$1
  shift
  if "$@"; then
    echo "ok $name"
  else
    echo "not ok $name"
    failed=1
  fi
}

# judge LOG: the checker's verdict, explained when it is not what was hoped.
judge() {
  LC_ALL=C awk -f "$checker" "$1" > "$work/verdict" 2>&1
}
accepts() {
  judge "$1" && return 0
  head -5 "$work/verdict" | sed 's/^/# /'
  return 1
}
rejects() {
  ! judge "$1" && grep -q "$2" "$work/verdict" && return 0
  sed 's/^/# /' "$work/verdict" | head -5
  return 1
}

traced() {
  local log=$1
  shift
  strace -f -y -s 65536 -o "$log" -e signal=none \
    -e trace=openat,pwrite64,fdatasync,fsync,renameat,renameat2,unlinkat,sendto,sendmsg,write,writev \
    timeout 60 "$program" "$@" > "$work/output" 2>&1 && return 0
  sed 's/^/# /' "$work/output"
  return 1
}

for mode in thread inline; do
  mkdir "$work/$mode"
  log=$work/$mode.log
  if [ "$mode" = inline ]; then
    check "${mode}_two_processes_converge" traced "$log" "$work/$mode" inline
  else
    check "${mode}_two_processes_converge" traced "$log" "$work/$mode"
  fi
  check "${mode}_records_are_fsynced_before_they_are_sent" accepts "$log"
  check "${mode}_all_forty_records_were_seen" grep -q '^records 40$' "$work/verdict"

  # Negative controls: the same log without the lines that make it right, with
  # a failed fsync, with the fsyncs too late, and with nothing in it.
  grep -v 'fdatasync' "$log" > "$work/no_file"
  check "${mode}_control_without_fdatasync_is_rejected" rejects "$work/no_file" 'no fdatasync of it'
  grep -v -w 'fsync' "$log" > "$work/no_directory"
  check "${mode}_control_without_directory_fsync_is_rejected" rejects "$work/no_directory" 'no fsync of the directory'
  sed -E '/fdatasync/s/= 0$/= -1 EIO (Input\/output error)/' "$log" > "$work/failing"
  check "${mode}_control_with_failed_fdatasync_is_rejected" rejects "$work/failing" 'no fdatasync of it'
  { grep -v 'fdatasync' "$log"; grep 'fdatasync' "$log"; } > "$work/late"
  check "${mode}_control_with_late_fdatasync_is_rejected" rejects "$work/late" 'no fdatasync of it'
  grep -v 'pwrite64' "$log" > "$work/unwritten"
  check "${mode}_control_without_the_writes_is_rejected" rejects "$work/unwritten" 'never written'
  grep -v -E '(sendto|sendmsg)' "$log" > "$work/silent"
  check "${mode}_control_without_frames_is_rejected" rejects "$work/silent" '^records 0$'
done
exit $failed
