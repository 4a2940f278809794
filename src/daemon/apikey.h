/*
 * The API key's file: read at the start, on SIGHUP, and whenever the file has changed: at once where
 * the kernel tells, and looked at every second besides.
 *
 * A key that is missing or cannot be read is no fault: punches are kept until there is one. The key
 * itself goes to the client and stays nowhere else.
 */
#ifndef PUNCHD_DAEMON_APIKEY_H
#define PUNCHD_DAEMON_APIKEY_H

#include <sys/stat.h>

#include "api/api.h"
#include "daemon/settings.h"
#include "edge/watchfile.h"

/* All zero before the first reading. */
struct apikey {
	struct stat stat;        /* of the file when it was read */
	struct watchfile *watch; /* NULL: there is none, the looks have to do */
	bool there;
	int64_t cloud;                  /* cloudmarks_cloud of it and base_url; 0: there is none */
	char words[SETTINGS_WORDS_MAX]; /* why there is none, or what is wrong with its file; "" */
};

/* Read the file and hand the key over. Returns 0, also where there is no key, or -ENOMEM. */
int apikey_load(struct apikey *k, const struct config *config, struct api_client *client);

/* Whether the file is another one than was read; from now on what lies there is watched. */
bool apikey_changed(struct apikey *k, const struct config *config);

/* Have it watched: on may find that it has changed. */
void apikey_watch(struct apikey *k, const struct config *config, struct loop *l,
	void (*on)(void *arg), void *arg);
void apikey_done(struct apikey *k);

#endif
