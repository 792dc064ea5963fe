/* Notes on several machines, in a terminal. What is said to be saved survives whatever happens to this machine, and
 * comes to the others when they can be reached. README.md says how it is used.
 *
 *   syncnote DIR --name NAME [--cluster NAME] [--repair] COMMAND ...
 *   syncnote DIR --name NAME [--listen ADDR:PORT] [--peer NAME[=HOST:PORT]]... serve
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/syncnote/command.h"
#include "examples/syncnote/notes.h"
#include "examples/syncnote/neighbours.h"
#include "examples/syncnote/serve.h"
#include "examples/syncnote/store.h"

#define SETTLE_LIMIT_MS 30000

struct arguments {
  const char *directory;
  struct serve_options serve;
  bool repair;
  size_t count; /* words of the command */
  char **words;
};

static int usage(FILE *to) {
  fprintf(
      to,
      "usage: syncnote DIR --name NAME [--cluster NAME] [--repair] COMMAND\n"
      "       syncnote DIR --name NAME [--cluster NAME] [--listen ADDRESS:PORT] [--peer NAME[=HOST:PORT]]... serve\n"
      "%s"
      "TEXT that is not there is read from standard input, or from $EDITOR at a terminal. `serve` takes the same\n"
      "commands, one a line, and there TEXT goes up to a line with a single dot.\n",
      command_help);
  return to == stdout ? 0 : 2;
}

static bool complain(const char *what, const char *which) {
  fprintf(stderr, "syncnote: %s: %s\n", which, what);
  return false;
}

/* Options come before the command; `peers` has room for all of them. */
static bool arguments_parse(struct arguments *arguments, int argc, char **argv, char **peers) {
  arguments->directory = argv[1];
  arguments->serve.cluster = "notes";
  arguments->serve.peers = peers;
  int at = 2;
  while (at < argc && strncmp(argv[at], "--", 2) == 0) {
    const char *option = argv[at++], **to = NULL;
    if (strcmp(option, "--repair") == 0) {
      arguments->repair = true;
      continue;
    }
    const char *peer = NULL;
    if (strcmp(option, "--name") == 0) to = &arguments->serve.name;
    if (strcmp(option, "--cluster") == 0) to = &arguments->serve.cluster;
    if (strcmp(option, "--listen") == 0) to = &arguments->serve.listen;
    if (strcmp(option, "--peer") == 0) to = &peer;
    if (!to) return complain("no such option", option);
    if (at == argc) return complain("needs a value", option);
    *to = argv[at++];
    if (peer) peers[arguments->serve.peer_count++] = argv[at - 1];
  }
  arguments->count = (size_t)(argc - at);
  arguments->words = argv + at;
  if (!arguments->serve.name) return complain("which machine is this? each has a name of its own", "--name");
  if (!neighbours_is_name(arguments->serve.name, SYNC_NODE_ID_BYTES_MAX))
    return complain("a name is 1 to 63 of A-Z a-z 0-9 . _ -", arguments->serve.name);
  if (!neighbours_is_name(arguments->serve.cluster, SYNC_CLUSTER_ID_BYTES))
    return complain("a cluster is 1 to 16 of A-Z a-z 0-9 . _ -", arguments->serve.cluster);
  bool is_serve = arguments->count == 1 && strcmp(arguments->words[0], "serve") == 0;
  if (!is_serve && (arguments->serve.listen || arguments->serve.peer_count > 0))
    return complain("they are for `serve`", "--listen and --peer");
  return true;
}

static bool read_text(struct command *command, FILE *from) {
  char part[4096];
  size_t got;
  while ((got = fread(part, 1, sizeof part, from)) > 0)
    if (!command_add_text(command, part, got)) return false;
  return ferror(from) ? complain(strerror(errno), command->title) : true;
}

static bool run_editor(const char *editor, const char *path) {
  char line[1024];
  if (snprintf(line, sizeof line, "%s \"$1\"", editor) >= (int)sizeof line) return false;
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", line, "sh", path, (char *)NULL);
    _exit(127);
  }
  int status = 1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The text, as the editor leaves it. The file stays when something goes wrong: there may be work in it. */
static bool edit_text(struct store *store, struct command *command, const char *editor, char path[256]) {
  const char *folder = getenv("TMPDIR"), *text = "";
  size_t size = 0;
  snprintf(path, 256, "%s/syncnote-XXXXXX", folder && strlen(folder) < 200 ? folder : "/tmp");
  (void)notes_text(store, command->title, &text, &size);
  int fd = mkstemp(path);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
  if (!file) return complain(strerror(errno), path);
  bool written = fwrite(text, 1, size, file) == size;
  if (fclose(file) != 0 || !written) return complain("cannot be written", path);
  if (!run_editor(editor, path)) return complain("the editor failed on it; no note is changed", path);
  file = fopen(path, "r");
  if (!file) return complain(strerror(errno), path);
  bool good = read_text(command, file);
  fclose(file);
  return good;
}

/* A command while no server runs. */
static bool once(struct store *store, struct command *command) {
  if (!notes_may(store, command)) return false;
  char path[256] = "";
  if (command->wants_text) {
    const char *editor = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
    bool edits = editor && editor[0] && isatty(STDIN_FILENO);
    if (!(edits ? edit_text(store, command, editor, path) : read_text(command, stdin))) return false;
  }
  uint64_t position = 0;
  if (!notes_do(store, command, &position)) return false;
  if (position > 0) {
    int status = store_settle(store, position, SETTLE_LIMIT_MS);
    if (status != SYNC_OK) {
      fprintf(stderr, "syncnote: '%s' is not saved: %s\n", command->title, sync_status_message(status));
      if (path[0]) fprintf(stderr, "syncnote: the text is in %s\n", path);
      return false;
    }
    notes_done(command);
  }
  if (path[0]) unlink(path);
  return true;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout);
  if (argc < 3) return usage(stderr);
  char **peers = calloc((size_t)argc, sizeof *peers);
  struct arguments arguments = {0};
  struct command command = {0};
  struct store store;
  if (!peers || !arguments_parse(&arguments, argc, argv, peers)) {
    free(peers);
    return 2;
  }
  signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is a full disk: an error, not an end */
  bool is_serve = arguments.count == 1 && strcmp(arguments.words[0], "serve") == 0;
  bool good = is_serve || command_parse(&command, arguments.count, arguments.words);
  int status = good ? 1 : 2;
  if (good &&
      store_open(&store, arguments.directory, arguments.serve.name, arguments.serve.cluster, arguments.repair)) {
    if (is_serve ? serve(&store, &arguments.serve) : once(&store, &command)) status = 0;
    store_close(&store);
  }
  command_end(&command);
  free(peers);
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) status = 1;
  return status;
}
