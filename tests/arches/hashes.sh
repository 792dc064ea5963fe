#!/bin/bash
# Runs are what they were when they were blessed (docs/determinism.md).
# tests/arches/hashes.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
cd "$(dirname "$0")/../.." || exit 1
folder=${1:?usage: hashes.sh BUILD_FOLDER}

claim runs_are_as_blessed tools/bless --check "$folder"

# Red controls, on a copy whose lists were touched.
copy=$scratch/tree
mkdir -p "$copy/tools" "$copy/tests/arches" "$copy/scenarios"
cp tools/bless tools/list-scenarios "$copy/tools/"
cat >"$copy/hashes" <<'END'
#!/bin/sh
case $1 in toy) echo 'toy 1 aaaa 1 2 3 4 5 6' ;; *) echo 'crash 1 bbbb 1 2 3 4 5 6' && echo 'crash 2 cccc 1 2 3 4 5 6' ;; esac
END
chmod +x "$copy/hashes"
claim a_first_blessing_writes_both_lists "$copy/tools/bless" "$copy"
claim what_is_blessed_is_equal "$copy/tools/bless" --check "$copy"
sed -i 's/^crash 2 cccc 1 2 3/crash 2 dddd 1 2 9/' "$copy/tests/arches/engine.hashes"
claim a_changed_run_names_its_chains refuses 'crash: changed, seeds 2; dddd -> cccc; chains: disk' \
  "$copy/tools/bless" --check "$copy"
sed -i '/^crash 1/d' "$copy/tests/arches/engine.hashes"
claim a_run_that_is_not_listed_is_named refuses 'crash: new, seeds 1' "$copy/tools/bless" --check "$copy"
# grep -c reads to the end: -q would close the pipe before all is written.
claim blessing_shows_what_changed grep -c 'chains: disk' <("$copy/tools/bless" "$copy")
claim then_all_is_equal_again "$copy/tools/bless" --check "$copy"
exit "$failed"
