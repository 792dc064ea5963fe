#!/bin/bash
# The library of scenarios: themes that are told, names of their own, a story for each.
# tests/tools/test_library.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
cd "$(dirname "$0")/../.." || exit 1
syncsim=${1:?usage: test_library.sh BUILD_FOLDER}/syncsim

themes_are_told() { # TREE
  local folder told wrong=0
  for folder in "$1"/scenarios/*/; do
    folder=scenarios/$(basename "$folder")/
    grep -qF "| \`$folder\` |" "$1/docs/scenarios-cover.md" || { echo "$folder is not in docs/scenarios-cover.md" && wrong=1; }
  done
  for told in $(grep -oE '^\| `scenarios/[a-z_]+/`' "$1/docs/scenarios-cover.md" | grep -oE 'scenarios/[a-z_]+'); do
    [ -d "$1/$told" ] || { echo "docs/scenarios-cover.md tells of $told, which is not there" && wrong=1; }
  done
  return "$wrong"
}
each_has_a_story() { # FOLDER
  ! "$syncsim" list "$1" --json | jq -r '.scenarios[] | select(.story == null or .story == "") | .path + " has no story"' | grep .
}
none_lies_flat() { ! ls "$1"/scenarios/*.lua 2>/dev/null; }
same_hash_elsewhere() {
  mkdir -p "$scratch/else/where"
  cp scenarios/network/network_loss.lua "$scratch/else/where/network_loss.lua"
  "$syncsim" run scenarios/network/network_loss.lua --seeds 2 --hashes --quiet --bundles "$scratch/b" >"$scratch/here" &&
    "$syncsim" run "$scratch/else/where/network_loss.lua" --seeds 2 --hashes --quiet --bundles "$scratch/b" >"$scratch/there" &&
    cmp "$scratch/here" "$scratch/there" && [ -s "$scratch/here" ]
}

# The share of planted bugs whose headers name a scenario with the tag smoke, in per cent.
smoke_share() { # LIST
  awk 'FNR == NR { smoke[$1]; next }
    /^# scenarios:/ && !(FILENAME in seen) { seen[FILENAME]; all++; for (i = 3; i <= NF; i++) { sub(/#.*/, "", $i); if ($i in smoke) { found++; break } } }
    END { print int(found * 100 / all) }' "$1" tests/planted/*.patch
}
finds_most() { # LIST
  local share
  share=$(smoke_share "$1")
  [ "$share" -ge 80 ] || { echo "only $share % of the planted bugs: tools/choose-smoke tells which scenarios to tag"; return 1; }
}
"$syncsim" list scenarios --tag smoke --json | jq -r '.scenarios[].path | sub("#.*"; "")' | sort -u >"$scratch/smoke"
claim the_smoke_set_finds_eight_in_ten_planted_bugs finds_most "$scratch/smoke"
claim the_smoke_set_is_not_all [ "$(wc -l <"$scratch/smoke")" -lt "$(tools/list-scenarios | wc -l)" ]
claim the_smoke_set_has_a_canary grep -q canary "$scratch/smoke"
head -n 10 "$scratch/smoke" >"$scratch/few"
claim a_smoke_set_that_finds_little_is_seen refuses 'tools/choose-smoke tells' finds_most "$scratch/few"

claim every_theme_is_told themes_are_told .
claim every_scenario_has_a_theme none_lies_flat .
claim every_scenario_has_a_story each_has_a_story scenarios
claim no_two_have_one_name tools/list-scenarios
claim where_a_scenario_lies_changes_no_run same_hash_elsewhere

# Red controls, on a copy.
copy=$scratch/tree
mkdir -p "$copy/docs" "$copy/tools"
cp -r scenarios "$copy/" && cp docs/scenarios-cover.md "$copy/docs/" && cp tools/list-scenarios "$copy/tools/"
mkdir "$copy/scenarios/weather"
sed '/story/d' scenarios/network/network_loss.lua >"$copy/scenarios/weather/network_loss.lua"
claim a_theme_that_nobody_tells_is_seen refuses 'scenarios/weather/ is not in' themes_are_told "$copy"
claim a_scenario_without_a_story_is_seen refuses 'weather/network_loss.lua has no story' each_has_a_story "$copy/scenarios"
claim a_name_that_is_taken_is_seen refuses 'two scenarios have the name network_loss.lua' "$copy/tools/list-scenarios"
rm -r "$copy/scenarios/weather" "$copy/scenarios/network"
claim a_theme_that_went_is_seen refuses 'tells of scenarios/network, which is not there' themes_are_told "$copy"
exit "$failed"
