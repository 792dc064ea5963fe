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

# A failure to converge says why and how both sides see each other.
cat >"$scratch/full.lua" <<'END'
local sim = require "sim"
return sim.scenario {
  name = "two stores that are full", nodes = 2, duration = "5s", settle = "30s", engine = { store_max = "16KiB" },
  workload = sim.kv { keys = 1000, rate = "100/s", value = "100B..200B" },
  run = function(world) world:partition({ 1 }, { 2 }) end,
}
END
tells() { # TEXT
  "$syncsim" run "$scratch/full.lua" --seeds 1 --quiet --bundles "$scratch/bundles" | grep -qE "$1"
}
claim a_full_store_is_named_as_the_cause tells 'saw .*n2 takes no more: its store has [0-9]+ of the 16384 bytes of engine.store_max'
claim the_history_tells_what_each_side_believes tells 'n1 owes n2 [0-9]+ operations, 0 in flight, believes that it holds 0 of that origin; active'
exit $failed
