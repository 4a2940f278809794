/*
 * Identity: what is "the same punch again" (JUDGING.md §1), and the key a punch has on the wire
 * (§6). Pure functions over the facts of a punch.
 *
 * An identity is 4 bytes of time (whole hours, big-endian) and 12 bytes of SHA-256. The time in
 * front keeps the pages of the store's unique index warm: punches of one hour lie together.
 */
#ifndef PUNCHD_CORE_IDENTITY_H
#define PUNCHD_CORE_IDENTITY_H

#include "core/punch.h"

/* What makes a punch without a time its own, and nobody else's. */
struct identity_arrival {
	int64_t received_us; /* as first taken, never corrected */
	const char *boot_id;
	int64_t counter; /* the store's count of messages that brought punches without a time */
	int index;       /* of the record in its message */
};

/*
 * Set p->identity from terminal, user_kind, user, record_id, time_sent and type_sent. arrival is
 * used where time_sent is "", and may else be NULL.
 * Returns 0 or -ENOMEM.
 */
int identity_of_punch(struct punch *p, const struct identity_arrival *arrival);

/*
 * The fingerprint by which a punch with a record id but without a time is found again: terminal,
 * user, record id and type.
 */
int identity_timeless(const struct punch *p, uint8_t ret[static IDENTITY_SIZE]);

/* Of a message, or a record of one, that could not be read: topic, hash of the whole message as
 * received, index of the record (0 for the whole). */
int identity_of_malformed(const char *topic, const uint8_t message_sha256[static 32], int index,
	uint8_t ret[static IDENTITY_SIZE]);

/* SHA-256 of bytes. Returns 0 or -ENOMEM. */
int identity_sha256(const void *bytes, size_t n, uint8_t ret[static 32]);

/* Set p->wire_key from identity, device_id, user_id and generation. Returns 0 or -ENOMEM. */
int identity_wire_key(struct punch *p);

#endif
