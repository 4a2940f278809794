/*
 * The vocabulary: what a punch is, and the words for its states, reasons, types and flags.
 *
 * A struct punch is one row of facts. It owns nothing (all text is inside it), so it may be copied
 * and dropped freely. The numbers of the enums are on people's disks: they never change.
 */
#ifndef PUNCHD_CORE_PUNCH_H
#define PUNCHD_CORE_PUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_SIZE    16
#define WIRE_KEY_SIZE    16
#define TERMINAL_MAX     64  /* bytes of a terminal's own name */
#define RECORD_ID_MAX    256 /* bytes of a record id: 64 characters */
#define USER_MAX         512 /* bytes of a user as a terminal sends it: 128 characters */
#define TIME_SENT_MAX    64  /* bytes of a time as sent */
#define CLOUD_ID_MAX     64  /* bytes of usr_, dev_ and att_ ids that are accepted */
#define REFUSAL_TEXT_MAX 200 /* bytes kept of an API error's message */

enum punch_state {
	PUNCH_QUEUED = 0,     /* will be forwarded */
	PUNCH_HELD = 1,       /* waits for something that may come by itself */
	PUNCH_DELIVERED = 2,  /* the cloud has it */
	PUNCH_SUPPRESSED = 3, /* a double tap */
	PUNCH_PARKED = 4,     /* needs a person */
	PUNCH_DISCARDED = 5,  /* by a person */
};
#define PUNCH_STATES 6

enum punch_reason {
	REASON_NONE = 0,
	/* held */
	REASON_RESTORED = 1,
	REASON_NO_TIME = 2,
	REASON_BEFORE_START = 3,
	REASON_STALE = 4,
	REASON_FUTURE_TIME = 5,
	REASON_UNKNOWN_DEVICE = 6,
	REASON_INACTIVE_DEVICE = 7,
	REASON_UNKNOWN_USER = 8,
	REASON_NO_DIRECTION = 9,
	REASON_IN_DOUBT = 10,
	/* suppressed */
	REASON_DOUBLE_TAP = 20,
	/* parked */
	REASON_MALFORMED = 30,
	REASON_BAD_TIME = 31,
	REASON_TOO_LARGE = 32,
	REASON_CRASHED = 33,
	/* discarded */
	REASON_EXPORTED = 40,
	/* parked by the API: REASON_API + the HTTP status, written api_400 */
	REASON_API = 1000,
};

enum user_kind {
	USER_ID = 0, /* the cloud's own usr_… */
	USER_PIN = 1,
	USER_CARD = 2,
	USER_SLOT = 3,
	USER_EMAIL = 4,
	USER_PHONE = 5,
};

enum punch_type { TYPE_NONE = 0, TYPE_CHECK_IN = 1, TYPE_CHECK_OUT = 2 };

/* Who decided the type. */
enum type_from {
	FROM_NOBODY = 0,
	FROM_TERMINAL = 1,
	FROM_SETTING = 2,
	FROM_ALTERNATE = 3,
	FROM_PERSON = 4
};

enum punch_flag {
	FLAG_NO_ID = 1 << 0,        /* the cloud answered without an att_ id */
	FLAG_AMENDED = 1 << 1,      /* corrected by hand */
	FLAG_TIME_SKIPPED = 1 << 2, /* a local time that a clock change skipped */
	FLAG_IN_DOUBT = 1 << 3,     /* a send's answer was lost: the cloud may have the record; kept
				     * when it is delivered, since it may then have two */
	FLAG_LIVE = 1 << 4,         /* the terminal said live: true */
	FLAG_STORED = 1 << 5,       /* the terminal said live: false */
	FLAG_TRUSTED = 1 << 6, /* the clock was trusted when it came, or its receipt is corrected */
	FLAG_WAITED = 1 << 7, /* no time, and it waited unknown long: only a person lifts no_time */
	FLAG_RESTORED = 1 << 8,      /* read back from a damaged file or a backup */
	FLAG_RELEASED = 1 << 9,      /* a person released it: JUDGING.md §8 says what that lifts */
	FLAG_TIME_BY_HAND = 1 << 10, /* its time was amended: nothing else decides it any more */
	FLAG_USER_BY_HAND = 1 << 11, /* the same of user_id; of the type it is FROM_PERSON */
	FLAG_BESIDE_BEFORE = 1 << 12, /* released as the double of a tap before it: both count */
	FLAG_BESIDE_BEHIND = 1 << 13, /* the same of one behind it */
	FLAG_BY_EVENT = 1 << 14,      /* delivered, says an event of the cloud, not an answer */
};

