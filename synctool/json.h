/* JSON lines: one object a line, of ASCII alone, so that any reader and any terminal takes it. */
#ifndef SYNCTOOL_JSON_H
#define SYNCTOOL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/sync.h"

/* Bytes as the member NAME, a string, if they are text, else as NAME_base64. */
void json_put_bytes(json_t *object, const char *name, const void *bytes, size_t size);
void json_put_number(json_t *object, const char *name, uint64_t number);
/* node, incarnation (16 hexadecimal digits: a number in JSON would lose some), seq. */
void json_put_dot(json_t *object, const struct sync_dot *dot);
/* Writes the object as a line and frees it; also NULL, for which no memory was. False: the line is not whole. */
bool json_write_line(FILE *file, json_t *object);
/* The bytes of NAME or NAME_base64, malloc'ed, one more than *size. NULL: *why says what is wrong. */
uint8_t *json_take_bytes(const json_t *object, const char *name, size_t *size, const char **why);

#endif
