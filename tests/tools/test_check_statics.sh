#!/bin/bash
# Red controls of tools/check-statics.
. "$(dirname "$0")/../support/shell.sh"
objects=$1

compile() { # COMPILER LAYER TEXT
  rm -rf "$scratch/objects"
  mkdir -p "$scratch/objects/$2"
  printf '%s\n' "$3" >"$scratch/bad.c"
  "$1" -std=c11 -O2 -w -c "$scratch/bad.c" -o "$scratch/objects/$2/bad.o" || echo "cannot compile"
}
red() { # NAME LAYER TEXT
  for compiler in gcc clang; do
    compile "$compiler" "$2" "$3"
    claim "$1_$compiler" refuses 'mutable state' tools/check-statics "$scratch/objects"
  done
}

claim the_built_objects_hold_no_state tools/check-statics "$objects"
red a_zeroed_static_is_seen core 'static int count; int f(void) { return ++count; }'
red an_initialised_static_is_seen sim 'static int count = 7; int f(void) { return ++count; }'
red a_global_is_seen cluster 'int count = 3;'
red a_common_symbol_is_seen lua 'int count __attribute__((common));'
red a_thread_local_is_seen sim 'static _Thread_local int count; int f(void) { return ++count; }'
red a_static_in_a_function_is_seen core 'int f(void) { static long calls; return (int)++calls; }'
red a_mutable_table_of_addresses_is_seen core 'int f(void); int (*table[])(void) = { f };'
for compiler in gcc clang; do
  compile "$compiler" core 'int f(void); static int (*const table[])(void) = { f }; int g(int i) { return table[i](); }
static const char *const names[] = { "a", "b" }; const char *name(int i) { return names[i]; }'
  claim "constant_tables_are_no_state_$compiler" tools/check-statics "$scratch/objects"
done
mkdir "$scratch/empty"
claim no_objects_is_no_success refuses 'no object' tools/check-statics "$scratch/empty"
exit $failed
