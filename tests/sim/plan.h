/*
 * What a seed decides before anything happens: how long, how many, which settings, which faults.
 *
 * People, terminals and faults are made each from its own stream, so a plan can be made smaller
 * without changing what is left: that is how a failing story is shrunk.
 */
#ifndef PUNCHD_SIM_PLAN_H
#define PUNCHD_SIM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define PLAN_TROUBLES_MAX  256
#define PLAN_PEOPLE_MAX    64
#define PLAN_TERMINALS_MAX 8

enum trouble_kind {
	/* the gateway */
	TROUBLE_KILL,      /* kill -9, at a moment or at a point of its work */
	TROUBLE_POWER,     /* the same by pulling the plug */
	TROUBLE_STOP,      /* systemctl restart */
	TROUBLE_HANGUP,    /* systemctl reload */
	TROUBLE_DISK_IO,   /* a call fails with EIO */
	TROUBLE_DISK_FULL, /* the disk fills, seen by statvfs or by a write */
	TROUBLE_CLOCK,     /* somebody sets its clock */
	/* the way to the cloud, and the cloud */
	TROUBLE_LINE,         /* no connection */
	TROUBLE_LOST_BEFORE,  /* requests are lost on the way */
	TROUBLE_LOST_AFTER,   /* answers are lost on the way back */
	TROUBLE_SLOW,         /* answers take long, some longer than the time-out */
	TROUBLE_STATUS,       /* 401, 403, 408, 5xx and what a proxy says */
	TROUBLE_DOUBT_STATUS, /* 500, 502, 504, with the record made or not */
	TROUBLE_GARBAGE,      /* 2xx with what is no JSON, the record made */
	TROUBLE_NO_HEADERS,   /* answers without the rate limit's headers */
	TROUBLE_CLOUD_CLOCK,  /* the cloud's clock jumps */
	TROUBLE_FOREIGN,      /* another program uses the same key */
	TROUBLE_PLAN,         /* another plan: another limit */
	TROUBLE_KEY,          /* the key expires, and another comes */
	TROUBLE_ADDRESS,      /* two people swap their e-mail addresses */
	TROUBLE_DEVICE,       /* a device is registered anew, under another id */
	TROUBLE_SHUFFLE,      /* the list of users shifts while it is read */
	/* the broker */
	TROUBLE_BROKER_STOP, /* restarted in order */
	TROUBLE_BROKER_KILL, /* kill -9: it comes back with what it last saved */
	TROUBLE_BROKER_NEW,  /* it comes back without its memory */
	TROUBLE_BLACK_HOLE,  /* connections to it are swallowed */
	TROUBLE_LINK_CUT, /* the gateway's connection breaks, or another client takes its place */
	/* the terminals */
	TROUBLE_TERMINAL_AWAY,  /* off the network: it stores, and sends batches afterwards */
	TROUBLE_TERMINAL_CLOCK, /* its clock shows another time */
	TROUBLE_COUNTER,        /* its record counter begins again */
	TROUBLE_NOISE,          /* something sends what is no punch */
	TROUBLES
};

#define PLAN_LITTLE_ROWS  4
#define PLAN_LITTLE_LINES 80 /* five send windows at most are under way: 4 * 16, and a few */

struct plan_trouble {
	enum trouble_kind kind;
	int64_t after_us; /* from the story's beginning */
	int64_t lasts_us;
	int64_t number; /* what the kind makes of it */
};

struct plan {
	uint64_t seed;
	int days;
	int people;
	int terminals;
	int deeds; /* of an operator */
	int links; /* made and taken away by an operator; 0: terminals know nobody by a PIN */
	int troubles;
	bool left_out[PLAN_TROUBLES_MAX]; /* of the troubles */

	int max_in_flight;
	int64_t limit; /* requests in a window */
	int64_t window_s;
	int retention_days, max_age_days;
	const char *time_zone;
	bool little_memory; /* of the queue: the gateway reads on all the time */
	bool keys_honoured;
	bool holds; /* in_doubt = hold: what is in doubt waits for an operator */
	bool hooks; /* the cloud tells of its records */
	int64_t cloud_skew_s;
	int64_t latency_us;    /* of a request, about */
	int64_t autosave_us;   /* of the broker; 0: at once */
	int64_t broker_queue;  /* messages that it keeps */
	int64_t broker_flight; /* messages on their way at once */
};

void plan_make(struct plan *p, uint64_t seed, int weeks);

/* Trouble number i. */
struct plan_trouble plan_trouble(const struct plan *p, int i);

const char *trouble_name(enum trouble_kind kind);

#endif
