/* What the files of a script are called while it runs. */
#ifndef LUA_LANGUAGE_CHUNK_H
#define LUA_LANGUAGE_CHUNK_H

/* Messages of the compiler and of Lua begin with this, whatever the file is
 * called, so that no path reaches a run; the path is put in at the end. Those of a helper
 * begin with "scenario/helpers/NAME.lua". */
#define SCRIPT_CHUNK "scenario"

#endif
