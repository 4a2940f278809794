/*
 * Terminal profiles: a JSON file a family of terminals that says how its own topics and payloads
 * become punches, and what it is answered (docs/profiles.md).
 *
 * A profile is checked whole when it is loaded; what has passed is then only interpreted. It is
 * immutable and owns the JSON it was read from. It may be used by several readers at once.
 *
 * What keeps a profile harmless: it listens on filters of named levels only, never on att/v1; what it
 * publishes begins with the level that its own topics begin with, every inserted part is one level,
 * and a topic that any loaded profile or we ourselves listen on is never published to.
 */
#ifndef PUNCHD_CORE_PROFILE_H
#define PUNCHD_CORE_PROFILE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/zone.h"
#include "core/payload.h"
#include "core/profile_topic.h"

#define PROFILE_FILE_MAX    ((size_t)256 * 1024) /* bytes of a profile */
#define PROFILE_TEXT_SIZE   1024  /* holds every text that is read from a message, with its NUL */
#define PROFILE_RECORDS_MAX 10000 /* of one message */

enum profile_format { FORMAT_JSON, FORMAT_TEXT, FORMAT_TSV, FORMAT_KV };

/* What became of a record, as bits; `ack.on` is a set of them. */
enum profile_outcome {
	OUTCOME_STORED = 1 << 0,    /* on disk, in whatever state */
	OUTCOME_DUPLICATE = 1 << 1, /* was there already */
	OUTCOME_REJECTED = 1 << 2,  /* no punch: it failed `accept` */
	OUTCOME_REFUSED = 1 << 3,   /* not stored for want of disk: never acknowledged */
};

/* Something to publish: `topic` or `to`, and `payload` or `payload_text`. */
struct profile_letter {
	const char *topic;     /* NULL: there is none */
	const json_t *payload; /* NULL: payload_text */
	const char *payload_text;
};

struct profile {
	json_t *root; /* owns every text and list below; what is absent is NULL */
	const char *name;
	const char *topic;
	enum profile_format format;
	bool takes_retained;
	const json_t *columns;
	const json_t *unwrap;
	const char *records;
	const json_t *accept;
	const json_t *device;
	const json_t *user;
	const json_t *user_reject;
	const json_t *record_id;
	const json_t *strip;
	struct {
		const json_t *from, *formats;
		const char *offset_s;
		bool utc; /* zone: UTC */
		bool received;
	} time;
	const char *direction_from;
	const json_t *direction_map;
	const char *live_from;
	const json_t *live_true;
	int64_t double_tap_s; /* -1: not said */
	struct {
		struct profile_letter letter;
		bool each_record;
		bool once;
		unsigned on; /* enum profile_outcome */
		const json_t *needs;
	} ack;
	const json_t *replies;
	const json_t *presence;
	struct profile_letter clock;
	int64_t clock_every_s;
};

/*
 * Read and check a profile. Faults are appended to `faults` as lines `FILE: JSON path: message`;
 * reading goes on, so that a person sees all of them at once. *ret_profile is NULL where there are
 * any. Returns 0, also with faults, or -ENOMEM.
 */
int profile_load(const char *file, const char *text, size_t n, struct buf *faults,
	struct profile **ret_profile);
void profile_free(struct profile *p);

/* ---- paths and what they lead to (profile_path.c) */

/* Where paths begin. */
struct profile_view {
	const json_t *root;   /* the message, unwrapped; NULL: it could not be read */
	const json_t *record; /* NULL: none yet */
	struct profile_names names;
};

enum profile_value {
	VALUE_NONE, /* missing, null or blank */
	VALUE_TEXT, /* a text, number or boolean, as trimmed text */
	VALUE_ODD,  /* an object, an array, too long, or a number that lost digits */
};

/* What a path leads to; NULL where there is nothing, and for `topic:` and `const:`. */
const json_t *profile_find(const struct profile_view *v, const char *path);
/* The text that a path leads to; "" unless VALUE_TEXT. */
enum profile_value profile_get(
	const struct profile_view *v, const char *path, char ret[static PROFILE_TEXT_SIZE]);
/* The first of a list of paths that leads to something. */
enum profile_value profile_first(
	const struct profile_view *v, const json_t *paths, char ret[static PROFILE_TEXT_SIZE]);
/* Whether a list of texts holds this one. */
bool profile_lists(const json_t *list, const char *text);
/* Whether all conditions of a list hold. */
bool profile_accepts(const json_t *conditions, const struct profile_view *v);
/* Drop what the paths of `strip` lead to. Returns whether something was there. */
bool profile_strip(const json_t *paths, json_t *root);

/* ---- times (profile_time.c) */

