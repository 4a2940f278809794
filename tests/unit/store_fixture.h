/* What the store's tests share: a folder of their own, punches by number, files turned and twisted. */
#ifndef PUNCHD_TESTS_STORE_FIXTURE_H
#define PUNCHD_TESTS_STORE_FIXTURE_H

#include "unit.h"

#include <limits.h>
#include <stdbool.h>

#include "store/store.h"
#include "store/store_punch.h"

#define NOON_S 1770000000LL /* 2026-02-02T02:40:00Z */

/* A folder in memory where there is one. setup and teardown for cmocka; state is a struct fixture. */
struct fixture {
	char folder[PATH_MAX];
	char path[PATH_MAX]; /* of the store in it */
	struct store *store; /* closed at the end where it is set */
	char words[STORE_WORDS_MAX];
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Open or die. Closes what was open. */
struct store *fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Open and expect an error. */
int fixture_open_fails(struct fixture *f);

/* Punch number i: user i % 50 at terminal i % 3, a second after number i - 1; queued. */
struct punch fixture_punch(int i);

/* Add punch number i in the open transaction, and expect it to be new. */
void fixture_add(struct store *s, int i);
/* Add from..to-1, one commit for all. */
void fixture_add_all(struct store *s, int from, int to);
/* Settle as delivered, at this time. */
void fixture_settle(struct store *s, int64_t seq, int64_t settled_us);

void fixture_check(struct store *s);

/* ---- files */

/* PATH and suffix, in one of a few static buffers. */
const char *fixture_name(const struct fixture *f, const char *suffix);
int64_t file_size(const char *path);
bool file_there(const char *path);
/* The whole file; freed by the caller. */
uint8_t *file_bytes(const char *path, size_t *ret_size);
void file_put(const char *path, const void *bytes, size_t size);
void file_patch(const char *path, int64_t at, const void *bytes, size_t n);
void file_copy(const char *from, const char *to);
/* How many files of the folder have this in their names. */
int files_named(const struct fixture *f, const char *part);

/* A small generator of numbers, the same everywhere. */
uint32_t dice(uint64_t *state);

#endif
