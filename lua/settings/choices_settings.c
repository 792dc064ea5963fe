#include "lua/settings/choices_settings.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "lua/language/show.h"
#include "lua/settings/schema.h"
#include "lua/text/nearest.h"

#define KINDS_MAX 256u

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void
refuse_kind(lua_State *lua, const char *name) {
  const char *names[KINDS_MAX];
  char word[64];
  size_t count = 0;
  for (uint32_t kind = 1; kind < SIM_CHOICE_USER && count < KINDS_MAX; kind++)
    if (strcmp(sim_choice_kind_name(kind), "unknown") != 0) names[count++] = sim_choice_kind_name(kind);
  (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(name, " "), name);
  const char *near = nearest_word(word, names, count);
  if (near != NULL)
    schema_raise(lua, "choices", name, "choices: chance decides nothing that is called \"%s\"; did you mean \"%s\"?",
                 word, near);
  schema_raise(lua, "choices", name, "choices: chance decides nothing that is called \"%s\"", word);
}

/* The name of the entry on the stack; raises an error when it is no text, or the outcome no number. */
static const char *name_of(lua_State *lua) {
  const char *name = lua_type(lua, -2) == LUA_TSTRING ? show_text(lua, -2, NULL) : NULL;
  if (name == NULL || !lua_isinteger(lua, -1) || lua_tointeger(lua, -1) < 0)
    schema_raise(lua, "", "choices",
                 "choices is { [\"net_loss n2>n3 9c\"] = 1 }: outcomes, which are whole numbers, by names");
  return name;
}

/* The table's order depends on addresses: of wrong names the first one in bytewise order is told. */
void settings_read_choices(lua_State *lua, int index, struct settings *settings) {
  const char *wrong = NULL, *why = NULL;
  settings->fixed = true;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    struct settings_choice choice = {.outcome = 0};
    const char *name = name_of(lua), *refused = sim_tag_read(name, &choice.tag);
    choice.outcome = (uint64_t)lua_tointeger(lua, -1);
    if (refused != NULL && (wrong == NULL || strcmp(name, wrong) < 0)) {
      wrong = name; /* anchored by the table */
      why = refused;
    }
    if (settings->choice_count == SETTINGS_CHOICES_MAX)
      schema_raise(lua, "", "choices", "choices has more than %u entries", SETTINGS_CHOICES_MAX);
    settings->choices[settings->choice_count++] = choice;
  }
  if (wrong == NULL) return;
  if (strcmp(why, "kind") == 0) refuse_kind(lua, wrong);
  schema_raise(lua, "choices", wrong, "choices: in \"%.80s\": %s", wrong, why);
}

struct sim_choice_table *settings_choices(const struct settings *settings) {
  struct sim_choice_table *table = sim_choice_table_create();
  bool ok = table != NULL && sim_choice_table_set_kind(table, SIM_CHOICE_SCENARIO, 1);
  for (uint32_t i = 0; ok && i < settings->choice_count; i++)
    ok = sim_choice_table_set(table, settings->choices[i].tag, settings->choices[i].outcome);
  if (ok) return table;
  sim_choice_table_destroy(table);
  return NULL;
}
