/*
 * Checks of a profile's JSON, key by key. Private to core/profile_load.c and profile_check.c.
 *
 * A checker walks down with a JSON path; each fault is one line with file and path.
 */
#ifndef PUNCHD_CORE_PROFILE_CHECK_H
#define PUNCHD_CORE_PROFILE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

struct checker {
	const char *file;
	struct buf *faults;
	const char *filter; /* the topic that `topic:name` paths go with */
	char path[256];     /* where the walk stands; "" is the whole profile */
};

void check_fault(struct checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Step into a key or an element; leave with what came back. */
size_t check_enter(struct checker *c, const char *key);
size_t check_enter_at(struct checker *c, size_t index);
void check_leave(struct checker *c, size_t mark);

/* A fault for each key of an object that is none of these; and for what is no object. Returns
 * whether it is one. keys ends with NULL. */
bool check_object(struct checker *c, const json_t *object, const char *const keys[]);

/* A key's text, NULL where it is missing or a fault was told. needed: missing is a fault. */
const char *check_text(struct checker *c, const json_t *object, const char *key, bool needed);
/* One of these words; its place, or fallback where it is missing. */
int check_word(struct checker *c, const json_t *object, const char *key, const char *const words[],
	int fallback);
bool check_bool(struct checker *c, const json_t *object, const char *key, bool fallback);
int64_t check_number(struct checker *c, const json_t *object, const char *key, int64_t min,
	int64_t max, int64_t fallback);

/* A key's path. */
const char *check_path(struct checker *c, const json_t *object, const char *key, bool needed);
/* A key's list of texts, numbers and booleans. empty: it may be. */
const json_t *check_list(
	struct checker *c, const json_t *object, const char *key, bool needed, bool empty);
/* A key's list of paths. absolute: only from the message, and * for every element. */
const json_t *check_paths(
	struct checker *c, const json_t *object, const char *key, bool needed, bool absolute);
/* A key's list of conditions. */
const json_t *check_conditions(
	struct checker *c, const json_t *object, const char *key, bool needed);

#endif
