#!/bin/bash
# Every word of an options table is in the guide and in the file for editors.
set -u
cd "$(dirname "$0")/../.." || exit 2
missing=0
for word in $(sed -nE 's/^ *(\{|[A-Z]+\([A-Z]+, )"([a-z_]+)".*/\2/p' lua/settings/*.c | sort -u); do
  grep -qE "\`[^\`]*\b$word\b|\b$word += " docs/scenarios.md || { echo "# $word is not in docs/scenarios.md" && missing=1; }
  grep -qE "^---@field $word\??" lua/sim.d.lua || { echo "# $word is not in lua/sim.d.lua" && missing=1; }
done
if [ "$missing" -eq 0 ]; then echo "ok every_word_of_an_options_table_is_told"; else echo "not ok every_word_of_an_options_table_is_told"; fi
exit "$missing"
