#!/bin/bash
# The guide and the reference of the language are true: each block of Lua in them runs, and each function of the bindings is in one.
# usage: guide.sh BUILD_FOLDER
# timeout: 240
. "$(dirname "$0")/../support/shell.sh"
cd "$(dirname "$0")/../.." || exit 1
syncsim=$(realpath "${1:?usage: guide.sh BUILD_FOLDER}/syncsim")

# Each ```lua block becomes a file NNN-LINE.lua under $2: a whole scenario as it stands; options (the first line is NAME = ...) in a scenario; properties of it (sim. begins them); anything
# else as the body of run; one that begins with `-- helpers/NAME.lua` is that helper of the others. A comment <!-- fails: PROPERTY --> before a block says that this property is violated.
blocks() { # DOCUMENT FOLDER
  awk -v folder="$2" '
    function finish(   path, whole, options, helper) {
      helper = first ~ /^-- helpers\/[a-z_]+\.lua/ ? first : ""
      sub(/^-- helpers\//, "", helper)
      sub(/ .*/, "", helper)
      path = sprintf("%s/%03d-%d.lua", folder, ++count, start)
      whole = text ~ /return sim\.scenario/
      options = first ~ /^[a-z_]+ += /
      if (helper != "") path = folder "/helpers/" helper
      if (helper != "") printf "%s", text >path
      else if (whole) printf "%s%s", text ~ /require "sim"/ ? "" : "local sim = require \"sim\"\n", text >path
      else {
        printf "local sim = require \"sim\"\nlocal cut\nreturn sim.scenario {\n  name = \"line %d\", duration = \"10s\", ", start >path
        if (text !~ /workload +=/) printf "workload = sim.kv { rate = \"40/s\" },\n" >path
        printf "  engine = { ack_timeout = \"500ms\", retry_interval = \"200ms\" },\n" >path
        if (options) printf "%s", text >path
        else if (first ~ /^sim\./) {
          printf "  run = function(world)\n    world:sleep \"1s\"\n    cut = world:isolate(2)\n    world:sleep \"2s\"\n    cut:heal()\n    cut = nil\n  end,\n" >path
          printf "  properties = {\n%s  },\n", text >path
        }
        else printf "  nodes = 5,\n  run = function(world)\n    local node = world:node(2)\n%s    return node\n  end,\n", text >path
        printf "}\n" >path
      }
      close(path)
      if (fails != "") { print fails >(path ".fails"); close(path ".fails") }
      fails = ""
    }
    /^<!-- fails: .* -->$/ { fails = $0; sub(/^<!-- fails: /, "", fails); sub(/ -->$/, "", fails) }
    /^```lua$/ { inside = 1; text = first = ""; start = NR + 1; next }
    /^```/ && inside { inside = 0; finish(); next }
    inside { if (text == "") first = $0; text = text $0 "\n" }' "$1"
}
run_block() { # FILE DOCUMENT
  local status=0 property
  "$syncsim" run "$1" --seeds 3 --jobs 1 --bundles "$scratch/bundles" >"$scratch/block.out" 2>&1 || status=$?
  if [ -f "$1.fails" ]; then
    property=$(cat "$1.fails")
    [ "$status" -eq 1 ] && grep -qF -- "$property" "$scratch/block.out" && return
    echo "$2: the block at line ${1##*-} should violate '$property': status $status"
  else
    [ "$status" -eq 0 ] && return
    echo "$2: the block at line ${1##*-}: status $status"
  fi
  grep -E "wrong|saw|property" "$scratch/block.out"
  return 1
}
all_run() { # DOCUMENT FOLDER
  local file wrong=0
  mkdir -p "$2/helpers" && blocks "$1" "$2"
  for file in "$2"/*.lua; do [ -f "$file" ] && { run_block "$file" "$1" || wrong=1; }; done
  return "$wrong"
}
have_examples() { # BINDINGS FOLDER...
  local list=$1 wrong=0 object method
  shift
  while read -r _ object method; do
    case $object in
    sim) grep -qE "\bsim\.$method\b" -r "$@" && continue ;;
    *) grep -qE ":$method\b" -r "$@" && continue ;;
    esac
    echo "$object:$method has no example"
    wrong=1
  done < <(grep '^method' "$list")
  return "$wrong"
}

documents=(docs/scenarios.md)


for document in "${documents[@]}"; do
  claim "every_block_of_$(basename "$document" .md | tr - _)_runs" all_run "$document" "$scratch/$(basename "$document" .md)"
done
tools/lua-words bindings >"$scratch/bindings"
claim there_are_functions [ "$(grep -c '^method' "$scratch/bindings")" -gt 70 ]
claim every_function_has_an_example have_examples "$scratch/bindings" $(for one in "${documents[@]}"; do echo "$scratch/$(basename "$one" .md)"; done)

# Red controls.
document() { printf '%s\n' "$@" >"$scratch/red.md"; rm -rf "$scratch/red"; }
document '```lua' 'node:crash()' 'node:wyype()' '```'
claim a_block_with_a_wrong_word_is_seen refuses 'wyype' all_run "$scratch/red.md" "$scratch/red"
document '```lua' 'world:fail "seen"' '```'
claim a_block_that_fails_is_seen refuses 'status 1' all_run "$scratch/red.md" "$scratch/red"
document '<!-- fails: other -->' '```lua' 'world:fail "seen"' '```'
claim a_block_that_fails_otherwise_is_seen refuses "should violate 'other'" all_run "$scratch/red.md" "$scratch/red"
document '<!-- fails: seen -->' '```lua' 'world:sleep "1s"' '```'
claim a_block_that_should_fail_and_holds_is_seen refuses "should violate 'seen'" all_run "$scratch/red.md" "$scratch/red"
document '```lua' 'nodez = 4,' '```'
claim a_wrong_option_is_seen refuses 'did you mean "nodes"' all_run "$scratch/red.md" "$scratch/red"
mkdir -p "$scratch/few"
echo 'world:sleep "1s"' >"$scratch/few/one.lua"
claim a_function_without_an_example_is_seen refuses 'node:crash has no example' have_examples "$scratch/bindings" "$scratch/few"
exit "$failed"
