/*
 * People who are to be made in the cloud: what may be asked for, who is the same person, and what
 * is next for one. Pure.
 *
 * A person is made at most once. The request carries an idempotency key, but nobody knows whether
 * the cloud honours it: so once it may have left without a definite answer it is *in doubt*, and
 * goes again only after the cloud's list of people was read and they were not in it. That reading
 * must have begun when nothing of the request can be under way any more.
 */
#ifndef PUNCHD_CORE_NEWUSER_H
#define PUNCHD_CORE_NEWUSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/punch.h"

/* Numbers are on people's disks. */
enum newuser_state {
	NEWUSER_WAITING = 0,
	NEWUSER_CREATED = 1,
	NEWUSER_ADOPTED =
		2, /* found in the cloud's list: by an answer that was lost, or by others */
	NEWUSER_REFUSED =
		3, /* by the cloud, or since somebody else has the address or the number */
	NEWUSER_CANCELLED = 4
};
#define NEWUSER_STATES 5

/* A word for the control socket; in_doubt only matters while it waits. */
const char *newuser_state_name(enum newuser_state state, bool in_doubt);

#define NEWUSER_TEXT_MAX 200 /* bytes of each text, as the cloud takes them */

#define NEWUSER_PHONE_MAX 16 /* a plus and 15 digits */
#define NEWUSER_NOTE_MAX  400
#define NEWUSER_WHO_MAX   63

/* One who was asked for: a row of facts that owns nothing, as a punch is. Texts are "" where there is
 * none. */
struct newuser {
	int64_t id;                 /* the store's, in the order of asking */
	uint8_t key[WIRE_KEY_SIZE]; /* the idempotency key; in hex its public id */
	char name[NEWUSER_TEXT_MAX + 1];
	char email[NEWUSER_TEXT_MAX + 1];
	char phone[NEWUSER_PHONE_MAX + 1];
	char department[NEWUSER_TEXT_MAX + 1];
	/* Whom a terminal means by this is to be linked to them. */
	bool wants_link;
	enum user_kind link_kind;
	char link_value[USER_MAX + 1]; /* normalised */
	char link_device[TERMINAL_MAX + 1];
	/* who asked, and when */
	int64_t asked_us;
	uint32_t uid;
	char who[NEWUSER_WHO_MAX + 1];

	enum newuser_state state;
	int64_t sent_us; /* when something may have left that was not answered for certain; 0: nothing */
	int64_t settled_us;
	char user_id[CLOUD_ID_MAX + 1];
	bool told; /* whoever asked, or somebody since, was told how it ended */
	char note[NEWUSER_NOTE_MAX + 1]; /* what is to be known of its end */
	/* of the last failure or refusal; status 0: there was no answer */
	int error_status;
	char error_code[CLOUD_ID_MAX + 1];
	char error_message[REFUSAL_TEXT_MAX + 1];
	char error_param[CLOUD_ID_MAX + 1];
};

/* Texts are owned by whoever holds it, never NULL. */
struct newuser_person {
	const char *name;
	const char *email;
	const char *phone;
	const char *department; /* "": none */
};

struct newuser_person newuser_person(const struct newuser *u);

enum newuser_field { NEWUSER_NAME, NEWUSER_EMAIL, NEWUSER_PHONE, NEWUSER_DEPARTMENT };
#define NEWUSER_FIELDS 4

/* As the cloud calls it in the `param` of an error. */
const char *newuser_field_name(enum newuser_field field);

/*
 * What is wrong with one of a person's texts, by the cloud's rules (POST /users): false, and words
 * that name it; true: nothing.
 */
#define NEWUSER_WORDS_SIZE 512
bool newuser_field_good(const struct newuser_person *person, enum newuser_field field,
	char ret_words[static NEWUSER_WORDS_SIZE]);

/* How far somebody of the list is the one who was asked for. An e-mail address is compared without
 * regard to case, a phone number by its digits. */
enum newuser_likeness {
	NEWUSER_STRANGER,
	NEWUSER_SAME_EMAIL, /* and another phone number */
	NEWUSER_SAME_PHONE,
	NEWUSER_SAME
};
enum newuser_likeness newuser_compare(
	const struct newuser_person *person, const char *email, const char *phone);

/* Where name or department are others than those asked for: words; "" where they are not. */
void newuser_differences(const struct newuser_person *person, const char *name,
	const char *department, char ret_words[static NEWUSER_WORDS_SIZE]);

/* What is known of one who was asked for. Times are monotonic, of one clock. */
struct newuser_facts {
	enum newuser_state state;
	bool in_flight;
	bool in_doubt;
	enum newuser_likeness likeness; /* the most that anybody in the list is */
	int64_t doubt_us;               /* since when it is in doubt */
	int64_t quiet_us;               /* from here on nothing of what was sent can be under way */
	int64_t not_before_us;          /* after a failure: when it is worth trying again */
	int64_t looked_us; /* when the newest whole reading of the list began; 0: none yet */
};

enum newuser_step {
	NEWUSER_REST, /* it is settled, or an answer will come */
	NEWUSER_WAIT, /* until *ret_until_us */
	NEWUSER_LOOK, /* have the list read, from its beginning */
	NEWUSER_SEND,
	NEWUSER_ADOPT, /* they are there */
	NEWUSER_CLASH  /* somebody else is there with the same address or number */
};

enum newuser_step newuser_next(
	const struct newuser_facts *facts, int64_t now_us, int64_t *ret_until_us);

/* Whether the list was read since it came into doubt, late enough, and they were not there. */
bool newuser_is_absent(const struct newuser_facts *facts);

#endif
