/*
 * Reading jansson values with type and length checked in one go.
 *
 * Each looks up `key` in an object and tells apart: there and right (1), not there (0), there but
 * of another type, too long, or out of range (-EINVAL). JSON null is "another type".
 */
#ifndef PUNCHD_BASE_JGET_H
#define PUNCHD_BASE_JGET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A string of min to max bytes without NUL bytes; *ret_text lives as long as the object. */
int jget_str(const json_t *object, const char *key, size_t min, size_t max, const char **ret_text);

int jget_bool(const json_t *object, const char *key, bool *ret);

int jget_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *ret);

/* The string, or "" where there is none (or something else). For answers that may lack it. */
const char *jget_str_or_empty(const json_t *object, const char *key);

#endif
