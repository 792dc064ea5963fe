#include "examples/syncnote/news.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/syncnote/notes.h"

#define LINES_MAX 20u /* the first look at a full node needs no thousand lines */

struct seen {
  char *title;
  size_t size;
  uint64_t incarnation, seq;
  bool tombstone, conflict;
  const char *by; /* during the look only; NULL: us */
};

struct look {
  struct seen *list;
  size_t count, capacity;
  const char *name;
};

static int take(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct look *look = arg;
  if (look->count == look->capacity) {
    size_t capacity = look->capacity * 2 + 16;
    struct seen *grown = realloc(look->list, capacity * sizeof *grown);
    if (!grown) return 1;
    look->list = grown;
    look->capacity = capacity;
  }
  char *title = malloc(key_size);
  if (!title) return 1;
  memcpy(title, key, key_size);
  const struct sync_origin *origin = &winner->dot.origin;
  look->list[look->count++] = (struct seen){
      .title = title,
      .size = key_size,
      .incarnation = origin->incarnation,
      .seq = winner->dot.seq,
      .tombstone = winner->tombstone,
      .conflict = winner->conflict,
      .by = strcmp(origin->node_id, look->name) == 0 ? NULL : origin->node_id,
  };
  return 0;
}

static void forget(struct seen *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    free(list[i].title);
  free(list);
}

static int order(const struct seen *a, const struct seen *b) {
  size_t both = a->size < b->size ? a->size : b->size;
  int order = memcmp(a->title, b->title, both);
  return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* What became of a note that was `before` (NULL: absent); NULL: nothing that others did. */
static const char *change(const struct seen *before, const struct seen *now) {
  bool same = before && before->incarnation == now->incarnation && before->seq == now->seq;
  if (now->conflict && !(same && before->conflict)) return "is in conflict, last changed by";
  if (same || !now->by) return NULL;
  bool was_there = before && !before->tombstone;
  if (now->tombstone) return was_there ? "was removed by" : NULL;
  return was_there ? "was changed by" : "came from";
}

bool news_look(struct news *news, const struct sync_engine *engine, const char *name) {
  struct look look = {.name = name};
  if (sync_iterate(engine, "", 0, "", 0, true, take, &look) != SYNC_OK) {
    forget(look.list, look.count);
    return false;
  }
  size_t old = 0, lines = 0;
  for (size_t i = 0; i < look.count && news->list; i++) {
    const struct seen *now = &look.list[i];
    while (old < news->count && order(&news->list[old], now) < 0)
      old++;
    bool is_there = old < news->count && order(&news->list[old], now) == 0;
    const char *what = change(is_there ? &news->list[old] : NULL, now);
    if (!what || ++lines > LINES_MAX) continue;
    fputs("* '", stdout);
    notes_print(stdout, now->title, now->size, true);
    printf("' %s %s\n", what, now->by ? now->by : name);
  }
  if (lines > LINES_MAX) printf("* and %zu more\n", lines - LINES_MAX);
  forget(news->list, news->count);
  if (!look.list) look.list = calloc(1, sizeof *look.list); /* looked at, and empty */
  news->list = look.list;
  news->count = look.count;
  return true;
}

void news_end(struct news *news) {
  forget(news->list, news->count);
  *news = (struct news){0};
}
