#!/bin/bash
# sync.c and sync.h alone: they compile without a warning as C11 with no extensions, with gcc (the library is made
# of them), clang and musl; an example runs with nothing beside them; the engine in them does what the tree's does.
# usage: test_amalgamation.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
objects=${1:?usage: test_amalgamation.sh BUILD_FOLDER}
alone=$scratch/alone
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror)
strict=(-std=c11 -pedantic-errors -ffp-contract=off "${warnings[@]}")

claim dist_makes_it make -s dist
archive=build/dist/sync-$(tools/version).tar.gz
unpack() { mkdir "$alone" && tar -xf "$archive" -C "$alone" --strip-components=1; }
claim its_archive_unpacks unpack
claim the_archive_has_the_source_the_header_and_the_licence \
  diff <(printf '%s\n' LICENSE sync.c sync.h) <(find "$alone" -type f -printf '%P\n' | LC_ALL=C sort)
again() { # what differs between two machines: language, time, who may read
  (cd / && umask 077 && LC_ALL=C.UTF-8 TZ=Asia/Tokyo CC=clang "$OLDPWD/tools/amalgamate" "$scratch/again" &&
    LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$OLDPWD/tools/pack-dist" "$scratch/again") &&
    cmp "$alone/sync.c" "$scratch/again/sync.c" && cmp "$alone/sync.h" "$scratch/again/sync.h" &&
    cmp "$archive" "$scratch/again/${archive##*/}"
}
claim made_again_it_has_the_same_bytes again
mkdir "$scratch/blind" && printf '#!/bin/sh\nexit 1\n' | tee "$scratch"/blind/{cc,gcc,clang} >/dev/null && chmod +x "$scratch"/blind/*
without_xxhash() { PATH=$scratch/blind:$PATH CC=cc tools/amalgamate "$scratch/none"; }
claim without_the_hash_it_says_which_package_has_it refuses 'libxxhash-dev' without_xxhash
claim it_needs_no_header_but_its_own_and_the_systems eval \
  '! grep -nE "^#include \"" "$alone/sync.c" | grep -v "\"sync.h\"" && ! grep -nE "^ *# *include *<xxh" "$alone/sync.c"'

# --- Compilers --------------------------------------------------------------------

cd "$alone" || exit 1
sed 's|"core/sync.h"|"sync.h"|; /"posix\/posix_env.h"/d' "$OLDPWD/examples/two_processes.c" >two_processes.c
runs() { # PROGRAM
  rm -rf nodes && mkdir nodes && "./$1" nodes >ends && [ "$(awk '{ print $NF }' ends | uniq | wc -l)" -eq 1 ]
}
claim it_compiles_without_a_warning_clang clang "${strict[@]}" -c sync.c -o clang.o
claim it_compiles_without_a_warning_gcc gcc "${strict[@]}" -fsyntax-only sync.c
# A static one, of another C library: nothing of this machine's is beside it.
claim it_compiles_without_a_warning_musl musl-gcc "${strict[@]}" -c sync.c -o musl.o
claim an_example_builds_from_it_alone clang -std=c11 -D_GNU_SOURCE two_processes.c clang.o -o two_processes -pthread
claim the_example_runs runs two_processes
claim an_example_builds_with_musl musl-gcc -std=c11 -D_GNU_SOURCE -static two_processes.c musl.o -o two_processes_musl
claim the_example_runs_with_musl runs two_processes_musl

undefined() { nm -u "$1" | awk '{ print $NF }' | grep -vxE 'mem(cpy|move|set|cmp|chr)|strlen|strcmp|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'; }
claim the_engine_alone_compiles clang "${strict[@]}" -DSYNC_OMIT_POSIX -c sync.c -o engine.o
claim the_engine_alone_calls_memory_and_strings_only eval '! undefined engine.o'
claim with_posix_it_calls_more eval 'undefined clang.o >/dev/null'
shown() { nm -D --defined-only "$1" | wc -l; }
claim a_part_of_another_library_compiles clang -std=c11 -fPIC -shared -fvisibility=hidden -DSYNC_HIDDEN sync.c -o part.so
claim it_can_be_a_part_of_another_library_unseen [ "$(shown part.so)" -eq 0 ]
broken() { # SED: what the check above says of a source that was touched
  sed "$1" sync.c >broken.c && ! cmp -s sync.c broken.c && ! clang "${strict[@]}" -fsyntax-only broken.c
}
claim a_warning_would_be_seen broken '$a static int f(unsigned x) { return x; }'
claim an_extension_would_be_seen broken '$a typedef int empty[0];'

# --- What it does -----------------------------------------------------------------

# The world, linked with this engine in place of the tree's: runs are as tests/arches/engine.hashes says.
cd "$OLDPWD" || exit 1
link_hashes() { # SOURCE PROGRAM
  clang -std=c11 -pedantic-errors -I "$alone" -DSYNC_PRIVATE= -DSYNC_OMIT_POSIX -c "$1" -o "$scratch/engine.o" &&
    gcc "$objects/tests/arches/hashes.o" "$scratch/engine.o" "$objects/libworld.a" -llua5.4 -lm -lpthread -o "$2"
}
run_worlds() { # PROGRAM SCENARIOS...
  "$1" engine 1 "${@:2}" | grep -v '^#' >"$scratch/hashes" && [ "$(wc -l <"$scratch/hashes")" -ge $(($# - 1)) ]
}
as_blessed() { ! grep -vxFf "$1" "$scratch/hashes"; }
claim it_links_into_the_world link_hashes "$alone/sync.c" "$scratch/hashes_alone"
claim it_runs_every_scenario run_worlds "$scratch/hashes_alone" tests/arches/*.lua $(tools/list-scenarios)
claim its_runs_are_as_blessed as_blessed tests/arches/engine.hashes
sed '/ 1 /s/[0-9a-f]$/x/' tests/arches/engine.hashes >"$scratch/others"
claim another_run_would_be_seen eval '! as_blessed "$scratch/others"'
exit "$failed"
