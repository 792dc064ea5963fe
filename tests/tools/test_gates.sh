#!/bin/bash
# A gate that only people run rots: each target that `make help` lists is reached
# by .ci/run, or is named here with the reason why not.
. "$(dirname "$0")/../support/shell.sh"

left_out='
bless  writes the committed hashes anew, which is for people to decide
build/syncnote  copies the program that tools/run-tests builds with the examples, which tests/examples/syncnote.sh runs
build/synctool  copies the program that tools/run-tests builds with the tests, which tests/synctool/ run
bless-abi  writes the committed interface anew, which is for people to decide
bench  measures and judges nothing
nightly  runs for hours, with seeds of its own
smoke  runs a part of what sim runs, for people who commit
deb  wants a minute with the tools that it installs (packages-deb.txt); tests compare the versions that it names
coverage  measures how far the scenarios are from a goal; tests/tools/test_check_coverage.sh runs its tool over a small tree
mutants  wants an hour; tests/tools/test_mutants.sh runs its tool over a small tree
clean  would throw away what the other gates built
help   lists these
'

# Prints the targets that .ci/run of a tree does not reach. It reaches a target
# that a file it reaches gives to make, or whose recipe begins a program that such a file
# names; and the files of tools/ and tests/ that those name. Comments reach nothing.
unreached() { # TREE
  (
    cd "$1" || exit 1
    make --no-print-directory -s help | awk '{ print $1 }' >"$scratch/targets"
    awk -v out="$scratch/recipes" '
      /^[a-zA-Z\/_-]+:([^=]|$)/ { target = $0; sub(/:.*/, "", target); line = $0; sub(/^[^:]*:/, "", line); sub(/##.*/, "", line); print target " needs " line >out; next }
      /^\t/ { if (target != "") print target " does " $0 >out; next }
      /^[^#]/ { target = "" }' Makefile
    printf '%s\n' .ci/run >"$scratch/files"
    : >"$scratch/reached"
    local before=-1 now=0
    while [ "$before" -ne "$now" ]; do
      before=$now
      # Files by their names in what is reached; tools/run-tests runs every script of tests/, this one too, which names all.
      { sed 's/#.*//' $(cat "$scratch/files")
        awk 'NR == FNR { reached[$1]; next } $1 in reached' "$scratch/reached" "$scratch/recipes"
      } >"$scratch/text"
      grep -oE '(tools|tests/[a-z]+)/[A-Za-z_-]+(\.sh)?' "$scratch/text" | sort -u | while read -r file; do
        [ -f "$file" ] && echo "$file"
      done >"$scratch/found"
      if grep -qx tools/run-tests "$scratch/files"; then ls tests/*/*.sh | grep -v -e '^tests/support/' -e '/test_gates.sh$' >>"$scratch/found"; fi
      sort -u "$scratch/found" "$scratch/files" -o "$scratch/files"
      while read -r target; do
        # Its name in a line with make, as a need of a reached target, or a program of its recipe.
        if grep -E '(^|[^a-z-])make |MAKE' "$scratch/text" | grep -qE -- "(^| )${target//\//\\/}( |$|\")" ||
          grep -E ' needs ' "$scratch/text" | grep -qE -- " ${target//\//\\/}( |$)" ||
          sed -nE "s#^${target//\//\\/} does ##p" "$scratch/recipes" | grep -oE '(tools|tests/[a-z]+)/[A-Za-z_-]+(\.sh)?' |
          grep -qxFf "$scratch/files"; then
          echo "$target"
        fi
      done <"$scratch/targets" | sort -u >"$scratch/reached.new"
      mv "$scratch/reached.new" "$scratch/reached"
      now=$(cat "$scratch/files" "$scratch/reached" | wc -l)
    done
    sort "$scratch/targets" | comm -23 - "$scratch/reached"
  )
}
check() { # TREE: status 1 with a line for each target that is neither reached nor named
  local target status=0
  for target in $(unreached "$1"); do
    grep -q "^$target  *[a-z]" <<<"$left_out" && continue
    echo "$target: .ci/run does not reach it: call it there, or say why not in tests/tools/test_gates.sh"
    status=1
  done
  return $status
}
tree() { # a copy of what is looked at
  rm -rf "$scratch/tree"
  mkdir -p "$scratch/tree"
  tar -cf - Makefile .ci tools tests/*/*.sh | tar -C "$scratch/tree" -xf -
}
target() { printf '\n.PHONY: %s\n%s: ## made up\n\t@%s\n' "$1" "$1" "$2" >>"$scratch/tree/Makefile"; }

claim every_gate_is_run_by_ci check .
for name in $(sed -n 's/^\([a-z-][a-z-]*\)  *.*/\1/p' <<<"$left_out"); do
  claim "what_is_left_out_is_a_target_$name" eval "make -s help | grep -q '^  $name '"
done

tree && target check-new 'tools/check-new' && printf '#!/bin/bash\n' >"$scratch/tree/tools/check-new"
claim a_new_target_is_seen refuses 'check-new: .ci/run does not reach it' check "$scratch/tree"
echo '# tools/check-new is a good idea' >>"$scratch/tree/.ci/run"
claim a_comment_reaches_nothing refuses 'check-new: .ci/run does not reach it' check "$scratch/tree"
echo 'gate check-new count_lines tools/check-new' >>"$scratch/tree/.ci/run"
claim a_call_of_its_program_reaches_it check "$scratch/tree"
tree && target check-inline 'true'
claim a_target_without_a_program_is_seen refuses 'check-inline: .ci/run does not reach it' check "$scratch/tree"
echo 'make --no-print-directory check-inline' >>"$scratch/tree/.ci/run"
claim a_call_of_make_reaches_it check "$scratch/tree"
tree && target check-deep 'tools/check-deep' && printf '#!/bin/bash\n' >"$scratch/tree/tools/check-deep"
printf 'claim it tools/check-deep\n' >"$scratch/tree/tests/tools/test_check_deep.sh"
claim a_test_of_it_reaches_it check "$scratch/tree"
for gate in check-arches check-scenarios lint check-determinism; do
  tree && sed -i "/^gate $gate /d" "$scratch/tree/.ci/run"
  [ "$gate" != check-determinism ] || sed -i '/check-determinism/d' "$scratch/tree/tools/run-tests"
  claim "without_its_call_it_is_missed_$gate" refuses "$gate: .ci/run does not reach it" check "$scratch/tree"
done
tree && sed -i 's/^gate test .*/true/' "$scratch/tree/.ci/run"
claim what_only_make_test_reaches_is_missed_without_it refuses 'check-planted: .ci/run does not reach it' check "$scratch/tree"
exit $failed
