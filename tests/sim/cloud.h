/*
 * The cloud, written from CLOUD-API.md alone, and the way there in the place of edge/apiloop.
 *
 * It keeps a window of requests a key by a clock of its own, honours idempotency keys or not, and
 * knows people and devices from a certain moment on. The way loses requests and answers, and takes
 * its time. What the laws ask of it is counted here: records by key, bodies by key, 429s.
 */
#ifndef PUNCHD_SIM_CLOUD_H
#define PUNCHD_SIM_CLOUD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOUD_FIRST_KEY "key-1"

/* One attendance record. */
struct record {
	char user_id[40], device_id[40], type[16], timestamp[32], key[40];
	int64_t at_us;
};

/* What was seen of one wire key. */
struct sent_key {
	char user_id[40], device_id[40], type[16], timestamp[32];
	int64_t first; /* number of the first record under it; -1: none */
	int records;
	bool has_row; /* at the end: a punch of the store has it */

	/* What the gateway was told, by laws.c. */
	int done_run; /* in this run that it is done; 0: not yet */
	int64_t done_us;
	int refused_status; /* that it is refused, in so many words; 0: not */
	int doubts;         /* sends of it without an answer that says what became of them */
	int releases;       /* an operator may have let it go although it was in doubt */
};

struct cloud {
	struct record *records;
	size_t record_count, record_size;
	int64_t requests, limited;   /* in all; answered 429 */
	int64_t window, used, limit; /* the present window */
	int64_t skew_us;             /* its clock less the true time */
	bool honours;
	char key[32];      /* the one that is valid */
	int64_t excuse_us; /* until then a 429 is not the gateway's fault */
};
extern struct cloud cloud;

/* What is wrong on the way, or with the cloud: set by trouble.c. Chances are of a thousand. */
struct ailments {
	bool line_cut, no_headers, shuffle;
	int lose_request, lose_answer, slow, status_chance, doubt_chance, garbage;
	int status;               /* of status_chance */
	int64_t foreign_a_window; /* requests of another program */
};
extern struct ailments ailments;

void cloud_begin(void);
void cloud_end(void);
void way_end(void);

bool cloud_line_is_cut(void);

/* Another key is valid from now on. */
void cloud_change_key(const char *key);
void cloud_change_limit(int64_t limit);
void cloud_jump(int64_t skew_us);

/* What was seen of a wire key (32 hex digits), or NULL; made where it is new, or stands for nothing
 * (its user_id is empty). */
struct sent_key *cloud_key(const char *key);
struct sent_key *cloud_key_made(const char *key, const char *user_id, const char *device_id,
	const char *type, const char *timestamp);

/* Whether it knows this person, or this device, now. */
bool cloud_knows_user(const char *user_id);
bool cloud_knows_device(const char *device_id);

#endif