/* NULL, or why a format is none that can be used. */
const char *profile_time_format_fault(const char *format);
/*
 * The time of a record into p->time_sent, time_s, has_time and flags. zone is that of the terminal.
 * Returns NULL, or what is wrong; *ret_bad where it is a text that is no time (bad_time).
 */
const char *profile_time_read(const struct profile *profile, const struct profile_view *v,
	const struct zone *zone, struct punch *p, bool *ret_bad);

/* ---- messages (profile_read.c) */

/* A message being read. Begin with profile_reading_init, end with _done. */
struct profile_reading {
	const struct profile *profile;
	const struct zone *zone; /* of local times, */
	/* or asked for by the terminal's name, where this is set after _init */
	const struct zone *(*zone_of)(void *arg, const char *terminal);
	void *zone_arg;
	const char *bytes;
	size_t length;
	json_t *message; /* as parsed; owned */
	json_t *line;    /* the line being read; owned */
	bool stripped;   /* something was dropped from what was parsed last */
	struct profile_view view;
	const json_t *list;  /* of records; NULL: the message is the record, or its lines are */
	struct jspan *lines; /* owned */
	size_t count, next;
	const char *whole_fault; /* the message is wrong as a whole */
	/* of the record read last */
	char device[PROFILE_TEXT_SIZE];
	char record_id[PROFILE_TEXT_SIZE];
};

/* topic has to outlive the reading, and match the profile's. Returns 0 or -ENOMEM. */
int profile_reading_init(struct profile_reading *r, const struct profile *p, const char *topic,
	const void *bytes, size_t n, const struct zone *zone);
void profile_reading_done(struct profile_reading *r);

/*
 * The next record, as payload_next gives them, with PAYLOAD_IGNORED for what is no punch; its
 * punch.terminal is set. Returns 1, 0 behind the last, or -ENOMEM.
 */
int profile_reading_next(struct profile_reading *r, struct payload_record *ret);

/* As payload_raw, without what `strip` drops. Of the record read last. Returns a length or -ENOMEM. */
int profile_reading_raw(struct profile_reading *r, const struct payload_record *record,
	char ret[static PAYLOAD_RAW_MAX], bool *ret_full);

/* ---- what is published (profile_letter.c) */

/* What templates insert, beside what paths lead to. */
struct profile_facts {
	const struct profile_view *view;
	const char *device;
	const char *record_id;
	int64_t count; /* of records in the message */
	uint64_t random[2];
	int64_t now_s;
	const struct zone *zone; /* NULL: UTC */
};

/* What a letter can be made of. */
enum letter_kind {
	LETTER_ACK,   /* of a punch and its message */
	LETTER_REPLY, /* of a message */
	LETTER_CLOCK, /* of neither: it comes of itself */
};

/* NULL, or why a template is none. filter: the topic whose names it may use. */
const char *profile_template_fault(const char *text, const char *filter, enum letter_kind kind);
/*
 * Append a topic. Returns 0, -EINVAL (an inserted part is no topic level) or -ENOMEM.
 */
int profile_topic_fill(const char *text, const struct profile_facts *f, struct buf *out);
/* Append a payload. Returns 0, -ENODATA (what must be a whole number is none) or -ENOMEM. */
int profile_payload_fill(
	const struct profile_letter *letter, const struct profile_facts *f, struct buf *out);
/* Whether `ack.on` and `ack.needs` have a record, or a message, of these outcomes acknowledged. */
bool profile_ack_wanted(const struct profile *p, const struct profile_facts *f, unsigned outcomes);

/* ---- what terminals say of themselves (profile_side.c) */

struct profile_presence {
	char device[TERMINAL_MAX + 1];
	bool online;
	int64_t timeout_s; /* 0: not said */
};

/* What a message says of a terminal's presence. Returns 1, 0 (nothing) or -ENOMEM. */
int profile_presence(const struct profile *p, const char *topic, const void *bytes, size_t n,
	struct profile_presence *ret);

/* For how long a terminal may be silent, seconds; 0: it may be for ever. */
int64_t profile_timeout_s(const struct profile *p);

typedef void profile_send(void *arg, const char *topic, const char *payload, size_t length);

/* Send what `replies` answers to a message. f: random, now_s and zone. Returns 0 or -ENOMEM. */
int profile_replies(const struct profile *p, const char *topic, const void *bytes, size_t n,
	const struct profile_facts *f, profile_send *send, void *arg);

/* Call for each filter that a profile listens on. */
typedef void profile_filter_seen(void *arg, const char *filter);
void profile_filters(const struct profile *p, profile_filter_seen *seen, void *arg);

/* ---- formats (profile_parse.c) */

/* Parse bytes in a format into a JSON value; *ret_fault where that cannot be. 0 or -ENOMEM. */
int profile_parse(enum profile_format format, const json_t *columns, const char *bytes, size_t n,
	json_t **ret, const char **ret_fault);

#endif