/* A place in the order in which punches go: by punch time, equal ones by identity (JUDGING.md §5, §9),
 * so that it does not depend on the order of arrival. */
struct punch_place {
	int64_t time_s;
	uint8_t identity[IDENTITY_SIZE];
};

#define PUNCH_PLACE_FIRST ((struct punch_place){.time_s = INT64_MIN})

struct punch {
	int64_t seq; /* place in the order of arrival, from 1; 0 before it is stored */
	uint8_t identity[IDENTITY_SIZE];
	enum punch_state state;
	int reason; /* enum punch_reason, or REASON_API + status */
	unsigned flags;

	/* as sent */
	char terminal[TERMINAL_MAX + 1];
	enum user_kind user_kind;
	char user[USER_MAX + 1]; /* normalised: core/user.h */
	char record_id[RECORD_ID_MAX + 1];
	char time_sent[TIME_SENT_MAX + 1]; /* "" where there was none */
	enum punch_type type_sent;

	/* receipt, as first taken but for a correction of received_us (JUDGING.md §2) */
	int64_t received_us; /* wall clock */
	int64_t mono_us;     /* monotonic clock of that boot */
	int64_t boot;        /* the store's number of that boot */

	/* as judged; what goes to the cloud once frozen_us is set, and does not change from then on */
	bool has_time;
	int64_t time_s; /* UTC */
	enum punch_type type;
	enum type_from type_from;
	int64_t frozen_us;       /* 0: not frozen */
	int64_t frozen_cloud_us; /* the same by the cloud's clock; 0: not known, or nobody asks */
	char user_id[CLOUD_ID_MAX + 1];
	char device_id[CLOUD_ID_MAX + 1];
	int generation; /* of the wire key: rises only when a person retries after a refusal */
	uint8_t wire_key[WIRE_KEY_SIZE];

	/* settlement and refusals */
	int64_t settled_us; /* 0: not settled */
	char att_id[CLOUD_ID_MAX + 1];
	int tries; /* of the run that settled it, or refused it last */
	char error_code[CLOUD_ID_MAX + 1];
	char error_message[REFUSAL_TEXT_MAX + 1];
	char error_param[CLOUD_ID_MAX + 1];
};

/* Where a punch with a time goes. */
struct punch_place punch_place(const struct punch *p);

/* Less than, equal to or greater than 0, as a goes before b, is it, or goes after it. */
int punch_place_compare(const struct punch_place *a, const struct punch_place *b);

/* Delivered, suppressed or discarded. */
bool punch_settled(enum punch_state state);

/* The words that users see; every one is a constant, but a reason may need ret_text. */
#define REASON_TEXT_SIZE 24
const char *punch_state_name(enum punch_state state);
const char *punch_reason_name(int reason, char ret_text[static REASON_TEXT_SIZE]); /* "" for none */
const char *punch_type_name(enum punch_type type);                                 /* "" for none */
const char *type_from_name(enum type_from from); /* "" for nobody */
const char *user_kind_name(enum user_kind kind);

/* The other way round: 0 or -EINVAL. */
int punch_state_parse(const char *name, enum punch_state *ret);
int punch_reason_parse(const char *name, int *ret);
int punch_type_parse(const char *name, enum punch_type *ret);
int user_kind_parse(const char *name, enum user_kind *ret);

/* Copy text into an array of size bytes. Returns 0, or -E2BIG with the array empty. */
int punch_text_set(char *to, size_t size, const char *text);

/* Copy as much as fits, cut on a UTF-8 character's boundary. */
void punch_text_cut(char *to, size_t size, const char *text);

#endif
