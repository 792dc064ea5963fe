/* The script's own stack when it fails: who called whom, in files and lines of the script alone. */
#ifndef LUA_LANGUAGE_STACK_H
#define LUA_LANGUAGE_STACK_H

#include <lua.h>

#include <stddef.h>
#include <stdint.h>

#include "lua/text/helpers.h"

#define STACK_FRAMES_MAX 8u

struct stack_frame {
  char file[HELPER_NAME_BYTES]; /* from the scenario's folder; empty: the scenario */
  int line;
  char name[40]; /* of the function that the line is in, as its caller calls it; may be empty */
};

struct stack {
  uint32_t count; /* the innermost first */
  uint32_t more;  /* beyond STACK_FRAMES_MAX */
  struct stack_frame frames[STACK_FRAMES_MAX];
};

/* Those of `lua` now. Allocates nothing: memory may be what failed. */
void stack_take(lua_State *lua, struct stack *stack);
/* "; in f, called at x.lua:20 in run" behind a message that has the innermost line already; nothing when there is
 * nothing to say. `path`: of the scenario. */
void stack_text(const struct stack *stack, const char *path, char *text, size_t size);
/* "x.lua:20 in run": of one. */
void stack_frame_text(const struct stack_frame *frame, const char *path, char *text, size_t size);

#endif
