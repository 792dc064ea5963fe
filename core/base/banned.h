/* Forced in before every file of core/ (see the Makefile): what the engine must
 * not name, because it would bring chance, time, locale, numbers that differ
 * between processors, or memory from outside its environment. The headers that
 * core may include come first, for they name some of it themselves.
 * tools/check-symbols asks the same of the built objects. */
#ifndef SYNC_CORE_BASE_BANNED_H
#define SYNC_CORE_BASE_BANNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/checksum.h"

#if defined(__GNUC__)
#pragma GCC poison malloc calloc realloc aligned_alloc posix_memalign
#pragma GCC poison rand srand random srandom rand_r drand48 getrandom arc4random
#pragma GCC poison clock_gettime gettimeofday localtime gmtime strftime nanosleep usleep
#pragma GCC poison getenv secure_getenv setlocale localeconv strcoll strxfrm strerror
#pragma GCC poison printf fprintf sprintf snprintf vsnprintf puts fputs fopen fread fwrite
#pragma GCC poison abort exit atexit longjmp setjmp qsort bsearch strtod atof
#pragma GCC poison float double sqrt pow
#endif

#endif
