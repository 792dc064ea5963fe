#!/bin/bash
# A first scenario: written once, right as it is, and green at once. usage: new.sh BUILD_FOLDER
if [ $# -ne 1 ] || [ ! -x "$1/syncsim" ]; then
  echo "usage: $0 BUILD_FOLDER (with syncsim built)" >&2
  exit 2
fi
syncsim=$(realpath "$1/syncsim")
. "$(dirname "$0")/../support/shell.sh"
cd "$scratch" || exit 1

says() { # STATUS TEXT COMMAND...
  local wanted=$1 text=$2 status=0
  shift 2
  "$@" >says.out 2>&1 || status=$?
  cat says.out
  [ "$status" -eq "$wanted" ] && grep -qF -- "$text" says.out
}
claim it_is_written says 0 'lost_update.lua is written' "$syncsim" new lost_update
claim it_loads says 0 'lost_update.lua: ok' "$syncsim" check lost_update.lua
claim it_holds_at_once says 0 '100 held, 0 failed' "$syncsim" run lost_update.lua --seeds 100 --jobs 2
claim all_that_it_names_happens eval '! "$syncsim" run lost_update.lua --seeds 20 | grep -A 9 "Never happened"'
claim its_name_comes_from_the_file says 0 'lost update' "$syncsim" list --long lost_update.lua
claim it_teaches eval '[ "$(grep -cE "^ *--|  -- " lost_update.lua)" -ge 15 ]'
claim its_lines_are_not_long eval '! grep -nE "^.{131}" lost_update.lua'
claim what_it_tells_to_run_is_there eval 'grep -oE "syncsim (run|check) .*" lost_update.lua | grep -c lost_update.lua | grep -qx 3'
cp lost_update.lua before.lua
claim it_is_never_overwritten says 2 "'lost_update.lua' is there already" "$syncsim" new lost_update
claim it_stays_as_it_was cmp lost_update.lua before.lua
ln -s nowhere.lua dangling.lua
claim a_link_is_not_followed says 2 'is there already' "$syncsim" new dangling
claim nothing_was_written_behind_it [ ! -e nowhere.lua ]
mkdir deep
claim a_folder_may_be_named says 0 'deep/er.lua is written' "$syncsim" new deep/er.lua
claim a_folder_that_is_not_there says 2 'No such file or directory' "$syncsim" new shallow/er
number=0
for name in '' '.' '..' 'deep/' '.hidden' -- 'a b' 'a"b' 'a
b' "a'b" 'a\b' '.lua'; do
  claim "no_name_$((++number))" says 2 'syncsim: ' "$syncsim" new "$name"
done
claim a_very_long_name says 2 'too long' "$syncsim" new "$(printf 'x%.0s' {1..90})"
claim a_path_that_is_too_long says 2 'too long' "$syncsim" new "$(printf 'x/%.0s' {1..300})y"
claim one_name_only says 2 'takes one name' "$syncsim" new a b
claim nothing_else_was_written eval '[ "$(ls -A | grep -vxE "lost_update.lua|before.lua|dangling.lua|deep|build|says.out|claim.out" | wc -l)" -eq 0 ]'
claim a_full_disk_leaves_no_half eval '(ulimit -f 0; trap "" XFSZ; "$syncsim" new half) 2>&1 | grep -q "cannot write" && [ ! -e half.lua ]'
exit "$failed"
