#!/bin/bash
# `make install` into an empty root, and a project outside of this tree (outside/) that knows of the library
# what pkg-config says: it builds in C and C++, two directories sync, a process is killed, both end equal.
# usage: test_install.sh BUILD_FOLDER
. "$(dirname "$0")/../support/shell.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL PREFIX BINDIR LIBDIR INCLUDEDIR MANDIR DESTDIR PKG_CONFIG_PATH
root=$scratch/root
mkdir "$root"
version=$(tools/version)
soname=libsync.so.$(tools/version --soname)

claim it_installs_into_an_empty_root make -s install DESTDIR="$root" PREFIX=/usr
tools/man-pages --out "$scratch/man" || exit 1
there() { # FOLDER: all that is in it but folders
  (cd "$1" && find . ! -type d | LC_ALL=C sort | sed 's|^\./||')
}
wanted="usr/include/sync/sync.h
usr/lib/libsync.a
usr/lib/libsync.so
usr/lib/$soname
usr/lib/libsync.so.$version
usr/lib/pkgconfig/libsync.pc
$(cd "$scratch/man" && printf 'usr/share/man/%s\n' man3/*)"
claim what_is_there_is_what_the_docs_list diff <(LC_ALL=C sort <<<"$wanted") <(there "$root")
claim the_library_asks_for_its_name_with_the_minor eval 'readelf -d "$root/usr/lib/libsync.so" | grep -qF "[$soname]"'
claim its_links_lead_to_it cmp "$root/usr/lib/libsync.so" "$root/usr/lib/libsync.so.$version"
claim no_text_names_the_root_that_stands_for_it eval '! grep -rqF -- "$root" "$root/usr/include" "$root/usr/lib/pkgconfig"'

claim every_page_is_there [ "$(ls "$root/usr/share/man/man3" | wc -l)" -gt 60 ]
page_says() { # PAGE TEXT
  man -P cat "$root/usr/share/man/$1" >"$scratch/page" 2>/dev/null || mandoc -T ascii "$root/usr/share/man/$1" >"$scratch/page"
  sed 's/.\x08//g' "$scratch/page" | grep -F -- "$2"
}
claim a_function_has_its_page page_says man3/sync_put.3 'submits one operation that puts one key'
claim a_link_between_pages_leads_to_one page_says man3/sync_options.3 'node_id'
claim no_page_leads_nowhere [ -z "$(find "$root/usr/share/man" -xtype l)" ]

# --- synctool -----------------------------------------------------------------------

claim the_tools_are_installed_apart make -s install-tools DESTDIR="$root" PREFIX=/usr
claim synctool_runs_from_there grep -qx "synctool $version" <("$root/usr/bin/synctool" --version)
claim it_has_its_page page_says man1/synctool.1 'look into the directory of a node'
page_has_all() { # each command that help lists has its usage and a section
  local command commands
  commands=$("$root/usr/bin/synctool" help | sed -nE 's/^  ([a-z]+) +[^ ].*/\1/p')
  [ "$(wc -w <<<"$commands")" -gt 10 ] || return 1
  for command in $commands; do
    grep -qx ".SS $command" "$root/usr/share/man/man1/synctool.1" || { echo "no section: $command"; return 1; }
    grep -q "^.fBsynctool $command" "$root/usr/share/man/man1/synctool.1" || { echo "no usage: $command"; return 1; }
  done
}
claim its_page_has_every_command page_has_all
claim mandoc_finds_no_fault_in_it [ -z "$(mandoc -T lint -W warning "$root/usr/share/man/man1/synctool.1" | grep -v 'missing date')" ]
claim what_is_no_synctool_is_not_installed eval '! DESTDIR=$scratch/none tools/install --tools /bin/false && [ ! -e "$scratch/none" ]'

# --- A project that stands outside ------------------------------------------------

export PKG_CONFIG_LIBDIR=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=$root/usr/lib
project=$scratch/project
cp -R tests/packaging/outside "$project"
# The one thing that is not as in the tree: all that is public is one header.
sed 's|"core/sync.h"|<sync.h>|; /"posix\/posix_env.h"/d' examples/two_processes.c >"$project/two_processes.c"
claim pkg_config_knows_the_version [ "$(pkg-config --modversion libsync)" = "$version" ]
claim a_project_outside_builds_in_c_and_cpp make -s -C "$project" CC=gcc
claim it_asks_for_the_library_by_its_name eval 'readelf -d "$project/meet" | grep -qF "[$soname]"'
claim the_static_one_asks_for_none eval '! readelf -d "$project/two_processes_static" | grep -q NEEDED'

equal() { # FILE: two lines, one of each node, with one state
  cat "$1"
  [ "$(wc -l <"$1")" -eq 2 ] && [ "$(awk '{ print $NF }' "$1" | uniq | wc -l)" -eq 1 ]
}
sync_with() { # PROGRAM ARGUMENTS...
  timeout 60 "$project/$1" "${@:2}" >"$scratch/ends" && equal "$scratch/ends"
}
mkdir "$scratch/calm"
claim two_directories_sync sync_with two_processes "$scratch/calm"
claim the_static_one_goes_on_with_them sync_with two_processes_static "$scratch/calm"

