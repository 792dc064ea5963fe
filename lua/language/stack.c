#include "lua/language/stack.h"

#include <stdio.h>
#include <string.h>

#include "lua/language/chunk.h"

void stack_take(lua_State *lua, struct stack *stack) {
  lua_Debug debug;
  const size_t prefix = sizeof SCRIPT_CHUNK; /* with the = before it */
  memset(stack, 0, sizeof *stack);
  for (int level = 0; lua_getstack(lua, level, &debug); level++) {
    if (!lua_getinfo(lua, "Sln", &debug) || debug.currentline <= 0) continue;
    const char *file = debug.source + prefix;
    if (strncmp(debug.source, "=" SCRIPT_CHUNK, prefix) != 0 || (*file && *file != '/')) continue;
    if (stack->count >= STACK_FRAMES_MAX) {
      stack->more++;
      continue;
    }
    struct stack_frame *frame = &stack->frames[stack->count++];
    (void)snprintf(frame->file, sizeof frame->file, "%s", *file ? file + 1 : "");
    (void)snprintf(frame->name, sizeof frame->name, "%s", debug.name ? debug.name : "");
    frame->line = debug.currentline;
  }
}

void stack_frame_text(const struct stack_frame *frame, const char *path, char *text, size_t size) {
  const char *slash = strrchr(path, '/'), *in = frame->name[0] ? " in " : "";
  if (frame->file[0])
    (void)snprintf(text, size, "%.*s%s:%d%s%s", slash ? (int)(slash + 1 - path) : 0, path, frame->file, frame->line, in,
                   frame->name);
  else
    (void)snprintf(text, size, "%s:%d%s%s", path, frame->line, in, frame->name);
}

void stack_text(const struct stack *stack, const char *path, char *text, size_t size) {
  char where[600];
  size_t used = 0;
  text[0] = '\0';
  if (stack->count < 2) return;
  if (stack->frames[0].name[0]) used = (size_t)snprintf(text, size, "; in %s", stack->frames[0].name);
  for (uint32_t i = 1; i < stack->count && used < size; i++) {
    stack_frame_text(&stack->frames[i], path, where, sizeof where);
    used += (size_t)snprintf(text + used, size - used, "%s called at %s", used ? "," : ";", where);
  }
  if (stack->more && used < size) (void)snprintf(text + used, size - used, ", and %u more", stack->more);
}
