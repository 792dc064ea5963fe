# Reads a log of `strace -f -y -s 65536` of examples/two_processes and says
# whether, for every record, the file with the record was fdatasynced between
# the record's write and the first frame that carries it, and the directory
# fsynced between the file's creation or rename and that frame. Also, that no
# created or renamed log file of a node goes without a directory fsync before
# the node's next frame with a record. Prints `records N` and a line for each
# violation; exits 1 when there is one or when N is 0.
#
# Files are followed by path (strace -y), so threads and processes do not matter.

function violation(text) {
  print "violation: " text
  violations++
}

# The path that strace -y shows for the first descriptor: call(3</a/b>, ...
function path_of(text,    from) {
  from = index(text, "<")
  if (from == 0) return ""
  text = substr(text, from + 1)
  return substr(text, 1, index(text, ">") - 1)
}

function directory_of(path) {
  sub(/\/[^\/]*$/, "", path)
  return path
}

# Text between the n-th pair of double quotes (the paths of *at calls).
function quoted(text, n,    i, at) {
  for (i = 1; i < 2 * n; i++) {
    at = index(text, "\"")
    if (at == 0) return ""
    text = substr(text, at + 1)
  }
  at = index(text, "\"")
  return substr(text, 1, at - 1)
}

function absolute(directory, name) {
  return substr(name, 1, 1) == "/" ? name : directory "/" name
}

# A whole call: its text, the line where it began and the line where it ended.
function call(text, began, ended,    path, to, failed, rest, mark, from_path) {
  failed = text ~ /\) += -1 /
  if (text ~ /^openat\(/ && text ~ /O_CREAT/ && !failed) {
    path = absolute(path_of(text), quoted(text, 1))
    if (path !~ /\/lock$/ && !(path in exists)) {
      named_at[path] = ended
      delete name_durable_at[path]
    }
    exists[path] = 1
  } else if (text ~ /^renameat2?\(/ && !failed) {
    from_path = absolute(path_of(text), quoted(text, 1))
    to = absolute(path_of(text), quoted(text, 2))
    named_at[to] = ended
    exists[to] = 1
    delete exists[from_path]
    delete named_at[from_path]
    delete name_durable_at[from_path]
    delete name_durable_at[to]
    # What was written and synced under the old name is so under the new one.
    for (mark in written_in) if (written_in[mark] == from_path) written_in[mark] = to
  } else if (text ~ /^unlinkat\(/ && !failed) {
    path = absolute(path_of(text), quoted(text, 1))
    delete exists[path]
    delete named_at[path]
    delete name_durable_at[path]
  } else if (text ~ /^pwrite64\(/ && !failed) {
    path = path_of(text)
    rest = text
    while (match(rest, /<record [0-9]+ of [a-z]+>/)) {
      mark = substr(rest, RSTART, RLENGTH)
      rest = substr(rest, RSTART + RLENGTH)
      # The author's own write is the first; a rewrite (a new segment) counts
      # from then on.
      if (!(mark in sent)) {
        if (!(mark in author)) author[mark] = directory_of(path)
        if (author[mark] == directory_of(path)) {
          written_in[mark] = path
          written_at[mark] = ended
          delete durable_at[mark]
        }
      }
    }
  } else if (text ~ /^(fdatasync|fsync)\(/ && !failed) {
    # Calls overlap: what counts is the first fsync that began after the write
    # (the naming) and when it ended, not the last one that is known by now.
    path = path_of(text)
    for (mark in written_in)
      if (written_in[mark] == path && began > written_at[mark] && !(mark in durable_at)) durable_at[mark] = ended
    for (to in named_at)
      if (directory_of(to) == path && began > named_at[to] && !(to in name_durable_at)) name_durable_at[to] = ended
  } else if (text ~ /^(sendto|sendmsg|write|writev)\(/) {
    rest = text
    while (match(rest, /<record [0-9]+ of [a-z]+>/)) {
      mark = substr(rest, RSTART, RLENGTH)
      rest = substr(rest, RSTART + RLENGTH)
      if (!(mark in sent)) judge(mark, began)
      sent[mark] = 1
    }
  }
}

function judge(mark, now,    file, directory, path) {
  records++
  if (!(mark in written_in)) {
    violation(mark " was sent at line " now " and never written before")
    return
  }
  file = written_in[mark]
  if (!(mark in durable_at && durable_at[mark] < now))
    violation(mark " was sent at line " now ", written to " file " at line " written_at[mark] \
      ", with no fdatasync of it in between")
  directory = directory_of(file)
  for (path in named_at)
    if (directory_of(path) == directory && path in exists &&
        !(path in name_durable_at && name_durable_at[path] < now))
      violation(mark " was sent at line " now ", " path " got its name at line " named_at[path] \
        ", with no fsync of the directory in between")
}

{
  process = $1
  text = $0
  sub(/^[0-9]+ +/, "", text)
  if (text ~ /<unfinished \.\.\.>$/) {
    sub(/ *<unfinished \.\.\.>$/, "", text)
    pending[process] = text
    pending_at[process] = NR
  } else if (text ~ /^<\.\.\. [a-z0-9_]+ resumed>/) {
    sub(/^<\.\.\. [a-z0-9_]+ resumed>/, "", text)
    call(pending[process] text, pending_at[process], NR)
    delete pending[process]
  } else {
    call(text, NR, NR)
  }
}

END {
  print "records " records + 0
  exit violations > 0 || records == 0 ? 1 : 0
}
