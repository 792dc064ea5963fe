#include "lua/text/source.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_SIGN };

struct token {
  enum token_kind kind;
  const char *start;
  size_t size;
  int line;
};

struct lexer {
  const char *at, *end;
  int line;
};

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "[[" or "[==[" at p: the number of signs + 1; else 0. */
static size_t long_bracket(const char *p, const char *end) {
  size_t level = 1;
  if (p >= end || *p != '[') return 0;
  for (p++; p < end && *p == '='; p++)
    level++;
  return p < end && *p == '[' ? level : 0;
}

static void skip_long(struct lexer *lexer, size_t level) {
  lexer->at += level + 1;
  while (lexer->at < lexer->end) {
    const char *p = lexer->at;
    if (*p == '\n') lexer->line++;
    lexer->at++;
    if (*p != ']' || (size_t)(lexer->end - p) < level + 1 || p[level] != ']') continue;
    size_t i = 1;
    while (i < level && p[i] == '=')
      i++;
    if (i == level) {
      lexer->at = p + level + 1;
      return;
    }
  }
}

static void skip_quoted(struct lexer *lexer) {
  char quote = *lexer->at++;
  while (lexer->at < lexer->end) {
    char c = *lexer->at++;
    if (c == '\n') lexer->line++;
    if (c == '\\' && lexer->at < lexer->end) {
      if (*lexer->at == '\n') lexer->line++;
      lexer->at++;
    } else if (c == quote || c == '\n') {
      return; /* an open string is the compiler's error to report */
    }
  }
}

static void skip_space(struct lexer *lexer) {
  while (lexer->at < lexer->end) {
    char c = *lexer->at;
    if (c == '\n') lexer->line++;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      lexer->at++;
      continue;
    }
    if (c != '-' || lexer->at + 1 >= lexer->end || lexer->at[1] != '-') return;
    lexer->at += 2;
    size_t level = long_bracket(lexer->at, lexer->end);
    if (level) {
      skip_long(lexer, level);
    } else {
      while (lexer->at < lexer->end && *lexer->at != '\n')
        lexer->at++;
    }
  }
}

static void skip_number(struct lexer *lexer) {
  const char *start = lexer->at;
  bool hex = lexer->end - start > 1 && start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
  char exponent = hex ? 'p' : 'e';
  while (lexer->at < lexer->end) {
    char c = *lexer->at;
    /* "1..n": two points are the concatenation, which the compiler refuses. */
    if (!is_letter(c) && !is_digit(c) && c != '.') return;
    lexer->at++;
    if ((c | 32) == exponent && lexer->at < lexer->end && (*lexer->at == '+' || *lexer->at == '-')) lexer->at++;
  }
}

static struct token next_token(struct lexer *lexer) {
  skip_space(lexer);
  struct token token = {TOKEN_END, lexer->at, 0, lexer->line};
  if (lexer->at >= lexer->end) return token;
  char c = *lexer->at;
  bool point_number = c == '.' && lexer->at + 1 < lexer->end && is_digit(lexer->at[1]);
  size_t level = long_bracket(lexer->at, lexer->end);
  if (is_letter(c)) {
    token.kind = TOKEN_NAME;
    while (lexer->at < lexer->end && (is_letter(*lexer->at) || is_digit(*lexer->at)))
      lexer->at++;
  } else if (is_digit(c) || point_number) {
    token.kind = TOKEN_NUMBER;
    skip_number(lexer);
  } else if (c == '"' || c == '\'') {
    token.kind = TOKEN_STRING;
    skip_quoted(lexer);
  } else if (level) {
    token.kind = TOKEN_STRING;
    skip_long(lexer, level);
  } else {
    token.kind = TOKEN_SIGN;
    lexer->at++;
    while (lexer->at < lexer->end && (c == '/' || c == '=' || c == '.' || c == '~' || c == '<' || c == '>') &&
           (*lexer->at == c || *lexer->at == '='))
      lexer->at++;
  }
  token.size = (size_t)(lexer->at - token.start);
  return token;
}

static bool number_is_float(const struct token *token) {
  bool hex = token->size > 1 && (token->start[1] == 'x' || token->start[1] == 'X');
  uint64_t value = 0;
  for (size_t i = 0; i < token->size; i++) {
    char c = token->start[i], low = (char)(c | 32);
    if (c == '.' || (!hex && low == 'e') || (hex && low == 'p')) return true;
    /* A decimal numeral past 2^63 - 1 is read as a float. */
    if (hex || !is_digit(c)) continue;
    if (value > (uint64_t)INT64_MAX / 10u) return true;
    value = value * 10u + (uint64_t)(c - '0');
    if (value > (uint64_t)INT64_MAX) return true;
  }
  return false;
}

size_t source_begin(const char *text, size_t size) {
  size_t at = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  if (at < size && text[at] == '#')
    while (at < size && text[at] != '\n')
      at++;
  return at;
}

const char *source_refused(const char *text, size_t size) {
  if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
    return "the file begins with a UTF-16 byte order mark: save it as UTF-8";
  if (size >= 4 && memcmp(text, "\x1bLua", 4) == 0) return "the file is compiled Lua: a scenario is its source";
  return NULL;
}

