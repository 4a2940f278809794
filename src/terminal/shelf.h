/*
 * A terminal's unacknowledged records, in the order in which they were made. A record is
 *
 *	fresh    made, not yet in the keep for good: it must not be sent
 *	waiting  kept, not sent on this connection
 *	flying   sent on this connection, and no ack yet
 */
#ifndef PUNCHD_TERMINAL_SHELF_H
#define PUNCHD_TERMINAL_SHELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum shelf_place { SHELF_FRESH, SHELF_WAITING, SHELF_FLYING, SHELF_PLACES };

struct record {
	TAILQ_ENTRY(record) entry;
	enum shelf_place place;
	int64_t row; /* in the keep */
	char *id;
	char *body;
	int64_t sent_us;  /* monotonic */
	int mid;          /* of the message that it went with */
	int tries;        /* on this connection */
	bool sent_before; /* in this run or, as far as anybody knows, in one before */
};

TAILQ_HEAD(records, record);

struct shelf {
	struct records places[SHELF_PLACES];
	int64_t counts[SHELF_PLACES];
};

void shelf_init(struct shelf *s);
void shelf_done(struct shelf *s);

/* A new record at the end of a place. id is copied, body taken, also on failure; NULL counts as out
 * of memory. NULL: no memory. */
struct record *shelf_add(struct shelf *s, enum shelf_place place, const char *id, char *body);

/* Forget and free it. */
void shelf_remove(struct shelf *s, struct record *r);

/* The oldest of a place; then TAILQ_NEXT. NULL: none. */
struct record *shelf_first(const struct shelf *s, enum shelf_place place);
struct record *shelf_find(const struct shelf *s, enum shelf_place place, const char *id);
int64_t shelf_count(const struct shelf *s, enum shelf_place place);
int64_t shelf_total(const struct shelf *s);

/* The keep has committed: all that is fresh waits. */
void shelf_settle(struct shelf *s);
/* The first n that wait were sent. */
void shelf_launch(struct shelf *s, int64_t n);
/* The connection is gone: all that flies waits again, ahead of what waited. */
void shelf_land(struct shelf *s);

#endif
