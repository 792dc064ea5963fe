#!/bin/bash
# Every word of the language is in the guide and in the file for editors, and no other word is.
# usage: words.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
cd "$(dirname "$0")/../.." || exit 1
syncsim=${1:?usage: words.sh BUILD_FOLDER}/syncsim

# Which class of lua/sim.d.lua tells a table of options; which alias or field tells a list of words, with words that are added to
# the list. `-`: nobody writes these.
classes='
lua/settings/link_settings.c:fields      sim.Network
lua/settings/settings.c:disk_fields      sim.Disk
lua/settings/settings.c:engine_fields    sim.Engine
lua/settings/settings.c:preset_field     -
lua/settings/settings.c:kv_fields        sim.KvOptions
lua/settings/settings.c:node_fields      sim.NodeOptions
lua/settings/settings.c:scenario_fields  sim.ScenarioOptions
lua/api/rule_api.c:fields                sim.RuleOptions
lua/api/member_api.c:node_fields       sim.AddNode
lua/api/node_api.c:clock_fields          sim.ClockChange
lua/api/node_api.c:crash_fields          sim.Crash
lua/api/node_api.c:restart_fields        sim.Restart
lua/api/node_api.c:nth_fields            sim.Call
lua/api/change.c:value_fields            sim.Value
lua/api/change.c:entry_fields            sim.Change
lua/api/data_api.c:list_fields           sim.ListOptions'
lists='
sim/trace/fault.c:sim_fault_name         fault
cluster/policies.c:cluster_policy_words  policy
sim/node/node.c:names                    sim.Calls changes all
lua/api/node_api.c:names                 sim.State
lua/api/conflict_api.c:kinds             sim.Conflict.policy
lua/api/message_words.c:message_words    sim.RuleOptions.kind
lua/api/rule_api.c:actions               -
lua/api/world_api.c:names                -
lua/api/world_api.c:trace_names          -
lua/language/sandbox.c:known             -
lua/language/literal.c:words             -
lua/settings/settings.c:keys             -
lua/language/sandbox.c:refused           -
lua/language/sandbox.c:removed           -
lua/settings/settings.c:crash_styles     sim.Disk.on_crash
lua/settings/settings.c:fault_choices    sim.ScenarioOptions.faults
lua/settings/settings.c:tearings         sim.Disk.torn
lua/settings/settings.c:overwrites       sim.Disk.overwrite
lua/settings/settings.c:renames          sim.Disk.rename
lua/settings/settings.c:presets          sim.Engine.preset
lua/settings/settings.c:promises         sim.KvOptions.promise
lua/settings/settings.c:topologies       sim.ScenarioOptions.topology'

