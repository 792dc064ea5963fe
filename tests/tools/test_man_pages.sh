#!/bin/bash
# The reference is whole and true: each public function has a page, an example that runs, a line in
# docs/reference.md; and tools/man-pages sees it when one lacks.
. "$(dirname "$0")/../support/shell.sh"

tree() { # a fresh copy of what is read
  rm -rf "$scratch/tree"
  mkdir -p "$scratch/tree/"{core,posix,tests/api_examples}
  cp core/sync.h core/env.h "$scratch/tree/core/"
  cp posix/posix_env.h "$scratch/tree/posix/"
  cp tests/api_examples/*.c "$scratch/tree/tests/api_examples/"
}
pages() { tools/man-pages --out "$scratch/$1" "$scratch/tree"; }
red() { # NAME SAYS: of the tree as it is now
  claim "$1" refuses "$2" pages red
}
# change FILE SED: must change something, or the control is none.
change() {
  sed -i "$2" "$scratch/tree/$1"
  ! cmp -s "$1" "$scratch/tree/$1" || echo "not ok the_change_of_$1_changes_something: $2"
}
line_of() { grep -n "$2" "$scratch/tree/$1" | head -n 1 | cut -d: -f1; }
public() { # names of functions that the compiler sees in a header, found without the tool
  printf '#include "%s"\n' core/sync.h posix/posix_env.h | gcc -std=c11 -I. -fsyntax-only -aux-info "$scratch/aux" -x c - &&
    sed -nE 's#^/\* (\./)?(core/sync|posix/posix_env)\.h:.*\*/ extern [^(]*[ *](sync_[a-z_0-9]+) \(.*#\3#p' "$scratch/aux" | sort
}

claim the_pages_are_made tools/man-pages --out "$scratch/man" .
public >"$scratch/public"
claim the_compiler_sees_functions [ "$(wc -l <"$scratch/public")" -gt 50 ]
each_has_a_page() {
  local name status=0
  while read -r name; do
    { grep -q '^\.SH ERRORS$' "$scratch/man/man3/$name.3" && grep -q '^\.SH EXAMPLES$' "$scratch/man/man3/$name.3"; } ||
      { echo "$name has no page of a function, with errors and an example"; status=1; }
  done <"$scratch/public"
  return $status
}
claim each_function_that_the_compiler_sees_has_a_page each_has_a_page
lint() {
  local out
  # Outside of git the pages have no date.
  out=$(mandoc -T lint -W warning "$scratch/man/man3/"*.3 2>&1 | grep -v "missing date")
  [ -z "$out" ] || { head -n 20 <<<"$out"; return 1; }
}
claim mandoc_finds_no_fault_in_the_pages lint
shown() { mandoc -T ascii "$scratch/man/man3/$1.3" | sed 's/.\x08//g' | tr -s ' \n' ' '; }
says() { shown "$1" | grep -qF -- "$2" || { shown "$1"; return 1; }; }
claim an_error_says_what_it_means_here says sync_conflict 'SYNC_E_NOT_FOUND No such key, file or entry. Here: it is in none.'
claim errors_of_another_function_are_named says sync_put 'ERRORS Those of sync_write(3)'
claim members_have_their_comments says sync_options 'uint32_t peers_max 64 '
claim an_example_is_shown_as_it_is says sync_conflict 'printf("%" PRIu64 " writes that did not see each other\n"'
claim the_installed_name_is_included says sync_put '#include <sync.h>'

same_tables() { # FILE
  sed -n '/^<!-- what follows/,/^<!-- to here/p' "$1" | sed '1d;$d' | diff - <(tools/man-pages --reference) ||
    { echo "$1 is not what the headers say: put there what tools/man-pages --reference prints"; return 1; }
}
claim reference_md_is_what_the_headers_say same_tables docs/reference.md
sed '/^| `sync_put` | Submits/d' docs/reference.md >"$scratch/reference.md"
claim a_line_that_goes_from_reference_md_is_missed refuses 'is not what the headers say' same_tables "$scratch/reference.md"
each_has_a_contract() { # FILE
  sed -n '/^## What each call leaves/,/^## Threads/p' "$1" | grep '^|' | cut -d'|' -f2 | grep -o 'sync_[a-z_0-9]*' | sort >"$scratch/contract"
  diff "$scratch/public" "$scratch/contract" || { echo "each public function stands once in the first column of what each call leaves"; return 1; }
}
claim each_function_has_its_line_in_what_each_call_leaves each_has_a_contract docs/reference.md
sed '/^| `sync_commit` | the same/d' docs/reference.md >"$scratch/reference.md"
claim a_function_without_such_a_line_is_missed refuses '< sync_commit' each_has_a_contract "$scratch/reference.md"

tree && pages one && pages two
claim the_same_tree_gives_the_same_pages diff -r "$scratch/one" "$scratch/two"
change core/sync.h 's/^\(SYNC_MUST_USE int\|void\|bool\|uint64_t\|size_t\|int\|const char\) /SYNC_API &/'
change core/sync.h 's/^struct sync_policy sync_policy_of/__VISIBLE(1) &/; s/__VISIBLE/SYNC_VISIBLE/'
change core/sync.h 's/^#define SYNC_NODE_ID/#define SYNC_API __attribute__((visibility("default")))\n&/'
change core/sync.h 's/^struct sync_engine;/#ifdef __cplusplus\nextern "C" {\n#endif\n&/; s/^#endif$/&/'
pages api
claim a_macro_before_a_declaration_changes_nothing diff -r "$scratch/one" "$scratch/api"

tree && change core/sync.h 's/^void sync_close(.*/&\n\nvoid sync_nothing(void);/'
red a_function_without_a_comment_is_seen "core/sync.h:$(line_of core/sync.h 'sync_nothing'): sync_nothing has no comment"
tree && change core/sync.h 's|^\(SYNC_MUST_USE int\) sync_snapshot.*|&\n\n/* Does something. */\n\1 sync_nothing(void);|'
red a_function_that_can_fail_names_its_errors "core/sync.h:$(line_of core/sync.h 'sync_nothing'): sync_nothing gives an int, and its comment names no error"
tree && change core/sync.h 's/\(is in none\. \*\/\)/SYNC_E_NO_SUCH: never. \1/'
red an_error_that_is_none_is_seen 'there is no SYNC_E_NO_SUCH'
tree && change core/sync.h 's/Errors: as sync_write\./Errors: as sync_scribble./'
red errors_as_of_a_function_that_is_none_are_seen 'as those of sync_scribble, which is no function'
tree && change core/sync.h 's|^void sync_close(|/* Does something. */\nvoid sync_nothing(void);\n\n&|'
red a_function_without_an_example_is_seen "core/sync.h:$(line_of core/sync.h 'sync_nothing'): sync_nothing has no example"
tree && change tests/api_examples/test_time.c 's|/\* example: sync_tick \*/|/* no example */|'
red an_example_that_goes_is_missed 'sync_tick has no example'
tree && change tests/api_examples/test_time.c 's|example: sync_tick |example: sync_tick sync_tock |'
red an_example_of_no_function_is_seen "tests/api_examples/test_time.c:$(line_of tests/api_examples/test_time.c sync_tock): no public function is called sync_tock"
tree && change tests/api_examples/test_time.c 's|= sync_tick(|= sync_next_deadline(|'
red an_example_that_does_not_call_is_seen 'the example of sync_tick does not call it'
tree && change tests/api_examples/test_time.c 's|/\* end \*/||'
red an_example_without_an_end_is_seen 'the example has no end'
tree && change core/sync.h '/^SYNC_MUST_USE int sync_tick/d'
red a_function_that_goes_leaves_no_example_behind 'no public function is called sync_tick'
exit $failed
