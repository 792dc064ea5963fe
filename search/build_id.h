/* Which build this is: a hash of the running program's file. */
#ifndef SEARCH_BUILD_ID_H
#define SEARCH_BUILD_ID_H

#define BUILD_ID_BYTES 24u

/* 16 hexadecimal digits, or "unknown". */
void build_id(char id[BUILD_ID_BYTES]);

#endif
