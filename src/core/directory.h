/*
 * The cloud's people and devices as last seen: held whole in memory, asked for every punch.
 *
 * Entries are added and changed, never removed: who is missing from two complete, stable passes over
 * the list is `gone` (JUDGING.md §3), which is shown and has no other effect than that somebody who
 * is not gone is preferred where two share an address. A punch of somebody who is gone is the API's
 * to judge, and who appears again is no longer gone.
 *
 * Each look-up takes the same time however many there are; 100,000 users take less than 40 MiB.
 */
#ifndef PUNCHD_CORE_DIRECTORY_H
#define PUNCHD_CORE_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/chain.h"
#include "core/punch.h"

/* All texts are owned by the entry and never NULL. */
struct dir_user {
	const char *id; /* usr_… */
	const char *name;
	const char *email;
	const char *phone;
	const char *department;
	const char *updated_at;
};

struct dir_device {
	const char *id; /* dev_… */
	const char *serial;
	const char *name;
	const char *type;
	const char *status;
	const char *location;
	const char *updated_at;
};

enum dir_what { DIR_DEVICES, DIR_USERS };
#define DIR_WHATS 2

/* Passes that somebody is missing from until they are gone. */
#define DIR_GONE 2

/* One of the lists, by id or serial. */
struct dir_list {
	struct chain chain;
	uint32_t pass; /* the number of the pass that is under way */
	size_t seen;   /* in this pass */
	size_t gone;
};

struct directory {
	struct dir_list lists[DIR_WHATS];
	struct chain emails, phones; /* users, by what is there, normalised as core/user.h does */
};

void directory_init(struct directory *d, uint64_t seed);
void directory_done(struct directory *d);

/* What a put does, or would do. */
enum dir_change {
	DIR_SAME,
	DIR_BACK, /* the same, but it was missing from the last pass */
	DIR_NEW,
	DIR_CHANGED
};

enum dir_change directory_compare_user(const struct directory *d, const struct dir_user *user);
enum dir_change directory_compare_device(
	const struct directory *d, const struct dir_device *device);

/*
 * Add or update, seen in this pass and missing no longer; the entry is copied.
 * Returns an enum dir_change, or -ENOMEM with nothing changed.
 */
int directory_put_user(struct directory *d, const struct dir_user *user);
int directory_put_device(struct directory *d, const struct dir_device *device);

/*
 * The same, told by an event and not seen on a page: at this moment, monotonic and not 0. It is no longer
 * missing, nor is it by the pass that is under way, which may have been past its place already.
 */
int directory_tell_user(struct directory *d, const struct dir_user *user, int64_t mono_us);
int directory_tell_device(struct directory *d, const struct dir_device *device, int64_t mono_us);
/* When it was told so last; 0: never in this run, or there is none such. */
int64_t directory_told_us(const struct directory *d, enum dir_what what, const char *key);
/* It was seen in this pass, and stays as it is. */
void directory_see(struct directory *d, enum dir_what what, const char *key);
/* When the cloud heard of a device last, as it says: not on disk, since it is another at each pass and
 * nothing is judged by it; cut where it is no time of theirs. Nothing is done where there is none such. */
void directory_device_synced(struct directory *d, const char *serial, const char *last_sync);
/* Of an entry of the directory; "" unknown. */
const char *directory_device_last_sync(const struct dir_device *device);

/* NULL where there is none. Valid until the next put of the same id. */
const struct dir_user *directory_user(const struct directory *d, const char *id);
/*
 * The one user with this e-mail address or phone number, normalised as core/user.h does; NULL where
 * there is none, or where several share it: then it names nobody. Those who are gone only count
 * where all are.
 */
const struct dir_user *directory_user_by_contact(
	const struct directory *d, enum user_kind kind, const char *value);

/* All of them, those who are gone too, one after the other: from NULL to NULL. Nothing is put
 * meanwhile. */
const struct dir_user *directory_next_by_contact(const struct directory *d, enum user_kind kind,
	const char *value, const struct dir_user *user);

const struct dir_device *directory_device(const struct directory *d, const char *serial);

/* Entries of the directory: */
bool directory_user_gone(const struct dir_user *user);
bool directory_device_gone(const struct dir_device *device);

/* Without those who are gone. */
size_t directory_count(const struct directory *d, enum dir_what what);

/* Walk over all, those who are gone too, in no order: from NULL to NULL. Nothing is put meanwhile. */
const struct dir_user *directory_next_user(const struct directory *d, const struct dir_user *user);
const struct dir_device *directory_next_device(
	const struct directory *d, const struct dir_device *device);

/* ---- passes over a list of the cloud */

/* Nobody was seen yet. */
void directory_pass_begin(struct directory *d, enum dir_what what);

/* How many different ones were put since. */
size_t directory_pass_seen(const struct directory *d, enum dir_what what);

/*
 * The pass was complete and stable: who was not seen is missing. Calls back with each one's key (id
 * or serial) and from how many such passes in a row it is missing now; who is gone already is left
 * out. Changes nothing. Returns 0, or what the callback returned where that is not 0.
 */
typedef int directory_missing(void *arg, const char *key, int passes);
int directory_pass_missing(
	const struct directory *d, enum dir_what what, directory_missing *missing, void *arg);

/* The same, and now it counts. Returns how many are gone by this pass. */
size_t directory_pass_end(struct directory *d, enum dir_what what);

/* From how many passes one is missing; 0 where there is none such. */
int directory_missed(const struct directory *d, enum dir_what what, const char *key);
/* As read from disk; nothing is done where there is none such. */
void directory_set_missed(struct directory *d, enum dir_what what, const char *key, int passes);

#endif
