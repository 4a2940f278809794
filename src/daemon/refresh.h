/*
 * The directory: all users (paged) and devices, fetched on start, by [sync] and when asked, kept in
 * memory and in the store.
 *
 * A pass counts as complete when every page came and as many people were seen as the total says.
 * Where the total changed while paging, or the order did, the list is read once more; one that never
 * comes whole is a failed pass, with what was seen of it kept. A page that fails is asked for again,
 * and the pass goes on from there, also in the next rate window; the first of all passes after a
 * restart, too.
 *
 * Additions and changes count with their page. Who is missing counts where a complete pass was
 * stable, too: read once, with one total throughout, and each page beginning where the one before
 * ended. Nothing is ever removed (core/directory.h).
 *
 * A list that was never had whole goes before punches, until it is there or a try has failed.
 *
 * Where [sync] would have refreshes use more than a tenth of the requests that the key has in a day,
 * the intervals are stretched; a refresh that was asked for comes at once.
 */
#ifndef PUNCHD_DAEMON_REFRESH_H
#define PUNCHD_DAEMON_REFRESH_H

#include "api/api.h"
#include "daemon/context.h"

struct refresh;

struct refresh_events {
	void *arg;
	/* Something in the directory is new or different, or is known for the first time. people: a
	 * name may mean another person now. */
	void (*changed)(void *arg, bool people);
	/* The list of users was read whole: refresh_users_read_us. NULL: nobody asks. */
	void (*users_read)(void *arg);
	/* A request has ended: whoever waits for room may find some, or hear for how long there is none. */
	void (*ended)(void *arg);
	/* An answer showed the server's clock. */
	void (*server_date)(void *arg, int64_t date_s, struct moment sent, struct moment received);
};

/* The outcome of the passes, for status. A pass is one fetch of both lists. */
struct refresh_status {
	int64_t wanted;    /* the number of the newest pass that was asked for */
	int64_t complete;  /* of the newest complete one; 0: none yet */
	int64_t failed;    /* of the newest failed try */
	const char *words; /* why it failed; "" */
};

int refresh_new(struct context *context, struct api_client *client,
	const struct refresh_events *events, struct refresh **ret_refresh);
void refresh_free(struct refresh *r);

/* Fetch both lists now. Returns the number of the pass. */
int64_t refresh_now(struct refresh *r);

/* Have all users read from the first on, where they are not being read already. */
void refresh_read_users(struct refresh *r);

/* When the newest whole reading of the users began, monotonic: who was in the list then, and stayed, was
 * seen. 0: none since the start. */
int64_t refresh_users_read_us(const struct refresh *r);

/* Settings or the key have changed: take up the new intervals, and try again what failed. */
void refresh_wake(struct refresh *r);

void refresh_status(const struct refresh *r, struct refresh_status *ret);

#endif
