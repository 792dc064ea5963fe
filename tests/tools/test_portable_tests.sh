#!/bin/bash
# A test of the layers that other processors have may use no more than is there,
# and the build of this machine says so: a small tree with this Makefile.
. "$(dirname "$0")/../support/shell.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL

mkdir -p "$scratch/tree/tests/support"
cp Makefile "$scratch/tree/"
make_tree() { make -C "$scratch/tree" --no-print-directory -s "$@"; }
refuses_to_build() { # TEXT FOLDER
  ! make_tree "build/gcc-O2/tests/$2/test_json" >"$scratch/out" 2>&1
  cat "$scratch/out"
  grep -qF -- "$1" "$scratch/out"
}
plant() { # FOLDER COMMENT: a test that needs a library
  rm -rf "$scratch/tree"/{tests,build}/*
  mkdir -p "$scratch/tree/tests/$1"
  printf '/* %s */\n#include <jansson.h>\nint main(void) { return json_loads("", 0, NULL) != NULL; }\n' "$2" \
    >"$scratch/tree/tests/$1/test_json.c"
}
portable() { make_tree print-portable-tests | grep -q test_json; }

for folder in core sim/trace cluster lua; do
  plant "$folder" 'needs a library'
  claim "a_library_that_is_not_everywhere_is_refused_in_${folder//\//_}" \
    refuses_to_build "or write the comment 'host only: WHY'" "$folder"
done
claim the_line_names_the_file refuses_to_build 'error: tests/lua/test_json.c runs on other processors too' lua
claim and_the_test_runs_elsewhere portable
plant sim 'host only: jansson'
claim a_test_that_says_why_has_every_library make_tree build/gcc-O2/tests/sim/test_json
claim and_is_not_run_elsewhere eval '! portable'
plant sim 'host only:'
claim a_mark_without_a_reason_is_none refuses_to_build 'host only: WHY' sim
plant reports 'needs a library'
claim tests_of_other_layers_have_every_library make_tree build/gcc-O2/tests/reports/test_json
exit $failed
