#include "examples/syncnote/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char command_help[] = "  list                        titles; `!` marks a conflict\n"
                            "  show TITLE                  the text, or all versions of a conflict\n"
                            "  add TITLE [TEXT]            a new note\n"
                            "  edit TITLE [TEXT]           a new text for an old one\n"
                            "  remove TITLE\n"
                            "  conflicts                   notes that two machines changed at once\n"
                            "  resolve TITLE TOKEN-N       version N stays; `show TITLE` prints the token\n"
                            "  resolve TITLE TOKEN [TEXT]  a text of yours replaces all versions\n"
                            "  peers                       who is connected, and what they are owed\n"
                            "  state                       two machines that print the same hold the same\n"
                            "  forget PEER                 it will not come back: nothing is kept for it\n";

static const struct word {
  const char *name;
  enum command_kind kind;
  size_t least, most; /* words behind it; TEXT counts for any number */
  bool text;
} words_known[] = {
    {"list", COMMAND_LIST, 0, 0, false},      {"show", COMMAND_SHOW, 1, 1, false},
    {"add", COMMAND_ADD, 1, 1, true},         {"edit", COMMAND_EDIT, 1, 1, true},
    {"remove", COMMAND_REMOVE, 1, 1, false},  {"conflicts", COMMAND_CONFLICTS, 0, 0, false},
    {"resolve", COMMAND_RESOLVE, 2, 2, true}, {"peers", COMMAND_PEERS, 0, 0, false},
    {"state", COMMAND_STATE, 0, 0, false},    {"forget", COMMAND_FORGET, 1, 1, false},
    {"help", COMMAND_HELP, 0, 0, false},      {"quit", COMMAND_QUIT, 0, 0, false},
};

static bool complain(const char *what, const char *which) {
  fprintf(stderr, "syncnote: %s: %s\n", which, what);
  return false;
}

/* Titles are lines on screens of others. */
static bool set_title(struct command *command, const char *title) {
  size_t size = strlen(title);
  if (size == 0) return complain("a title has at least one character", "''");
  if (size > TITLE_BYTES_MAX) return complain("a title has at most 200 bytes", "title");
  for (size_t i = 0; i < size; i++)
    if ((unsigned char)title[i] < 0x20 || title[i] == 0x7f) return complain("a title is one line", "title");
  memcpy(command->title, title, size + 1);
  return true;
}

/* TOKEN, or TOKEN-N. */
static bool set_token(struct command *command, const char *token) {
  size_t digits = strspn(token, "0123456789abcdef");
  const char *rest = token + digits;
  bool good = digits == 8 && (*rest == '\0' || *rest == '-');
  if (good && *rest == '-') {
    char *end;
    unsigned long version = strtoul(rest + 1, &end, 10);
    good = rest[1] >= '1' && rest[1] <= '9' && *end == '\0' && version < 1000000;
    command->version = (unsigned)version;
  }
  if (!good) return complain("is no token: `show` prints it, such as 1f0c77e2-1", token);
  memcpy(command->token, token, 8);
  return true;
}

bool command_add_text(struct command *command, const char *text, size_t size) {
  if (size > TEXT_BYTES_MAX - command->size) return complain("a text has at most 65536 bytes", command->title);
  if (command->size + size > command->capacity) {
    size_t capacity = 2 * (command->size + size);
    char *grown = realloc(command->text, capacity);
    if (!grown) return complain("no memory", command->title);
    command->text = grown;
    command->capacity = capacity;
  }
  if (size > 0) memcpy(command->text + command->size, text, size);
  command->size += size;
  return true;
}

bool command_parse(struct command *command, size_t count, char *const *words) {
  *command = (struct command){0};
  const struct word *word = NULL;
  for (size_t i = 0; count > 0 && i < sizeof words_known / sizeof words_known[0]; i++)
    if (strcmp(words[0], words_known[i].name) == 0) word = &words_known[i];
  if (!word) return complain("no such command; `help` lists them", count > 0 ? words[0] : "''");
  if (count - 1 < word->least) return complain("what is it about? `help` shows how", word->name);
  if (count - 1 > word->most && !word->text)
    return complain("too many words: a title of several goes in quotes", word->name);
  command->kind = word->kind;
  if (word->least >= 1 && !set_title(command, words[1])) return false;
  if (word->least >= 2 && !set_token(command, words[2])) return false;
  bool has_text = count - 1 > word->least;
  if (has_text && command->version > 0) return complain("a version or a text, not both", word->name);
  for (size_t i = word->least + 1; i < count; i++)
    if (!command_add_text(command, " ", i > word->least + 1) || !command_add_text(command, words[i], strlen(words[i])))
      return false;
  command->wants_text = word->text && !has_text && command->version == 0;
  return true;
}

void command_end(struct command *command) {
  free(command->text);
  *command = (struct command){0};
}
