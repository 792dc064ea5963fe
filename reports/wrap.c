#include "reports/wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/utf8.h"

unsigned wrap_columns(FILE *file) {
  struct winsize size;
  const int descriptor = fileno(file);
  if (descriptor < 0 || !isatty(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

static unsigned width_of(const char *text, size_t size) {
  unsigned columns = 0;
  for (const char *end = text + size; text < end;) {
    uint32_t character;
    bool valid;
    text += utf8_decode(text, &character, &valid);
    columns += utf8_columns(character);
  }
  return columns;
}

unsigned wrap_width(const char *text) {
  return width_of(text, strlen(text));
}

bool wrap_write(FILE *file, const char *text, unsigned used, unsigned indent, unsigned columns) {
  bool ok = true, fresh = true; /* fresh: no word is in the line yet */
  for (const char *word = text + strspn(text, " "); ok && *word != '\0';) {
    const size_t size = strcspn(word, " ");
    const unsigned width = width_of(word, size);
    if (!fresh && columns > indent && used + 1 + width > columns) {
      ok = fprintf(file, "\n%*s", (int)indent, "") > 0;
      used = indent;
    } else if (!fresh) {
      ok = fputc(' ', file) != EOF;
      used++;
    }
    fresh = false;
    ok = ok && fwrite(word, 1, size, file) == size;
    used += width;
    word += size;
    word += strspn(word, " ");
  }
  return fputc('\n', file) != EOF && ok;
}
