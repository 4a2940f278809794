/*
 * People who are to be made in the cloud (POST /users): a queue beside the punches', each made at most
 * once (core/newuser.h).
 *
 * What is asked for is on disk before it is answered or sent; that it may have left is on disk before
 * it may. One is under way at a time, in the order of asking, but nobody waits for one who cannot go.
 * Who is in doubt has the list of users read (daemon/refresh.h), and goes again if they are not in it;
 * whoever turns up in the directory meanwhile, by a page of the list or a webhook, settles it at
 * once. Nothing is sent while forwarding is paused.
 *
 * Those that wait, and refusals that nobody was told of, are held in memory, 2 KiB each.
 */
#ifndef PUNCHD_DAEMON_NEWPEOPLE_H
#define PUNCHD_DAEMON_NEWPEOPLE_H

#include <jansson.h>

#include "api/api.h"
#include "core/newuser.h"
#include "daemon/context.h"
#include "daemon/refresh.h"

struct newpeople;
struct newperson; /* one of those in memory */

#define NEWPEOPLE_MAX       5000
#define NEWPEOPLE_ANSWER_MS 5000 /* how long somebody who asks waits for the cloud's answer */
#define NEWPEOPLE_KEEP_DAYS 7    /* who is settled is listed for so long */

struct newpeople_events {
	void *arg;
	/* As of refresh.h: who is new or linked has punches judged again, a request has ended, an
	 * answer showed the server's clock. */
	void (*changed)(void *arg, bool people);
	void (*ended)(void *arg);
	void (*server_date)(void *arg, int64_t date_s, struct moment sent, struct moment received);
	bool (*paused)(void *arg);
};

/* Reads who waits from the store: whatever may have left is in doubt. Returns 0 or an error. */
int newpeople_new(struct context *context, struct api_client *client, struct refresh *refresh,
	const struct newpeople_events *events, struct newpeople **ret_newpeople);
/* Whoever waits for an answer gets none. NULL is taken. */
void newpeople_free(struct newpeople *np);

/* ---- asking */

/* Why one cannot be asked for. */
enum newpeople_obstacle {
	NEWPEOPLE_NONE,
	NEWPEOPLE_KNOWN,   /* the cloud has somebody with this e-mail address or phone number */
	NEWPEOPLE_WAITS,   /* somebody with them waits already */
	NEWPEOPLE_LINKED,  /* what is to be linked means somebody already, or will */
	NEWPEOPLE_TOO_MANY /* NEWPEOPLE_MAX */
};

/* Look for one; then ret_words says what, and ret_id whose: a user's id, or the public id of one who
 * waits. */
#define NEWPEOPLE_ID_SIZE (CLOUD_ID_MAX + 1)
enum newpeople_obstacle newpeople_look_for(const struct newpeople *np, const struct newuser *u,
	char ret_words[static NEWUSER_WORDS_SIZE], char ret_id[static NEWPEOPLE_ID_SIZE]);

/*
 * How it stands with one who was asked for: called once, when they are settled, when it is clear that
 * they must wait, or after NEWPEOPLE_ANSWER_MS; never from inside the call that asked. one: NULL where
 * the daemon ends.
 */
typedef void newpeople_answered(void *arg, const struct newperson *one);

/*
 * Ask for one: what was asked for, when, and by whom is in *u, and is sound. answered may be NULL: for
 * somebody who does not wait. Returns 0 or a store error, and then nothing was asked for. *ret_one is
 * valid until the loop runs again.
 */
int newpeople_ask(struct newpeople *np, struct newuser *u, newpeople_answered *answered, void *arg,
	const struct newperson **ret_one);

const struct newuser *newperson_row(const struct newperson *one);

/* ---- what else happens */

/* The directory may have people that it had not, or forwarding goes on, or the key or the settings
 * have changed. */
void newpeople_wake(struct newpeople *np);

/* Nothing more is sent, and whoever waits for an answer is told how it stands. Whether somebody was. */
bool newpeople_stop(struct newpeople *np);

/* A request is under way. */
bool newpeople_in_flight(const struct newpeople *np);

/* ---- taking back */

enum newpeople_cancelled {
	NEWPEOPLE_CANCELLED,    /* nothing of it ever left, or the cloud has it not */
	NEWPEOPLE_MAY_BE_THERE, /* forced: it is not sent again, but the cloud may have it */
	NEWPEOPLE_TOLD,         /* it was refused: it is listed no more */
	NEWPEOPLE_IN_DOUBT,     /* nothing was done: it may have left, and force was not said */
};

/* By the public id or a beginning of it, or the e-mail address. 1: *ret_one; 0: none; -ENOTUNIQ. */
int newpeople_find(struct newpeople *np, const char *id_or_email, struct newperson **ret_one);

/* Returns an enum newpeople_cancelled or a store error. *one is gone unless NEWPEOPLE_IN_DOUBT or an
 * error is returned. */
int newpeople_cancel(struct newpeople *np, struct newperson *one, bool force);

/* ---- showing it (newpeople_view.c) */

/* One as a document; a new reference, NULL without memory. */
json_t *newpeople_one_json(const struct newpeople *np, const struct newperson *one);

/* Those that wait and refusals, as they were asked for; with settled ones of the last days before
 * them where all is set. A new array, or NULL with an error. */
json_t *newpeople_json(const struct newpeople *np, bool all, int *ret_error);

/* {"queued","in_doubt","refused"} for the status document. */
json_t *newpeople_counts_json(const struct newpeople *np);

#endif