# Of the two processes one is killed; the other sees its socket end. The pipe ends with both of them.
mkfifo "$scratch/pipe"
killed=0
kill_one() { # MILLISECONDS
  "$project/two_processes" "$scratch/killed" >"$scratch/pipe" 2>&1 &
  local victim=$!
  {
    while kill -0 "$victim" && [ ! -e "$scratch/killed/a/lock" ]; do sleep 0.005; done # it has begun
    sleep "0.$(printf '%03d' "$1")"
    kill -KILL "$victim"
  } 2>/dev/null &
  cat "$scratch/pipe" >/dev/null
  wait "$victim" 2>/dev/null
  [ $? -ne 137 ] || killed=$((killed + 1))
  wait
}
mkdir "$scratch/killed"
for round in 1 2 3 4; do kill_one $((round * 9)); done 2>/dev/null
claim a_process_was_killed_at_work [ "$killed" -gt 0 ]
claim they_end_equal sync_with meet "$scratch/killed" 0
claim what_was_cut_short_is_made_good sync_with two_processes "$scratch/killed"
claim what_is_written_in_cpp_syncs sync_with meet "$scratch/killed" 10
claim what_was_not_carried_is_seen_as_unequal status_is 1 "$project/meet" "$scratch/killed" alone

# --- The header -------------------------------------------------------------------

printf '#include <sync.h>\nint main() { return sync_status_name(SYNC_OK) == nullptr; }\n' >"$scratch/header.cpp"
printf '#include <sync.h>\nint main(void) { return !sync_status_name(SYNC_OK); }\n' >"$scratch/header.c"
read -ra flags < <(pkg-config --cflags libsync)
warnings=(-Wall -Wextra -Wpedantic -pedantic-errors -Wconversion -Wshadow -Wold-style-cast -Wzero-as-null-pointer-constant -Wundef -Werror)
for compiler in g++ clang++; do
  for standard in c++11 c++20; do
    claim "the_header_is_clean_in_${standard//+/p}_$compiler" \
      "$compiler" "-std=$standard" "${warnings[@]}" "${flags[@]}" -fsyntax-only "$scratch/header.cpp"
  done
done
claim the_header_is_clean_in_c_without_extensions gcc -std=c11 -Wall -Wextra -pedantic-errors -Wconversion -Wshadow \
  -Wstrict-prototypes -Wundef -Werror "${flags[@]}" -fsyntax-only "$scratch/header.c"
printf 'int twice(int a) {\n{ int a = 1; return a; }\n}\n' >>"$scratch/header.cpp"
claim and_leaves_warnings_of_a_program_on eval '! g++ -Wshadow -Werror "${flags[@]}" -fsyntax-only "$scratch/header.cpp"'

# --- Away again -------------------------------------------------------------------

printf 'ours no more\n' | tee "$root/usr/include/sync/foreign.h" >"$root/usr/lib/libsyncopate.so"
claim uninstall_ends_well make -s uninstall DESTDIR="$root" PREFIX=/usr
claim it_takes_all_that_install_put_and_no_more diff <(printf 'usr/include/sync/foreign.h\nusr/lib/libsyncopate.so\n') <(there "$root")
claim uninstalling_nothing_is_no_error make -s uninstall DESTDIR="$root" PREFIX=/usr

odd="$scratch/it's a root"
claim any_folder_can_be_the_root make -s install DESTDIR="$odd" LIBDIR=/usr/local/lib/machine
claim folders_of_its_own_for_libraries [ -f "$odd/usr/local/lib/machine/pkgconfig/libsync.pc" ]
claim pages_of_its_own_place make -s install DESTDIR="$odd" LIBDIR=/usr/local/lib/machine MANDIR=/usr/local/man
claim pages_are_where_they_were_wanted [ -f "$odd/usr/local/man/man3/libsync.3" ]
claim those_are_taken_away_again make -s uninstall DESTDIR="$odd" LIBDIR=/usr/local/lib/machine MANDIR=/usr/local/man
claim the_same_root_is_emptied make -s uninstall DESTDIR="$odd" LIBDIR=/usr/local/lib/machine
claim nothing_is_left_of_it [ -z "$(there "$odd")" ]
claim not_even_the_folder_of_the_header [ ! -e "$odd/usr/local/include/sync" ]

says() { # TEXT COMMAND...: status 2 (make's), one line that says TEXT
  local text=$1 status=0
  shift
  "$@" >"$scratch/says" 2>&1 || status=$?
  cat "$scratch/says"
  [ "$status" -eq 2 ] && grep -qF -- "$text" "$scratch/says"
}
claim a_prefix_that_is_no_path_is_refused says 'PREFIX must be an absolute path' make -s install DESTDIR="$odd" PREFIX=usr
claim a_prefix_with_a_blank_is_refused says 'PREFIX must be an absolute path' make -s install DESTDIR="$odd" PREFIX='/my lib'
claim a_bad_folder_of_pages_is_refused_by_name says 'MANDIR must be' make -s install DESTDIR="$odd" MANDIR='man pages'
claim a_bad_libdir_is_refused_by_name says 'LIBDIR must be' make -s install DESTDIR="$odd" LIBDIR=lib
claim refused_is_before_anything_is_written [ -z "$(there "$odd")" ]
claim a_root_that_cannot_be_is_named says "cannot write /dev/null/none/usr/local/include/sync/sync.h" \
  make -s install DESTDIR=/dev/null/none
exit "$failed"
