#!/bin/bash
# tools/check-abi, with red controls. usage: test_abi.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
library=${1:?usage: test_abi.sh BUILD_FOLDER}/library
header=build/dist/sync.h
record=$scratch/record
check() { tools/check-abi --record "$record" "$scratch/sync.h" "$scratch/library"; }
write() { tools/check-abi --write --record "$record" "$scratch/sync.h" "$scratch/library"; }
fresh() {
  rm -rf "$scratch/library" && mkdir "$scratch/library" && ln -s "$PWD/$library"/libsync.{a,so} "$scratch/library/" &&
    cp "$header" "$scratch/sync.h" && cp tests/packaging/libsync.abi "$record"
}
red() { # NAME SAYS SED: a header that was touched
  fresh && sed -i "$3" "$scratch/sync.h"
  claim "$1" refuses "$2" check
}
# The object of the library, changed, and linked again.
relink() { # OBJCOPY OPTIONS...
  fresh && rm "$scratch/library"/* && objcopy "$@" "$library/sync.o" "$scratch/library/sync.o" &&
    ar rcs "$scratch/library/libsync.a" "$scratch/library/sync.o" &&
    gcc -shared -Wl,-soname,"libsync.so.${soname:-$(tools/version --soname)}" "$scratch/library/sync.o" -o "$scratch/library/libsync.so"
}

claim the_library_is_as_recorded make -s check-abi
fresh
claim a_copy_of_it_is_too check
red a_member_that_moved_is_seen 'layout 64 struct sync_receipt at 8: struct sync_dot dot' \
  '/^struct sync_receipt {/a uint64_t before;'
red a_member_of_another_type_is_seen 'layout 32 struct sync_receipt at 20: uint32_t position' \
  '/^struct sync_receipt {/,/^}/s/uint64_t position/uint32_t position/'
red a_member_at_the_end_is_seen 'sync_tick_report is sizeof=16' 's/^  uint32_t batched;.*/& uint32_t more;/'
red a_constant_that_changed_is_seen 'constant SYNC_E_STALE -24' 's/SYNC_E_STALE = -19/SYNC_E_STALE = -24/'
red a_limit_that_changed_is_seen '> constant SYNC_KEY_BYTES_MAX 2048u' 's/\(SYNC_KEY_BYTES_MAX\) 1024u/\1 2048u/'
red an_argument_that_changed_is_seen '> function int sync_snapshot(struct sync_engine *engine, int how);' \
  's/sync_snapshot(struct sync_engine \*engine)/sync_snapshot(struct sync_engine *engine, int how)/'
red what_is_declared_and_not_there_is_seen 'sync_new: declared in the header, and the library does not show it' \
  's/^void sync_close(/void sync_new(void);\n&/'
red what_left_the_header_is_seen 'sync_close: shown, and no function of the header' '/^void sync_close(/d'
red a_header_that_does_not_compile_is_told 'clang does not read' 's/^struct sync_dot {/struct sync_dot {{/'

relink --localize-symbol=sync_snapshot
claim what_is_hidden_is_seen refuses 'sync_snapshot: declared in the header, and the library does not show it' check
inside=$(nm "$library/sync.o" | awk '$2 == "t" && $3 ~ /^wal_[a-z]+$/ { print $3; exit }')
claim there_is_an_inside [ -n "$inside" ]
relink --globalize-symbol="$inside"
claim the_inside_that_shows_is_seen refuses "$inside: shown, and no function of the header" check
soname=9.9 relink
claim another_version_wants_another_record refuses 'the library of 9.9' check
claim it_is_written write
claim and_is_as_recorded_then check

# What was released only grows.
fresh && sed -i '1s/unreleased/released/' "$record"
claim a_released_one_is_as_recorded check
sed -i 's/SYNC_E_STALE = -19/SYNC_E_STALE = -24/' "$scratch/sync.h"
claim what_was_released_is_not_taken_back refuses 'raise SYNC_VERSION_MINOR' write
claim the_record_is_as_it_was eval 'grep -qxF "constant SYNC_E_STALE -19" "$record"'
cp "$header" "$scratch/sync.h" && sed -i 's/SYNC_E_MERGE = -23,/&\n  SYNC_E_NEWER = -24,/' "$scratch/sync.h"
claim more_than_was_released_is_seen refuses '> constant SYNC_E_NEWER -24' check
claim more_may_be_written_down write
claim and_stays_released grep -qxE 'abi [0-9.]+ released' "$record"
soname=9.9 relink && sed -i '1s/unreleased/released/' "$record" && sed -i 's/SYNC_E_STALE = -19/SYNC_E_STALE = -24/' "$scratch/sync.h"
claim under_another_name_all_may_change write
claim which_is_not_released_yet grep -qx 'abi 9.9 unreleased' "$record"

# Debian's packages are named after what programs ask for.
claim the_debian_packages_are_of_this_version tools/make-deb --check
mkdir -p "$scratch/tree/core" && cp -R tools debian "$scratch/tree/"
version() { # PART: raised by one
  awk -v part="SYNC_VERSION_$1" '$2 == part { $3++ } { print }' core/sync.h >"$scratch/tree/core/sync.h"
}
version PATCH
claim another_patch_wants_a_line_in_its_changelog refuses 'debian/changelog begins with' "$scratch/tree/tools/make-deb" --check
version MINOR
sed -i "1s/(.*)/($("$scratch/tree/tools/version")-1)/" "$scratch/tree/debian/changelog"
claim another_minor_wants_a_package_of_its_own refuses 'its package must be libsync' "$scratch/tree/tools/make-deb" --check

fresh && rm "$scratch/library/libsync.so"
claim no_library_is_no_success refuses 'is no shared library' check
fresh && : >"$record"
claim no_record_is_no_success refuses 'is no record' check
fresh && : >"$scratch/sync.h"
claim no_header_is_no_success refuses 'declares no function' check
exit "$failed"
