#include "examples/syncnote/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "examples/syncnote/notes.h"

#define WORDS_MAX 1024u

static void shell_read(void *arg, uint32_t events) {
  (void)events;
  struct shell *shell = arg;
  if (shell->ended || shell->size == sizeof shell->in) return;
  ssize_t got = read(STDIN_FILENO, shell->in + shell->size, sizeof shell->in - shell->size);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got > 0)
    shell->size += (size_t)got;
  else
    shell->ended = true;
}

/* A full buffer waits for the disk: epoll would tell of more for ever. */
static void shell_watch(struct shell *shell) {
  bool wants = !shell->ended && shell->size < sizeof shell->in;
  if (shell->always || wants == shell->watched) return;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &shell->source};
  int failed = epoll_ctl(shell->epoll, wants ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &event);
  if (wants && failed && errno == EPERM) shell->always = true;
  if (wants && failed && errno != EPERM) shell->ended = true; /* it is closed */
  shell->watched = wants && !failed;
}

void shell_begin(struct shell *shell, struct store *store, struct neighbours *peers, int epoll) {
  *shell = (struct shell){.store = store, .peers = peers, .epoll = epoll};
  shell->source = (struct source){shell_read, shell};
  shell_watch(shell);
}

void shell_end(struct shell *shell) {
  command_end(&shell->command);
}

/* Cuts a line into words, of which "..." and '...' may have blanks. False: a quote has no end. */
static bool split(char *line, char *words[WORDS_MAX], size_t *words_count) {
  size_t count = 0;
  char *from = line;
  while (count < WORDS_MAX) {
    from += strspn(from, " \t");
    if (*from == '\0') break;
    char *to = words[count++] = from;
    char quote = '\0';
    for (; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
      if (quote ? *from == quote : to == words[count - 1] && (*from == '"' || *from == '\''))
        quote = quote ? '\0' : *from;
      else
        *to++ = *from;
    }
    if (quote) return false;
    if (*from) from++;
    *to = '\0';
  }
  *words_count = count;
  return true;
}

static void run(struct shell *shell) {
  if (shell->command.kind == COMMAND_PEERS) {
    neighbours_print(shell->peers);
  } else if (notes_do(shell->store, &shell->command, &shell->position) && shell->position > 0) {
    shell->waits = true;
    return;
  }
  if (shell->command.kind == COMMAND_HELP) printf("  quit\n");
  if (shell->command.kind == COMMAND_QUIT) shell->quits = true;
  command_end(&shell->command);
}

static void text_line(struct shell *shell, const char *line) {
  if (strcmp(line, ".") == 0) {
    shell->reads_text = false;
    if (!shell->drops_text) run(shell);
    if (shell->drops_text) command_end(&shell->command);
    return;
  }
  if (line[0] == '.' && line[1] == '.') line++;
  bool taken = shell->drops_text ||
               (command_add_text(&shell->command, line, strlen(line)) && command_add_text(&shell->command, "\n", 1));
  if (!taken) shell->drops_text = true; /* up to the `.`, so that no text is taken for commands */
}

static void take_line(struct shell *shell, char *line) {
  if (shell->reads_text) {
    text_line(shell, line);
    return;
  }
  char *words[WORDS_MAX];
  size_t count = 0;
  if (!split(line, words, &count)) fprintf(stderr, "syncnote: a quote has no end, and the line is not taken\n");
  if (count == 0) return;
  bool good = command_parse(&shell->command, count, words);
  shell->reads_text = shell->command.wants_text;
  shell->drops_text = shell->reads_text && !(good && notes_may(shell->store, &shell->command));
  if (shell->reads_text && isatty(STDIN_FILENO)) printf("(the text, up to a line with a single .)\n");
  if (shell->reads_text) return;
  if (good)
    run(shell);
  else
    command_end(&shell->command);
}

/* What is in front of the buffer, up to the end of a line. False: no whole line is there. */
static bool next_line(struct shell *shell) {
  char *end = memchr(shell->in, '\n', shell->size);
  bool last = !end && shell->ended && shell->size > 0 && shell->size < sizeof shell->in;
  if (last) end = shell->in + shell->size++;
  if (!end) {
    if (shell->size < sizeof shell->in) return false;
    if (!shell->skipping) fprintf(stderr, "syncnote: a line is too long, and not taken\n");
    if (shell->reads_text) shell->drops_text = true;
    shell->skipping = true;
    shell->size = 0;
    return false;
  }
  *end = '\0';
  if (!shell->skipping) take_line(shell, shell->in);
  shell->skipping = false;
  size_t used = (size_t)(end + 1 - shell->in);
  shell->size -= used;
  memmove(shell->in, shell->in + used, shell->size);
  return true;
}

void shell_turn(struct shell *shell) {
  if (shell->always) shell_read(shell, 0);
  do {
    if (shell->waits && sync_durable_position(shell->store->engine) < shell->position) break;
    if (shell->waits) {
      notes_done(&shell->command);
      if (shell->command.kind == COMMAND_FORGET) shell->forgot = true;
      command_end(&shell->command);
      shell->waits = false;
    }
  } while (!shell->quits && next_line(shell));
  if (shell->ended && shell->reads_text && shell->size == 0) {
    fprintf(stderr, "syncnote: '%s' is not saved: its text has no end, a line with a single .\n", shell->command.title);
    shell->reads_text = false;
    command_end(&shell->command);
  }
  if (shell->ended && !shell->waits && shell->size == 0 && isatty(STDIN_FILENO)) shell->quits = true;
  shell_watch(shell);
}

bool shell_is_ready(const struct shell *shell) {
  return shell->always && !shell->ended && shell->size < sizeof shell->in;
}
