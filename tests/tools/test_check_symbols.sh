#!/bin/bash
# Red controls of tools/check-symbols.
. "$(dirname "$0")/../support/shell.sh"
objects=$1

# compile LAYER TEXT [FLAGS]: an object folder of one bad file.
compile() {
  rm -rf "$scratch/objects"
  mkdir -p "$scratch/objects/$1"
  printf '%s\n' "$2" >"$scratch/bad.c"
  gcc -std=c11 -D_GNU_SOURCE -w ${3:--O0} -c "$scratch/bad.c" -o "$scratch/objects/$1/bad.o" || echo "cannot compile"
}
red() { # NAME LAYER TEXT SAYS
  compile "$2" "$3"
  claim "$1" refuses "$4" tools/check-symbols "$scratch/objects" "$scratch/allow"
}
: >"$scratch/allow"

claim the_built_objects_call_nothing_banned tools/check-symbols "$objects"
red core_may_not_allocate core 'void *malloc(unsigned long); void *f(void) { return malloc(3); }' 'may not call malloc'
red core_may_not_tell_the_time core 'long time(long *); long f(void) { return time(0); }' 'may not call time'
red core_may_not_call_a_stranger core 'int stranger(void); int f(void) { return stranger(); }' 'may not call stranger'
red sim_may_not_draw_from_rand sim 'int rand(void); int f(void) { return rand(); }' 'calls rand'
red sim_may_not_allocate sim 'void *calloc(unsigned long, unsigned long); void *f(void) { return calloc(1, 3); }' 'calls calloc'
red cluster_may_not_read_the_environment cluster 'char *getenv(const char *); char *f(void) { return getenv("X"); }' 'calls getenv'
red cluster_may_not_sort_by_an_unstable_order cluster 'void qsort(void *, unsigned long, unsigned long, void *); void f(void *p) { qsort(p, 2, 1, 0); }' 'calls qsort'
red lua_may_not_open_every_library lua 'void luaL_openlibs(void *); void f(void) { luaL_openlibs(0); }' 'calls luaL_openlibs'
red lua_may_not_read_the_clock lua 'int clock_gettime(int, void *); void f(void *p) { clock_gettime(0, p); }' 'calls clock_gettime'
red lua_may_not_make_text_of_a_value lua 'void luaL_tolstring(void *, int, void *); void f(void *p) { luaL_tolstring(p, 1, 0); }' 'calls luaL_tolstring'
red lua_may_not_read_a_text_unasked lua 'void lua_tolstring(void *, int, void *); void f(void *p) { lua_tolstring(p, 1, 0); }' 'calls lua_tolstring'
red lua_may_not_write_an_address lua 'int printf(const char *, ...); void f(void *p) { printf("at %-10p\n", p); }' 'writes an address'
red core_may_not_compute_in_floating_point core 'double f(double a, double b) { return a * b; }' 'floating point'
red sim_may_not_convert_to_floating_point sim 'long f(long a) { volatile double b = (double)a; return b > 2.5; }' 'floating point'
red cluster_may_not_use_long_double cluster 'long double f(long double a) { return a + 1; }' 'floating point'

compile core '#include <string.h>
void f(char *a, const char *b, unsigned long n) { memcpy(a, b, n); memmove(a, b, n); memset(a, 0, n); }'
claim core_may_move_memory tools/check-symbols "$scratch/objects" "$scratch/allow"
compile sim 'void g(long *a, const long *b) { for (int i = 0; i < 64; i++) a[i] += b[i]; }' -O3
claim vectors_of_integers_are_no_floating_point tools/check-symbols "$scratch/objects" "$scratch/allow"
compile sim 'void *malloc(unsigned long); void *f(void) { return malloc(3); }'
echo 'sim/bad.c malloc # a reason' >"$scratch/allow"
claim an_exception_with_a_reason_is_allowed tools/check-symbols "$scratch/objects" "$scratch/allow"
echo '# sim/bad.c malloc' >"$scratch/allow"
claim a_comment_allows_nothing refuses 'calls malloc' tools/check-symbols "$scratch/objects" "$scratch/allow"
mkdir "$scratch/empty"
claim no_objects_is_no_success refuses 'no object' tools/check-symbols "$scratch/empty"
exit $failed
