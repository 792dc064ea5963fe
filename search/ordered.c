#include "search/ordered.h"

struct entry {
  struct sim_tag tag;
  uint64_t outcome;
};

bool ordered_write(const struct sim_choice_table *table, FILE *file) {
  bool ok = true;
  for (size_t i = 0; ok && i < sim_choice_table_count(table); i++) {
    struct entry entry = {0};
    entry.tag = sim_choice_table_at(table, i, &entry.outcome);
    ok = fwrite(&entry, sizeof entry, 1, file) == 1;
  }
  return ok;
}

struct sim_choice_table *ordered_read(const char *path) {
  struct entry entry;
  FILE *file = fopen(path, "rb");
  struct sim_choice_table *table = file == NULL ? NULL : sim_choice_table_create();
  bool ok = table != NULL;
  while (ok && fread(&entry, sizeof entry, 1, file) == 1)
    ok = sim_choice_table_set(table, entry.tag, entry.outcome);
  if (file != NULL) (void)fclose(file);
  (void)remove(path);
  if (ok) return table;
  sim_choice_table_destroy(table);
  return NULL;
}
