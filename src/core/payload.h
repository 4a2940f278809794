/*
 * The native scheme att/v1: from a message's bytes to punches (punchd-mqtt(7)).
 *
 * A message is read record by record. What is wrong with one record, be it that it is no JSON, is
 * told with that record and leaves its neighbours alone; what is wrong with the whole message is one
 * record of its own.
 */
#ifndef PUNCHD_CORE_PAYLOAD_H
#define PUNCHD_CORE_PAYLOAD_H

#include "base/jsplit.h"
#include "core/punch.h"

#define PAYLOAD_NATIVE_MAX 65536 /* bytes of a native message */
#define PAYLOAD_RECORDS    100   /* of an array */
#define PAYLOAD_DEPTH      32    /* levels of nesting */
#define PAYLOAD_RAW_MAX    4096  /* bytes that are kept of what could not be read */

enum payload_kind {
	PAYLOAD_PUNCH,     /* a punch, with a time of its own or without */
	PAYLOAD_BAD_TIME,  /* a punch whose time is none: to be parked */
	PAYLOAD_MALFORMED, /* a record that is no punch: to be parked with its bytes */
	PAYLOAD_TOO_LARGE, /* the whole message is over the cap */
	PAYLOAD_IGNORED,   /* of a profile: no punch, by its `accept`; the native scheme has none */
};

struct payload_record {
	enum payload_kind kind;
	int index;         /* in the message; 0 also for the whole */
	bool whole;        /* this record is the whole message */
	const char *fault; /* what is wrong, a constant; NULL for a punch */
	/* As sent: terminal is set by the caller, user, record_id, time and type in here. A malformed
	 * record has its record_id, where it has a sound one, and nothing else. */
	struct punch punch;
};

/* Owns nothing; lives no longer than the message's bytes. */
struct payload {
	const char *bytes;
	size_t length;
	bool lone; /* no array: the message is the record */
	struct jspan spans[PAYLOAD_RECORDS];
	size_t count;
	size_t next;
	enum payload_kind whole_kind; /* of a message that is wrong as a whole */
	const char *whole_fault;      /* NULL: it is not */
};

/* Begin with a message. Never fails: one that cannot be read yields one record that says so. */
void payload_init(struct payload *p, const void *bytes, size_t n);

/* The next record. Returns 1, 0 behind the last, or -ENOMEM: then the message must not be
 * acknowledged, since a good record might pass for a malformed one. */
int payload_next(struct payload *p, struct payload_record *ret);

/*
 * The bytes to keep of a record that could not be read: of a record in an array its own, of a whole
 * message all, without runs of over 512 base64 characters (pictures), at most PAYLOAD_RAW_MAX. Returns how many were written; *ret_full tells whether that is all of it.
 */
size_t payload_raw(const struct payload *p, const struct payload_record *record, const void *bytes,
	size_t n, char ret[static PAYLOAD_RAW_MAX], bool *ret_full);

/* Keep at most PAYLOAD_RAW_MAX of n bytes, without runs of over 512 base64 characters (pictures).
 * Returns how many were written; *ret_full tells whether that is all of it. */
size_t payload_keep(const char *s, size_t n, char ret[static PAYLOAD_RAW_MAX], bool *ret_full);

#endif
