#!/bin/bash
# Red controls of tools/check-deps.
. "$(dirname "$0")/../support/shell.sh"

# plant FILE LINE: a tree of one bad file.
plant() {
  rm -rf "$scratch/tree"
  mkdir -p "$scratch/tree/$(dirname "$1")"
  printf 'int nothing;\n%s\n' "$2" >"$scratch/tree/$1"
}
red() { # NAME FILE LINE SAYS
  plant "$2" "$3"
  claim "$1" refuses "$4" tools/check-deps "$scratch/tree"
}
green() {
  plant "$2" "$3"
  claim "$1" tools/check-deps "$scratch/tree"
}

claim the_tree_keeps_its_direction tools/check-deps .
red core_may_not_include_sim core/x.c '#include "sim/sim.h"' 'core/ may not include'
red core_may_not_include_stdlib core/x.c '#include <stdlib.h>' 'may include of the system only'
red core_may_not_include_posix core/x.h '# include "posix/posix_env.h"' 'core/ may not include'
red sim_may_not_include_the_engine sim/x.c '#include "core/log/wal.h"' 'sim/ may not include'
green sim_may_include_the_port sim/x.c '#include "core/env.h"'
red posix_may_not_include_sim posix/x.c '#include "sim/sim.h"' 'posix/ may not include'
red synctool_may_not_include_the_simulator synctool/x.c '#include "sim/sim.h"' 'synctool/ may not include'
red cli_may_not_include_synctool cli/x.c '#include "synctool/print.h"' 'cli/ may not include'
green synctool_may_include_the_log synctool/x.c '#include "core/log/log.h"'
red cluster_may_not_include_lua cluster/x.c '#include "lua/scenario.h"' 'cluster/ may not include'
red no_lua_header_outside_lua search/x.c '#include <lua5.4/lauxlib.h>' "belong to lua/"
green lua_headers_are_at_home_in_lua lua/x.c '#include <lauxlib.h>'
red lua_may_not_include_search lua/x.c '#include "search/suite.h"' 'lua/ may not include'
red search_may_not_include_reports search/x.c '#include "reports/report.h"' 'search/ may not include'
red reports_may_not_include_cli reports/x.c '  #  include "cli/main.h"' 'reports/ may not include'
red an_include_must_name_its_folder core/x.c '#include "wal.h"' 'name the folder'
red an_include_may_not_climb core/x.c '#include "core/../sim/sim.h"' 'no ..'
red an_include_may_not_be_a_macro core/x.c '#include HEADER' 'must name its file'
red angle_brackets_do_not_hide_a_layer core/x.c '#include <sim/sim.h>' 'core/ may not include'

# Rooms and nouns.
plant_two() { # FILE LINE FILE LINE
  plant "$1" "$2"
  mkdir -p "$scratch/tree/$(dirname "$3")"
  printf '%s\nint nothing;\n' "$4" >"$scratch/tree/$3"
}
red a_lower_room_may_not_include_a_higher_one sim/disk/x.c '#include "sim/node/node.h"' 'sim/disk/ may not include'
red a_device_may_not_include_the_world sim/network/x.c '#include "sim/sim.h"' 'sim/network/ may not include'
red a_device_may_not_include_another sim/disk/x.c '#include "sim/clock/clock.h"' 'sim/disk/ may not include'
red a_room_may_not_include_its_layer core/log/x.c '#include "core/engine.h"' 'the layer is above its rooms'
red a_room_that_is_not_listed_is_no_way_round core/state/x.c '#include "core/attic/x.h"' 'no such room is listed'
red a_new_room_needs_a_place_in_the_order cluster/attic/x.c '' 'has no place yet'
green a_higher_room_may_include_a_lower_one sim/node/x.c '#include "sim/disk/disk.h"'
green every_room_of_the_engine_may_include_the_port core/log/x.c '#include "core/env.h"'
plant_two sim/node/x.c '#include "sim/disk/own.h"' sim/disk/own.h '/* Nobody elses. */'
printf '/* Room `disk`: a face. */\n' >"$scratch/tree/sim/disk/disk.h"
claim what_is_no_face_of_a_room_stays_inside refuses 'own business of sim/disk' tools/check-deps "$scratch/tree"
plant_two cluster/a.h '#include "cluster/b.h"' cluster/b.h '#include "cluster/a.h"'
claim a_circle_of_two_nouns_is_named refuses 'cluster/a -> cluster/b -> cluster/a' tools/check-deps "$scratch/tree"
plant_two lua/a.c '#include "lua/b.h"' lua/b.c '#include "lua/a.h"'
claim a_circle_through_sources_counts refuses 'lua/a -> lua/b -> lua/a' tools/check-deps "$scratch/tree"
plant_two cluster/a.c '#include "cluster/a.h"' cluster/a.h '#include "cluster/b.h"'
claim a_source_and_its_header_are_one_noun tools/check-deps "$scratch/tree"

map_is_shown() {
  diff <(tools/check-deps --map) <(awk '/^```map$/ { inside = 1; next } /^```$/ { inside = 0 } inside' docs/architecture.md)
}
claim the_map_in_the_docs_is_that_of_the_tree map_is_shown

mkdir "$scratch/empty"
claim an_empty_tree_is_no_success refuses 'no source file' tools/check-deps "$scratch/empty"
exit $failed
