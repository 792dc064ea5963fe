#include "lua/api/message_words.h"

#include <stddef.h>

const char *const message_words[MESSAGE_WORDS + 1u] = {"any", "hello", "ops", "fetch", "block", "news", NULL};