# Both sides as sorted lines; what is on one side only is wrong. $1: bindings, $2: annotations, both as tools/lua-words has them.
compare() {
  awk -v classes="$classes" -v lists="$lists" '
    function sorted(text,   parts, n, i, j, word, out) {
      n = split(text, parts, " ")
      for (i = 2; i <= n; i++) for (j = i; j > 1 && parts[j] < parts[j - 1]; j--) { word = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = word }
      for (i = 1; i <= n; i++) out = out " " parts[i]
      return out
    }
    # The words that only one of two lists has.
    function apart(told, are,   a, b, i, out) {
      split("", lone)
      for (i = split(told, a, " "); i > 0; i--) lone[a[i]]++
      for (i = split(are, b, " "); i > 0; i--) if (b[i] in lone) delete lone[b[i]]; else out = out " " b[i] " (not told)"
      for (i in lone) out = out " " i " (no such word)"
      return out
    }
    function unquoted(type) { gsub(/[|"]/, " ", type); return type }
    BEGIN {
      n = split(classes, rows, "\n")
      for (i = 1; i <= n; i++) if (split(rows[i], row, " ") == 2) class_of[row[1]] = row[2]
      n = split(lists, rows, "\n")
      for (i = 1; i <= n; i++) if (split(rows[i], row, " ") >= 2) { place_of[row[1]] = row[2]; for (j = 3; j in row && rows[i] ~ row[j]; j++) added[row[1]] = added[row[1]] " " row[j] }
      split("SCHEMA_COUNT integer SCHEMA_DURATION duration SCHEMA_DURATION_RANGE durations SCHEMA_SIZE size SCHEMA_SIZE_RANGE sizes SCHEMA_SHARE share SCHEMA_RATE rate SCHEMA_BOOL boolean SCHEMA_FUNCTION fun SCHEMA_TEXT string", types, " ")
      for (i = 1; i in types; i += 2) type_of[types[i]] = types[i + 1]
    }
    FNR == 1 { side++ }
    side == 1 && $1 == "table" {
      if (!($2 in class_of)) { if (!told[$2]++) print "the options " $2 " are in no class: list them in tests/lua/words.sh"; next }
      if (class_of[$2] != "-") { option[class_of[$2], $3] = $4; list_of[class_of[$2], $3] = $5; is_class[class_of[$2]] = 1 }
    }
    side == 1 && $1 == "words" {
      if (!($2 in place_of)) { print "the words " $2 " are told nowhere: list them in tests/lua/words.sh"; next }
      list = ""
      for (i = 3; i <= NF; i++) list = list " " $i
      words[$2] = sorted(list added[$2])
    }
    side == 1 && $1 == "method" { method[$2 ":" $3] = 1 }
    side == 2 && $1 == "wrong" { sub(/^wrong /, ""); print }
    side == 2 && $1 == "method" { annotated[$2 ":" $3] = 1; if (!(($2 ":" $3) in method)) print $2 ":" $3 " is in lua/sim.d.lua and not in the bindings" }
    side == 2 && $1 == "extends" { parent[$2] = $3 }
    side == 2 && $1 == "field" { field[$2, $3] = $4; fields[++field_count] = $2 SUBSEP $3 }
    side == 2 && $1 == "alias" { for (i = 3; i <= NF; i++) alias[$2] = alias[$2] " " $i }
    END {
      for (m in method) if (!(m in annotated)) print m " is not in lua/sim.d.lua"
      for (o in option) {
        split(o, part, SUBSEP)
        class = part[1]
        while (!((class, part[2]) in field) && class in parent) class = parent[class]
        if (!((class, part[2]) in field)) { print part[1] "." part[2] " is not in lua/sim.d.lua"; continue }
        type = field[class, part[2]]
        wanted = type_of[option[o]]
        if (wanted != "" && type != wanted && !(wanted == "fun" && type ~ /^fun\(/)) print part[1] "." part[2] " is told as " type " and is " wanted
        if (option[o] == "SCHEMA_WORD" && (type in alias ? sorted(alias[type]) : sorted(unquoted(type))) != words[list_of[o]])
          print part[1] "." part[2] " is told as " type " and is one of" words[list_of[o]]
      }
      for (i = 1; i <= field_count; i++) {
        split(fields[i], part, SUBSEP)
        if (!(part[1] in is_class)) continue
        found = 0
        for (c in is_class) { a = c; while (a != part[1] && a in parent) a = parent[a]; if (a == part[1] && (c, part[2]) in option) found = 1 }
        if (!found) print part[1] "." part[2] " is in lua/sim.d.lua and no option"
      }
      for (w in words) {
        place = place_of[w]
        if (place == "-") continue
        if (place in alias) has = sorted(alias[place])
        else { class = word = place; sub(/\.[^.]*$/, "", class); sub(/.*\./, "", word); has = sorted(unquoted(field[class, word])) }
        if (has != words[w]) print place " tells other words than there are:" apart(has, words[w])
      }
    }' "$1" "$2" >"$scratch/differ" || echo "awk failed" >>"$scratch/differ"
  sort "$scratch/differ"
  [ ! -s "$scratch/differ" ]
}
agree() { # TREE
  tools/lua-words bindings "$1" >"$scratch/bindings" && tools/lua-words annotations "$1" >"$scratch/annotations" && compare "$scratch/bindings" "$scratch/annotations"
}
in_the_guide() { # each option and method: as `word`, word = , :word or .word in docs/scenarios*.md
  awk '$1 == "table" { print $3 } $1 == "method" { print $3 }' "$scratch/bindings" | sort -u | while read -r word; do
    grep -qE "\`[^\`]*\b$word\b|\b$word += |[:.]$word\b" docs/scenarios*.md || echo "$word is not in docs/scenarios*.md"
  done >"$scratch/untold"
  cat "$scratch/untold"
  [ ! -s "$scratch/untold" ]
}

claim the_file_for_editors_agrees_with_the_bindings agree .
claim every_word_is_in_the_guide in_the_guide

# What calls give is known at run time only: each key of each table that they give, against the classes.
cat >"$scratch/gives.lua" <<'END'
local sim = require "sim"
local function tell(world, class, value)
  for key in pairs(value) do world:log("@" .. class .. " " .. key) end
end
return sim.scenario {
  name = "what calls give", nodes = 2, duration = "3s", policy = "manual", workload = sim.kv { rate = "20/s" },
  engine = { ack_timeout = "200ms", retry_interval = "100ms" },
  run = function(world)
    local one, two = world:node(1), world:node(2)
    local cut = world:partition({ 1 }, { 2 })
    one:put("mine", { text = "a" })
    two:put("mine", { text = "b" })
    world:sleep "500ms"
    cut:heal()
    world:wait_until(function() return #one:conflicts() > 0 end, "2s")
    tell(world, "sim.Stats", world:stats())
    tell(world, "sim.FaultCount", world:fault "net_loss")
    tell(world, "sim.Outbox", one:outbox())
    tell(world, "sim.Tombstones", one:tombstones())
    tell(world, "sim.File", one:files()[1])
    tell(world, "sim.Conflict", one:conflicts()[1])
    for _, sibling in ipairs(one:siblings "mine") do tell(world, "sim.Sibling", sibling) end
    for _, found in ipairs(one:list()) do tell(world, "sim.Found", found) end
  end,
}
END
gives() { # ANNOTATIONS
  "$syncsim" replay "$scratch/gives.lua" --seed 1 --trace "$scratch/gives.txt" >"$scratch/gives.out" || { cat "$scratch/gives.out"; return 1; }
  sed -n 's/.*the script says: @//p' "$scratch/gives.txt" | LC_ALL=C sort -u >"$scratch/given"
  awk '{ print $1 }' "$scratch/given" | sort -u | while read -r class; do
    awk -v class="$class" '$1 == "field" && $2 == class { print $2, $3 }' "$1"
  done | LC_ALL=C sort -u | diff "$scratch/given" - | sed -n 's/^< \(.*\)/\1 is given and not in lua\/sim.d.lua/p; s/^> \(.*\)/\1 is in lua\/sim.d.lua and never given/p' >"$scratch/differ"
  cat "$scratch/differ"
  [ "$(wc -l <"$scratch/given")" -gt 40 ] && [ ! -s "$scratch/differ" ]
}
claim what_calls_give_is_told gives "$scratch/annotations"

# Events: their names and fields, and the options that choose among them.
events() { # TREE
  local words
  words=$(sed -nE '/happening_word words/,/^#define WORDS/p' "$1/lua/api/happening.c" | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u)
  [ "$(wc -w <<<"$words")" -gt 50 ] || echo "no words of events were found"
  for word in $words; do
    grep -qF "\`$word\`" docs/scenarios.md || echo "$word is not in docs/scenarios.md"
    grep -qE "^---\|.*\"$word\"|^---@field $word\b" "$1/lua/sim.d.lua" || echo "$word is not in lua/sim.d.lua"
  done >"$scratch/untold"
  cat "$scratch/untold"
  [ ! -s "$scratch/untold" ]
}
claim every_word_of_an_event_is_told events .

# Red controls, on a copy.
tree() {
  rm -rf "$scratch/tree"
  mkdir -p "$scratch/tree"
  cp -r lua core sim cluster "$scratch/tree/"
}
red() { # NAME SAYS FILE SED
  tree
  sed -i "$4" "$scratch/tree/$3"
  cmp -s "$3" "$scratch/tree/$3" && echo "not ok $1: nothing was changed" && failed=1
  claim "$1" refuses "$2" agree "$scratch/tree"
}
tree
sed -i 's/"fsync_done"//' "$scratch/tree/lua/sim.d.lua"
claim an_event_that_is_not_told_is_seen refuses 'fsync_done is not in' events "$scratch/tree"
red a_method_that_is_not_told_is_seen 'world:chance is not in' lua/sim.d.lua '/^function world:chance/d'
red a_method_that_is_not_there_is_seen 'world:prance is in lua/sim.d.lua and not' lua/sim.d.lua 's/^function world:chance/function world:prance/'
red an_option_that_is_not_told_is_seen 'sim.Network.loss is not in' lua/sim.d.lua '/^---@field loss/d'
red an_option_that_is_not_there_is_seen 'sim.Network.moss is in lua/sim.d.lua and no option' lua/sim.d.lua 's/^---@field loss/---@field moss? share\n&/'
red an_option_of_another_type_is_seen 'sim.Network.loss is told as size and is share' lua/sim.d.lua 's/^---@field loss? share/---@field loss? size/'
red a_word_that_is_missing_is_seen 'fault tells other words than there are: net_loss (not told)' lua/sim.d.lua 's/ "net_loss" |//'
red a_word_of_an_option_is_seen 'sim.Disk.torn is told as' lua/sim.d.lua 's/"by_kind"|/"by_kin"|/'
red a_parameter_of_another_name_is_seen 'world:chance: parameter how_often is told as how_rare' lua/sim.d.lua 's/^---@param how_often/---@param how_rare/'
red a_parameter_that_is_not_told_is_seen 'world:chance has 1 parameters and tells of 0' lua/sim.d.lua '/^---@param how_often/d'
red a_new_option_is_seen 'sim.Disk.wobble is not in' lua/settings/settings.c 's/^static const struct schema_field disk_fields\[\] = {/&{"wobble", SCHEMA_BOOL, 0, 0, 0, 0, 0, 0, NULL},/'
red a_new_table_is_seen 'lua/settings/settings.c:more_fields are in no class' lua/settings/settings.c 's/^static const struct schema_field disk_fields/static const struct schema_field more_fields[] = {{"wobble", SCHEMA_BOOL, 0, 0, 0, 0, 0, 0, NULL}};\n&/'
red a_new_list_of_words_is_seen 'lua/settings/settings.c:moods are told nowhere' lua/settings/settings.c 's/^static const char \*const topologies/static const char *const moods[] = {"good", "bad", NULL};\n&/'
red a_new_method_is_seen 'cut:mend is not in' lua/api/network_api.c 's/{"heal", cut_heal}/&, {"mend", cut_heal}/'
grep -v '^field sim.Outbox size' "$scratch/annotations" >"$scratch/less"
claim a_key_that_is_not_told_is_seen refuses 'sim.Outbox size is given' gives "$scratch/less"
{ cat "$scratch/annotations" && echo 'field sim.Outbox sighs integer'; } >"$scratch/more"
claim a_key_that_is_never_given_is_seen refuses 'sim.Outbox sighs is in' gives "$scratch/more"
exit "$failed"