bool source_has_no_floats(const char *text, size_t size, int *line, char *message, size_t message_size) {
  struct lexer lexer = {text, text + size, 1};
  lexer.at += source_begin(text, size);
  for (;;) {
    struct token token = next_token(&lexer);
    const char *why = NULL;
    if (token.kind == TOKEN_END) return true;
    if (token.kind == TOKEN_NUMBER && number_is_float(&token))
      why = "is a floating-point number; scripts have whole numbers only: write a quantity with a unit, like "
            "\"2.5s\" or \"0.5%\"";
    else if (token.kind == TOKEN_SIGN && token.size == 1 && token.start[0] == '/')
      why = "gives a floating-point number; scripts have whole numbers only: write // for division";
    else if (token.kind == TOKEN_SIGN && token.size == 1 && token.start[0] == '^')
      why = "gives a floating-point number; scripts have whole numbers only: multiply, or shift with <<";
    if (!why) continue;
    *line = token.line;
    (void)snprintf(message, message_size, "%.*s %s", (int)(token.size < 40 ? token.size : 40), token.start, why);
    return false;
  }
}

int source_line_of(const char *text, size_t size, int from_line, const char *path) {
  struct lexer lexer = {text, text + size, 1};
  int found = 0;
  struct token before = next_token(&lexer);
  while (before.kind != TOKEN_END && *path) {
    struct token token = next_token(&lexer);
    size_t part = strcspn(path, ".");
    bool names = before.kind == TOKEN_NAME && before.size == part && memcmp(before.start, path, part) == 0;
    if (names && before.line >= from_line && token.kind == TOKEN_SIGN && token.size == 1 && token.start[0] == '=') {
      found = before.line;
      path += part;
      if (*path == '.') path++;
    }
    before = token;
  }
  return *path ? 0 : found;
}

/* What stands between the quotes of a string of one line without escapes. */
static bool plain_string(const struct token *token, char *out, size_t room) {
  if (token->kind != TOKEN_STRING || token->size < 2 || token->size - 2 >= room) return false;
  char quote = token->start[0];
  const char *inside = token->start + 1;
  size_t size = token->size - 2;
  if ((quote != '"' && quote != '\'') || inside[size] != quote || memchr(inside, '\\', size)) return false;
  memcpy(out, inside, size);
  out[size] = 0;
  return !memchr(inside, 0, size);
}

static bool is_sign(const struct token *token, char sign) {
  return token->kind == TOKEN_SIGN && token->size == 1 && *token->start == sign;
}

static bool is_name(const struct token *token, const char *name) {
  return token->kind == TOKEN_NAME && token->size == strlen(name) && memcmp(token->start, name, token->size) == 0;
}

bool source_next_require(const char *text, size_t size, size_t *at, char *name, size_t name_size) {
  struct lexer lexer = {text + *at, text + size, 1};
  struct token before = {TOKEN_END, NULL, 0, 0};
  if (!*at) lexer.at += source_begin(text, size);
  for (struct token token = next_token(&lexer); token.kind != TOKEN_END; token = next_token(&lexer)) {
    bool names = token.kind == TOKEN_NAME && token.size == 7 && memcmp(token.start, "require", 7) == 0;
    bool method = is_sign(&before, '.') || is_sign(&before, ':');
    before = token;
    if (!names || method) continue;
    struct lexer ahead = lexer;
    struct token argument = next_token(&ahead);
    if (is_sign(&argument, '(')) argument = next_token(&ahead);
    if (!plain_string(&argument, name, name_size)) continue;
    *at = (size_t)(ahead.at - text);
    return true;
  }
  return false;
}

/* Behind the bracket that closes the one before the lexer; NULL: there is none. */
static const char *behind_brackets(struct lexer *lexer) {
  for (size_t depth = 1;;) {
    struct token token = next_token(lexer);
    if (token.kind == TOKEN_END) return NULL;
    if (is_sign(&token, '(')) depth++;
    if (is_sign(&token, ')') && --depth == 0) return token.start + 1;
  }
}

size_t source_call(const char *text, size_t size, int line, const char *module, const char *name, size_t *begin) {
  struct lexer lexer = {text, text + size, 1}, behind = lexer;
  struct token tokens[4] = {{TOKEN_END, NULL, 0, 0}};
  const char *found = NULL;
  lexer.at += source_begin(text, size);
  for (;;) {
    memmove(tokens, tokens + 1, 3 * sizeof *tokens);
    tokens[3] = next_token(&lexer);
    if (tokens[3].kind == TOKEN_END || tokens[3].line > line) break;
    bool calls = is_name(&tokens[0], module) && is_sign(&tokens[1], '.') && is_name(&tokens[2], name) &&
                 is_sign(&tokens[3], '(');
    if (!calls) continue;
    found = tokens[0].start;
    behind = lexer;
  }
  const char *end = found ? behind_brackets(&behind) : NULL;
  if (!end) return 0;
  *begin = (size_t)(found - text);
  return (size_t)(end - found);
}
