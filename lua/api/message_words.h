/* What scripts call the engine's messages, by what its node classifies them as; 0 is any. Ends in NULL. */
#ifndef LUA_API_MESSAGE_WORDS_H
#define LUA_API_MESSAGE_WORDS_H

#define MESSAGE_WORDS 6u
extern const char *const message_words[MESSAGE_WORDS + 1u];

#endif
