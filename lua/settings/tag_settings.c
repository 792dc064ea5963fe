#include "lua/settings/tag_settings.h"

#include <stdio.h>
#include <string.h>

#include "lua/language/list.h"
#include "lua/language/word.h"
#include "lua/settings/schema.h"

static bool is_tag(const char *word) {
  const size_t length = strlen(word);
  return length > 0 && length < SCENARIO_TAG_BYTES && length == strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

void tags_read(lua_State *lua, int index, struct scenario_info *info) {
  const lua_Integer count = list_length(lua, index);
  if (count > (lua_Integer)SCENARIO_TAGS_MAX) schema_raise(lua, "", "tags", "tags: more than %u", SCENARIO_TAGS_MAX);
  for (lua_Integer i = 1; i <= count; i++) {
    const char *tag = lua_rawgeti(lua, index, i) == LUA_TSTRING ? word_check(lua, -1, "tags") : "";
    if (!is_tag(tag))
      schema_raise(
          lua, "", "tags",
          "tags is a list of words in quotes, such as { \"smoke\" }: small letters, digits, _ and -, at most %u",
          SCENARIO_TAG_BYTES - 1u);
    for (uint32_t other = 0; other < info->tag_count; other++)
      if (strcmp(info->tags[other], tag) == 0) schema_raise(lua, "", "tags", "tags: \"%s\" is there twice", tag);
    (void)snprintf(info->tags[info->tag_count++], SCENARIO_TAG_BYTES, "%s", tag);
    lua_pop(lua, 1);
  }
}
