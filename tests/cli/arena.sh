#!/bin/bash
# A full arena is an error with a name, a size and a way out; and the size that
# nobody wished fits what the process may have. usage: arena.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1
says() { # STATUS TEXT COMMAND...: ends with that status and says that text.
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 </dev/null || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] || { echo "status $status, not $wanted"; return 1; }
  grep -qF -- "$text" says.out || { echo "does not say: $text"; return 1; }
}

cat >small.lua <<'END'
local sim = require "sim"
return sim.scenario { name = "small", nodes = 2, duration = "1s", workload = sim.kv { rate = "20/s" } }
END
# An assertion of the simulator failed here (there was no block for a file).
cat >great.lua <<'END'
local sim = require "sim"
return sim.scenario {
  name = "great", nodes = 3, workload = sim.kv { rate = "100/s", value = "1MiB", keys = 1000 },
  engine = { value_max = "1MiB", store_max = "4GiB", segment = "64MiB" },
}
END
full='the arena, in which the whole world lives, is full: it has 48 MiB, of which '
run() { "$syncsim" run "$@" --bundles failures; }
claim a_full_arena_ends_with_status_5_and_says_how_large_it_is says 5 "$full" run great.lua --seeds 2 --arena 48MiB
claim and_what_to_do says 5 'Give it more with --arena, such as --arena 128MiB' run great.lua --seed 1 --arena 48MiB
claim replay_says_so_too says 5 "$full" "$syncsim" replay great.lua --seed 1 --arena 48MiB
claim diff_says_so_too says 5 "$full" "$syncsim" diff great.lua 1 2 --arena 48MiB
claim the_other_scenarios_are_run says 5 '3 held, 3 failed; exit status 5' run great.lua small.lua --seeds 3 --arena 48MiB
claim one_that_is_too_small_for_any_script_is_full says 5 'is full: it has 1 MiB' run great.lua --seed 1 --arena 1MiB
claim a_size_without_unit_is_refused says 2 "--arena '64' is not a size such as 4GiB" run small.lua --arena 64
claim a_size_without_sense_is_refused says 2 'is outside 1MiB to 1024GiB' run small.lua --arena 4B

within() { # KIBIBYTES COMMAND...
  local room=$1
  shift
  (ulimit -v "$room" && "$@")
}
if ! nm "$syncsim" 2>/dev/null | grep -q __asan_init; then # whose shadow alone takes terabytes
  claim with_little_address_space_a_suite_runs within 800000 run small.lua --seeds 2
  claim so_does_a_replay within 300000 "$syncsim" replay small.lua --seed 1
  claim so_does_a_list within 300000 "$syncsim" list small.lua
  claim what_cannot_be_had_is_said_with_the_limit says 5 'no address space for an arena of 4 GiB (Cannot allocate memory); ulimit leaves the process' within 800000 run small.lua --seed 1 --arena 4096MiB
  claim replay_cannot_have_it_either says 5 'ask for less with --arena, such as --arena 256MiB' within 800000 "$syncsim" replay small.lua --seed 1 --arena 4GiB
fi
exit $failed
