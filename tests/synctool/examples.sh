#!/bin/bash
# docs/synctool.md shows what synctool prints: every example is run again, in
# their order. usage: examples.sh BUILD_FOLDER [--write]
docs=$(realpath "$(dirname "$0")/../../docs/synctool.md")
write=${2:-}
set -- "$1"
. "$(dirname "$0")/../support/synctool.sh"
"$make_store" fill alice 5 && "$make_store" conflict one two || exit 1
cp -r alice broken && flip broken/wal-0000000000000000-00000001 250
cp -r alice dense && "$synctool" compact dense >/dev/null
"$synctool" export alice >alice.json
{ head -n 2 alice.json && echo '{"key":"a","value":7}'; } >bad.json
mkdir bin && ln -s "$synctool" bin/synctool && PATH=$PWD/bin:$PATH

# The document with what its commands print now.
anew() {
  local line inside=
  while IFS= read -r line; do
    case $line in
      '```console') inside=1 && printf '%s\n' "$line" ;;
      '```') inside='' && printf '%s\n' "$line" ;;
      '$ synctool '*) printf '%s\n' "$line" && if [ -n "$inside" ]; then bash -c "${line#??}" 2>&1 </dev/null; fi ;;
      *) [ -n "$inside" ] || printf '%s\n' "$line" ;;
    esac
  done <"$docs"
}
# What is another one each time: incarnations, ids, times, positions.
timeless() {
  sed -E 's/[0-9a-f]{16}/ID/g; s/20[0-9-]{8}T[0-9:.]{18}Z/TIME/g; s/^ *[0-9]+ +[0-9]+  /N N /; s/\b[0-9]{3,}\b/N/g; s/ +/ /g'
}
anew >now.md
if [ "$write" = --write ]; then cp now.md "$docs"; fi
claim the_document_shows_what_is_printed diff <(timeless <"$docs") <(timeless <now.md)
# Each command has an example.
for command in info log verify snapshot outbox get siblings keys compact backup export import repair; do
  claim "${command}_has_an_example" grep -q "^\$ synctool $command " "$docs"
  claim "help_lists_$command" says 0 "  $command" help
done
exit "$failed"
