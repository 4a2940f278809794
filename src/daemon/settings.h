/*
 * Settings from disk: the configuration file, what lies in conf.d beside it, and the secrets that
 * they name (punchd.conf(5)).
 */
#ifndef PUNCHD_DAEMON_SETTINGS_H
#define PUNCHD_DAEMON_SETTINGS_H

#include "base/buf.h"
#include "core/config.h"
#include "core/hooksig.h"
#include "core/profile_set.h"
#include "edge/http_tcp.h"

/* The package's own profiles. */
#define PUNCHD_PROFILES "/usr/share/punchd/profiles"

#define SETTINGS_FAULTS_MAX (256 * 1024)

/*
 * Read FILE and, in name order, every *.conf of DIR/conf.d, where DIR is FILE's folder. Faults, also files
 * that cannot be read, are appended to faults as `FILE:LINE: message`. A FILE that does not exist is
 * a fault; no conf.d is none.
 * Returns 0, also with faults, or -ENOMEM. c is made in either case: config_done.
 */
int settings_read(struct config *c, const char *file, struct buf *faults);

/* settings_read with the faults on stderr. Returns whether there were none. c is made in either case. */
bool settings_read_aloud(struct config *c, const char *file);

/* A line of the log for each line of faults, which it cuts up. */
void settings_log_faults(struct buf *faults);

/* A number that is another one when a file was added, removed or written since. */
uint64_t settings_fingerprint(const char *file);

/* The last part of that: keys that contradict each other, and what only the machine can tell: zones,
 * files that are named. Returns 0, also with faults, or -ENOMEM. */
int settings_check(const struct config *c, struct buf *faults);

/* What is not there now, and would keep punchd from starting, but may yet come: `FILE:LINE: key:
 * warning: message`. It is no fault. */
void settings_foresee(const struct config *c, struct buf *warnings);

/* What file_read and file_read_secret could not do, in words. */
const char *settings_file_words(int error);

/*
 * Load the profiles that [mqtt] profiles names, from profile_dir, else from the package's folder.
 * Faults are appended as `FILE:LINE: profiles: PROFILE'S FILE: JSON path: message`. Returns 0, also with faults, or -ENOMEM. ret is
 * made in either case: profile_set_done.
 */
int settings_profiles(const struct config *c, struct profile_set *ret, struct buf *faults);

/* Where the API key lies: [api] key_file, else systemd's credential, else /etc/punchd/api.key. */
const char *settings_key_path(const struct config *c, char *to, size_t size);

/*
 * The API key, or NULL where there is none. ret_words then says why; it also tells of a file that
 * others can read, with the key there all the same ("" where all is well). Freed by
 * file_secret_free.
 */
#define SETTINGS_WORDS_MAX 512
char *settings_key(const struct config *c, char ret_words[static SETTINGS_WORDS_MAX]);

/* The broker's password: 0, also where none is named (*ret NULL), or an error with words. */
int settings_password(
	const struct config *c, char **ret_password, char ret_words[static SETTINGS_WORDS_MAX]);

/*
 * The secrets of [webhook], and its certificate: what a listener needs. Where none is named that is not
 * there: `has` is false, and tls NULL.
 */
struct settings_webhook {
	bool has;
	struct hooksig sig;
	struct http_tls *tls; /* may be taken over: then set to NULL */
};

/* Returns 0, also with faults, or -ENOMEM. settings_webhook_done in either case. */
int settings_webhook(const struct config *c, struct settings_webhook *ret, struct buf *faults);
void settings_webhook_done(struct settings_webhook *w);

/* [api] proxy as the API's transport wants it: NULL for the environment's, "" for none. */
const char *settings_proxy(const struct config *c);

/* The MQTT client id: as set, else punchd- and 12 hex digits derived from the machine id.
 * Returns 0 or a negative errno (no machine id). */
int settings_client_id(const struct config *c, char *to, size_t size);

/* The site's name: as set, else the host name. Returns to. */
const char *settings_site(const struct config *c, char *to, size_t size);

#endif
