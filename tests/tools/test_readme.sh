#!/bin/bash
# The README's red seed is what a user sees today: its patch applied to a copy of
# the tree, its command run, everything but the real time compared; and green
# again without the patch. usage: test_readme.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
objects=${1:?usage: test_readme.sh BUILD_FOLDER}
patch=tests/planted/03-acknowledged-before-fsync.patch
copy=$scratch/tree

make_copy() {
  mkdir -p "$copy/$objects"
  tar --exclude=./build --exclude=./.git -cf - . | tar -C "$copy" -xf -
  local folder
  for folder in core posix sim cluster lua search reports cli tests/support; do
    mkdir -p "$copy/$objects/$folder" && cp -a "$objects/$folder/." "$copy/$objects/$folder/"
  done
  patch -d "$copy" -p1 -s -F0 --no-backup-if-mismatch <"$patch" &&
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$copy" --no-print-directory -s "$objects/syncsim"
}

# The block that begins with the command; without the command.
told() { awk '/^\$ make build\/syncsim && build\/syncsim run/ { on = 1; next } /^```/ { on = 0 } on' README.md; }
# The column of the real time, and the blanks that it moves.
timeless() { sed -E 's/ +[0-9.]+ (ms|s|us)$//; s/^(scenario .*) +real$/\1/; s/ +/ /g'; }
seen() {
  local status=0
  (cd "$copy" && "$objects/syncsim" run scenarios/crash/crash_at_rest.lua --seeds 20) >"$scratch/run" 2>/dev/null || status=$?
  # README leaves the closing two lines out, and names the program by its link.
  [ "$status" -eq 1 ] && head -n -3 "$scratch/run" | sed "s|$objects/syncsim|build/syncsim|" | timeless >"$scratch/seen"
}
same() { diff <(told | timeless) "$scratch/seen"; }

# The scenario that shrinking writes, word for word.
told_small() { awk '/^\$ build\/syncsim shrink/ { on = 1; next } /^```/ { on = 0 } on' README.md; }
small() {
  (cd "$copy" && "$objects/syncsim" shrink scenarios/crash/crash_at_rest.lua --seed 1) >"$scratch/small" &&
    diff <(told_small) "$scratch/small"
}

claim readme_names_the_patch grep -qF "$patch" README.md
claim the_patched_tree_builds make_copy
claim its_run_is_red seen
claim the_run_is_as_readme_tells_it same
claim it_is_made_as_small_as_readme_tells small
claim the_seed_is_green_without_the_patch "$objects/syncsim" replay scenarios/crash/crash_at_rest.lua --seed 1
exit $failed
