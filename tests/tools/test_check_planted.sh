#!/bin/bash
# tools/check-planted over a small tree whose "simulator" is a script that
# reports what core/engine.c holds.
. "$(dirname "$0")/../support/shell.sh"

tree="$scratch/a tree"
mkdir -p "$tree/core" "$tree/tests/planted" "$tree/build/gcc-O2/core"
echo 'promise = durable' >"$tree/core/engine.c"
cat >"$tree/fake" <<'END'
#!/bin/bash
# syncsim run ... --json FILE: one failure if the engine that was built has the word.
for argument; do [ "${previous:-}" = --json ] && json=$argument; previous=$argument; done
failures=
verdict=held
if grep -q submitted "$(dirname "$0")/core/engine.o"; then
  failures='{"verdict":"violated","property":"durability"}'
  verdict=violated
fi
echo "{\"format\":1,\"failures\":[$failures],\"runs\":[{\"verdict\":\"$verdict\"}]}" >"$json"
[ "$verdict" = held ]
END
printf '%s\n' 'build/gcc-O2/syncsim: build/gcc-O2/core/engine.o fake' '	cp fake $@ && chmod +x $@' \
  'build/gcc-O2/core/engine.o: core/engine.c' '	cp $< $@' >"$tree/Makefile"

patch_file() { # ORACLE SEEDS FROM TO
  cat <<END
# bug: a promise is made too early
# oracle: $1
# scenarios: scenarios/crash.lua
# seeds: $2
--- a/core/engine.c
+++ b/core/engine.c
@@ -1 +1 @@
-promise = $3
+promise = $4
END
}
plant() {
  rm -f "$tree"/tests/planted/*
  patch_file "$@" >"$tree/tests/planted/01-early.patch"
}
check() { tools/check-planted --tree "$tree"; }

plant durability 100 durable submitted
claim a_planted_bug_is_found check
claim the_tree_itself_is_untouched grep -q durable "$tree/core/engine.c"
claim finding_it_twice_in_a_row_works check
plant convergence 100 durable submitted
claim the_wrong_oracle_is_no_finding refuses 'not found by "convergence"; found by: durability' check
plant durability 100 durable appended
claim a_bug_that_nobody_finds_fails refuses 'found by: nothing' check
plant durability 100 another submitted
claim a_patch_that_does_not_apply_fails refuses 'does not apply' check
plant durability 201 durable submitted
claim more_than_200_runs_are_refused refuses 'more than 200 runs' check
plant durability 1e2 durable submitted
claim seeds_must_be_a_number refuses 'must be a number' check
plant '' 100 durable submitted
claim a_header_without_oracle_is_refused refuses 'its header needs' check
plant durability 100 durable submitted
for name in 02-early 03-early; do cp "$tree/tests/planted/01-early.patch" "$tree/tests/planted/$name.patch"; done
share() { [ "$(tools/check-planted --tree "$tree" --share "$1" | sed -n 's/^ok \([^ ]*\).*/\1/p' | tr '\n' ' ')" = "$2" ]; }
claim a_share_is_every_nth share 0/2 '01-early 03-early '
claim the_next_share_is_the_others share 1/2 '02-early '
misuse() { tools/check-planted --tree "$tree" --share 2/2 >"$scratch/out" 2>&1 || [ $? -eq 2 ] && grep -q 'K below N' "$scratch/out"; }
claim a_share_beyond_the_last_is_refused misuse
rm -f "$tree"/tests/planted/*
claim no_patch_is_no_success refuses 'there is none' check
echo 'promise = submitted' >"$tree/core/engine.c"
plant durability 100 submitted 'submitted always'
claim a_tree_that_is_not_clean_itself_fails refuses 'not clean' check
exit $failed
