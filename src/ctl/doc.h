/*
 * Reading documents that came over the socket, leniently: what is not there, or is something else
 * than was expected, is as good as nothing. Paths go through objects: "api.rate.limit".
 */
#ifndef PUNCHD_CTL_DOC_H
#define PUNCHD_CTL_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Borrowed, or NULL; JSON null is NULL too. */
json_t *doc_get(const json_t *doc, const char *path);

/* The string up to its first NUL, or "". */
const char *doc_text(const json_t *doc, const char *path);

/* Whether there is a whole number. *ret is 0 where there is none. */
bool doc_number(const json_t *doc, const char *path, int64_t *ret);

/* The whole number, or 0. */
int64_t doc_count(const json_t *doc, const char *path);

/* Who it was, of {"uid", "name"}: the name, or the number of a user that has none. */
#define DOC_WHO_SIZE 64
const char *doc_who(const json_t *doc, const char *path, char ret_text[static DOC_WHO_SIZE]);

/* Whether it is true. */
bool doc_true(const json_t *doc, const char *path);

#endif
