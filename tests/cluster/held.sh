#!/bin/bash
# Worlds that are legal, and of which an oracle once said otherwise: all must hold.
# usage: held.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
here=$(realpath "$(dirname "$0")")
. "$here/../support/shell.sh"
for scenario in "$here"/held/*.lua; do
  seeds=$(sed -n 's/^-- seeds: //p' "$scenario")
  claim "$(basename "$scenario" .lua)_holds" "$syncsim" run "$scenario" --seeds "${seeds:-300}" --jobs 2 --quiet
done
exit $failed
