/*
 * People, and the terminals that they tap.
 *
 * A terminal keeps what it was not told to forget, across everything; sends it again after
 * reconnecting and now and then; sends what it stored in arrays. Some trust the broker's PUBACK
 * instead of waiting for the gateway's ack, some have no clock, some do not say which way.
 */
#ifndef PUNCHD_SIM_TERMINAL_H
#define PUNCHD_SIM_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum way { WAY_NONE, WAY_IN, WAY_OUT };

#define PEOPLE_EMAILS 8

/* Whether an operator has linked a person's PIN. */
enum linked { LINKED_NO, LINKED_YES, LINKED_UNSURE };

struct person {
	int number;
	char id[16], phone[24], name[40];
	const char *emails[PEOPLE_EMAILS]; /* the present one first, then those before it */
	int64_t known_us; /* when the cloud learns of this person; INT64_MAX: never */
	int64_t gone_us;  /* when the cloud deletes this person */
	char pin[16];     /* by which terminals know this person; "" by an id of the cloud's */
	enum linked linked;
	int64_t linked_us; /* since when it is so */
	int start_min;     /* of the day: when this person comes */
	int hours;
};

struct terminal {
	int number;
	char serial[16];
	int registered; /* how often: its id in the cloud tells */
	int64_t known_us;
	bool trusting; /* forgets what the broker took */
	bool timeless;
	bool wayless;
	int zone_min; /* the offset that it writes */
	int64_t clock_off_us;
	bool away; /* off the network */
	bool connected;
	int64_t counter;
};

/* One tap, from the finger to the cloud: what the story knows of it. */
struct tap {
	int number;
	const struct terminal *terminal;
	const struct person *person;
	int64_t at_us;  /* true time */
	int64_t time_s; /* as the terminal's clock showed it */
	char id[24];
	char time[40]; /* as sent; "" none */
	char user[64];
	const char *kind; /* user_kind as sent; NULL: none */
	enum way way;     /* as sent */
	bool live;

	bool kept;       /* the terminal still has it */
	int64_t sent_us; /* last time; 0: never */
	bool pubacked;   /* a PUBACK for it left the gateway */
	bool acked;      /* an application ack for it left the gateway */
	int64_t seq;     /* of its row; 0: not seen yet */
	/* by an operator's hand */
	bool touched, released, discarded;
	int64_t deed_seq; /* the row it was done to; 0: none */
	bool unsure;      /* punchd died over a deed: done or not */
	enum way amended; /* WAY_NONE: not */
	bool twin;        /* another has no time either, and the same record id, user and way */
};

extern struct person people[];
extern struct terminal terminals[];
extern struct tap *taps;
extern int tap_count;

void terminals_begin(void);
void terminals_end(void);

void terminals_broker_is_down(void);
void terminals_broker_is_up(void);

/* A message from the gateway, through the broker. */
void terminals_publish(const char *topic, const char *payload);

void terminal_set_away(int number, bool away);
void terminal_set_clock(int number, int64_t off_us);
void terminal_reset_counter(int number);
/* Something that is no punch. */
void terminal_noise(int number, int64_t which);

/* Its id in the cloud, of the n-th registration. */
const char *terminal_device_id(const struct terminal *t, int n, char ret[static 24]);

/* Two people swap addresses, if they are such that the cloud knows them for good. */
void people_swap_emails(int a, int b);
/* Whether this person had what the terminal sent for it at some time. */
bool person_was(const struct person *p, const struct tap *tap);

/* Punches that terminals still keep. */
int terminals_keep(void);

/* Noise that was published, in records. */
extern int noise_count;

#endif
