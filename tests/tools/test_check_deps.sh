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
mkdir "$scratch/empty"
claim an_empty_tree_is_no_success refuses 'no source file' tools/check-deps "$scratch/empty"
exit $failed
