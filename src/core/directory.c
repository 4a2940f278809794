#include "core/directory.h"

#include <errno.h>

#include "core/user.h"

/* What users and devices have in common; first in both, so that one is made from the other. */
struct entry {
	struct chain_node node; /* in its list */
	uint32_t seen;          /* the newest pass in which it was */
	uint32_t told;          /* the pass during which an event told of it last, */
	int64_t told_us;        /* and when, monotonic; 0: never */
	uint8_t missed;         /* passes in a row, up to DIR_GONE */
};

struct user_entry {
	struct entry entry;
	struct chain_node by_email, by_phone; /* in no table where there is none */
	const char *email;                    /* normalised, "" where there is none */
	const char *phone;
	struct dir_user user;
};

#define TIME_MAX 40 /* bytes of a time of the cloud */

struct device_entry {
	struct entry entry;
	char last_sync[TIME_MAX + 1];
	struct dir_device device;
};

#define OUTER(pointer, type, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))

static const char *user_key(const struct chain_node *node)
{
	return OUTER(node, struct user_entry, entry.node)->user.id;
}

static const char *device_key(const struct chain_node *node)
{
	return OUTER(node, struct device_entry, entry.node)->device.serial;
}

static const char *email_key(const struct chain_node *node)
{
	return OUTER(node, struct user_entry, by_email)->email;
}

static const char *phone_key(const struct chain_node *node)
{
	return OUTER(node, struct user_entry, by_phone)->phone;
}

static struct entry *entry_of(const struct chain_node *node)
{
	return node ? OUTER(node, struct entry, node) : NULL;
}

static bool is_gone(const struct entry *e)
{
	return e->missed >= DIR_GONE;
}

/* ---- life */

void directory_init(struct directory *d, uint64_t seed)
{
	*d = (struct directory){.lists = {{.pass = 1}, {.pass = 1}}};
	chain_init(&d->lists[DIR_USERS].chain, seed, user_key);
	chain_init(&d->lists[DIR_DEVICES].chain, seed, device_key);
	chain_init(&d->emails, seed, email_key);
	chain_init(&d->phones, seed, phone_key);
}

void directory_done(struct directory *d)
{
	for (int i = 0; i < DIR_WHATS; i++) {
		struct chain *c = &d->lists[i].chain;
		struct chain_node *node = chain_next(c, NULL), *next;

		for (; node; node = next) {
			next = chain_next(c, node);
			free(entry_of(node));
		}
		chain_done(c);
	}
	chain_done(&d->emails);
	chain_done(&d->phones);
}

/* ---- entries */

/* Entries of both kinds are text pointers and nothing else. */
static bool same(const void *a, const void *b, size_t size)
{
	const char *const *left = a, *const *right = b;

	for (size_t i = 0; i < size / sizeof *left; i++) {
		if (strcmp(left[i], right[i]) != 0)
			return false;
	}
	return true;
}

static size_t texts_size(const void *entry, size_t size)
{
	const char *const *texts = entry;
	size_t total = 0;

	for (size_t i = 0; i < size / sizeof *texts; i++)
		total += strlen(texts[i]) + 1;
	return total;
}

/* Copy a text behind those before it, and move on. */
static const char *place(char **at, const char *text)
{
	size_t length = strlen(text) + 1;
	const char *to = memcpy(*at, text, length);

	*at += length;
	return to;
}

static void place_all(const void *from, void *to, size_t size, char **at)
{
	const char *const *texts = from;
	const char **copies = to;

	for (size_t i = 0; i < size / sizeof *texts; i++)
		copies[i] = place(at, texts[i]);
}

static const char *contact(enum user_kind kind, const char *text, char ret[static USER_MAX + 1])
{
	if (user_normalise(kind, text, ret) < 0)
		ret[0] = '\0';
	return ret;
}

/* What is normalised already, as most are, is kept once. */
static size_t extra_size(const char *text, const char *normalised)
{
	return strcmp(text, normalised) == 0 ? 0 : strlen(normalised) + 1;
}

static const char *extra(const char *text, const char *normalised, char **at)
{
	return strcmp(text, normalised) == 0 ? text : place(at, normalised);
}

static struct entry *make_user(const struct dir_user *user)
{
	char email[USER_MAX + 1], phone[USER_MAX + 1], *at;
	struct user_entry *e;

	contact(USER_EMAIL, user->email, email);
	contact(USER_PHONE, user->phone, phone);
	e = malloc(sizeof *e + texts_size(user, sizeof *user) + extra_size(user->email, email) +
		extra_size(user->phone, phone));
	if (!e)
		return NULL;
	*e = (struct user_entry){.email = ""};
	at = (char *)(e + 1);
	place_all(user, &e->user, sizeof *user, &at);
	e->email = extra(e->user.email, email, &at);
	e->phone = extra(e->user.phone, phone, &at);
	return &e->entry;
}

static struct entry *make_device(const struct dir_device *device)
{
	struct device_entry *e = malloc(sizeof *e + texts_size(device, sizeof *device));
	char *at;

	if (!e)
		return NULL;
	*e = (struct device_entry){.entry.seen = 0};
	at = (char *)(e + 1);
	place_all(device, &e->device, sizeof *device, &at);
	return &e->entry;
}

/* ---- look-up */

static struct entry *find(const struct directory *d, enum dir_what what, const char *key)
{
	return entry_of(chain_find(&d->lists[what].chain, key));
}

static const struct dir_user *user_of(const struct entry *e)
{
	return e ? &OUTER(e, struct user_entry, entry)->user : NULL;
}

static const struct dir_device *device_of(const struct entry *e)
{
	return e ? &OUTER(e, struct device_entry, entry)->device : NULL;
}

const struct dir_user *directory_user(const struct directory *d, const char *id)
{
	return user_of(find(d, DIR_USERS, id));
}

const struct dir_device *directory_device(const struct directory *d, const char *serial)
{
	return device_of(find(d, DIR_DEVICES, serial));
}

static const struct entry *by_contact(enum user_kind kind, const struct chain_node *node)
{
	return kind == USER_EMAIL ? &OUTER(node, struct user_entry, by_email)->entry
				  : &OUTER(node, struct user_entry, by_phone)->entry;
}

const struct dir_user *directory_user_by_contact(
	const struct directory *d, enum user_kind kind, const char *value)
{
	const struct chain *c = kind == USER_EMAIL ? &d->emails : &d->phones;
	const struct entry *there = NULL, *gone = NULL;
	int gone_count = 0;

	for (const struct chain_node *node = chain_find(c, value); node;
		node = chain_again(c, node)) {
		const struct entry *e = by_contact(kind, node);

		if (!is_gone(e) && there)
			return NULL;
		if (is_gone(e)) {
			gone = e;
			gone_count++;
		} else {
			there = e;
		}
	}
	return user_of(there ? there : gone_count == 1 ? gone : NULL);
}

const struct dir_user *directory_next_by_contact(const struct directory *d, enum user_kind kind,
	const char *value, const struct dir_user *user)
{
	const struct chain *c = kind == USER_EMAIL ? &d->emails : &d->phones;
	const struct user_entry *e = user ? OUTER(user, struct user_entry, user) : NULL;
	const struct chain_node *node;

	if (!e)
		node = chain_find(c, value);
	else
		node = chain_again(c, kind == USER_EMAIL ? &e->by_email : &e->by_phone);
	return node ? user_of(by_contact(kind, node)) : NULL;
}

void directory_device_synced(struct directory *d, const char *serial, const char *last_sync)
{
	struct entry *e = find(d, DIR_DEVICES, serial);
	struct device_entry *device = OUTER(e, struct device_entry, entry);

	if (e)
		punch_text_cut(device->last_sync, sizeof device->last_sync, last_sync);
}

const char *directory_device_last_sync(const struct dir_device *device)
{
	return OUTER(device, struct device_entry, device)->last_sync;
}

bool directory_user_gone(const struct dir_user *user)
{
	return is_gone(&OUTER(user, struct user_entry, user)->entry);
}

bool directory_device_gone(const struct dir_device *device)
{
	return is_gone(&OUTER(device, struct device_entry, device)->entry);
}

size_t directory_count(const struct directory *d, enum dir_what what)
{
	return d->lists[what].chain.used - d->lists[what].gone;
}

const struct dir_user *directory_next_user(const struct directory *d, const struct dir_user *user)
{
	return user_of(entry_of(chain_next(&d->lists[DIR_USERS].chain,
		user ? &OUTER(user, struct user_entry, user)->entry.node : NULL)));
}

const struct dir_device *directory_next_device(
	const struct directory *d, const struct dir_device *device)
{
	return device_of(entry_of(chain_next(&d->lists[DIR_DEVICES].chain,
		device ? &OUTER(device, struct device_entry, device)->entry.node : NULL)));
}

/* ---- changes */

static enum dir_change change_of(const struct entry *old, bool is_same)
{
	if (!old)
		return DIR_NEW;
	if (!is_same)
		return DIR_CHANGED;
	return old->missed > 0 ? DIR_BACK : DIR_SAME;
}

enum dir_change directory_compare_user(const struct directory *d, const struct dir_user *user)
{
	const struct entry *old = find(d, DIR_USERS, user->id);

	return change_of(old, old && same(user_of(old), user, sizeof *user));
}

enum dir_change directory_compare_device(const struct directory *d, const struct dir_device *device)
{
	const struct entry *old = find(d, DIR_DEVICES, device->serial);

	return change_of(old, old && same(device_of(old), device, sizeof *device));
}

static void set_missed(struct dir_list *l, struct entry *e, int passes)
{
	l->gone -= is_gone(e);
	e->missed = (uint8_t)(passes < 0 ? 0 : passes < DIR_GONE ? passes : DIR_GONE);
	l->gone += is_gone(e);
}

static void see(struct dir_list *l, struct entry *e)
{
	l->seen += e->seen != l->pass;
	e->seen = l->pass;
	set_missed(l, e, 0);
}

/* Put a new entry in the place of the old one, which may be NULL. There is room for it. */
static void replace(struct dir_list *l, struct entry *old, struct entry *e)
{
	if (old) {
		e->seen = old->seen;
		e->told = old->told;
		e->told_us = old->told_us;
		set_missed(l, old, 0);
		chain_del(&l->chain, &old->node);
	}
	chain_add(&l->chain, &e->node);
}

static void index_user(struct directory *d, struct entry *old, struct entry *e)
{
	struct user_entry *before = OUTER(old, struct user_entry, entry);
	struct user_entry *after = OUTER(e, struct user_entry, entry);

	if (old) {
		chain_del(&d->emails, &before->by_email);
		chain_del(&d->phones, &before->by_phone);
	}
	if (after->email[0])
		chain_add(&d->emails, &after->by_email);
	if (after->phone[0])
		chain_add(&d->phones, &after->by_phone);
}

/* Put it there; *ret is its entry. Returns an enum dir_change, or -ENOMEM. */
static int set_user(struct directory *d, const struct dir_user *user, struct entry **ret)
{
	struct dir_list *l = &d->lists[DIR_USERS];
	struct entry *e = find(d, DIR_USERS, user->id), *old = e;
	enum dir_change change = directory_compare_user(d, user);

	if (change == DIR_NEW || change == DIR_CHANGED) {
		if (chain_reserve(&l->chain) < 0 || chain_reserve(&d->emails) < 0 ||
			chain_reserve(&d->phones) < 0)
			return -ENOMEM;
		e = make_user(user);
		if (!e)
			return -ENOMEM;
		replace(l, old, e);
		index_user(d, old, e);
		free(old);
	}
	*ret = e;
	return (int)change;
}

static int set_device(struct directory *d, const struct dir_device *device, struct entry **ret)
{
	struct dir_list *l = &d->lists[DIR_DEVICES];
	struct entry *e = find(d, DIR_DEVICES, device->serial), *old = e;
	enum dir_change change = directory_compare_device(d, device);

	if (change == DIR_NEW || change == DIR_CHANGED) {
		if (chain_reserve(&l->chain) < 0)
			return -ENOMEM;
		e = make_device(device);
		if (!e)
			return -ENOMEM;
		replace(l, old, e);
		free(old);
	}
	*ret = e;
	return (int)change;
}

int directory_put_user(struct directory *d, const struct dir_user *user)
{
	struct entry *e = NULL;
	int change = set_user(d, user, &e);

	if (change >= 0)
		see(&d->lists[DIR_USERS], e);
	return change;
}

int directory_put_device(struct directory *d, const struct dir_device *device)
{
	struct entry *e = NULL;
	int change = set_device(d, device, &e);

	if (change >= 0)
		see(&d->lists[DIR_DEVICES], e);
	return change;
}

static void tell(struct dir_list *l, struct entry *e, int64_t mono_us)
{
	e->told = l->pass;
	e->told_us = mono_us;
	set_missed(l, e, 0);
}

int directory_tell_user(struct directory *d, const struct dir_user *user, int64_t mono_us)
{
	struct entry *e = NULL;
	int change = set_user(d, user, &e);

	if (change >= 0)
		tell(&d->lists[DIR_USERS], e, mono_us);
	return change;
}

int directory_tell_device(struct directory *d, const struct dir_device *device, int64_t mono_us)
{
	struct entry *e = NULL;
	int change = set_device(d, device, &e);

	if (change >= 0)
		tell(&d->lists[DIR_DEVICES], e, mono_us);
	return change;
}

int64_t directory_told_us(const struct directory *d, enum dir_what what, const char *key)
{
	const struct entry *e = find(d, what, key);

	return e ? e->told_us : 0;
}

void directory_see(struct directory *d, enum dir_what what, const char *key)
{
	struct entry *e = find(d, what, key);

	if (e)
		see(&d->lists[what], e);
}

/* ---- passes */

void directory_pass_begin(struct directory *d, enum dir_what what)
{
	d->lists[what].pass++;
	d->lists[what].seen = 0;
}

size_t directory_pass_seen(const struct directory *d, enum dir_what what)
{
	return d->lists[what].seen;
}

static bool is_missing(const struct dir_list *l, const struct entry *e)
{
	return e->seen != l->pass && e->told != l->pass && !is_gone(e);
}

int directory_pass_missing(
	const struct directory *d, enum dir_what what, directory_missing *missing, void *arg)
{
	const struct dir_list *l = &d->lists[what];
	int r = 0;

	for (struct chain_node *node = chain_next(&l->chain, NULL); node && r == 0;
		node = chain_next(&l->chain, node)) {
		const struct entry *e = entry_of(node);

		if (is_missing(l, e))
			r = missing(arg, l->chain.key(node), e->missed + 1);
	}
	return r;
}

size_t directory_pass_end(struct directory *d, enum dir_what what)
{
	struct dir_list *l = &d->lists[what];
	size_t before = l->gone;

	for (struct chain_node *node = chain_next(&l->chain, NULL); node;
		node = chain_next(&l->chain, node)) {
		struct entry *e = entry_of(node);

		if (is_missing(l, e))
			set_missed(l, e, e->missed + 1);
	}
	return l->gone - before;
}

int directory_missed(const struct directory *d, enum dir_what what, const char *key)
{
	const struct entry *e = find(d, what, key);

	return e ? e->missed : 0;
}

void directory_set_missed(struct directory *d, enum dir_what what, const char *key, int passes)
{
	struct entry *e = find(d, what, key);

	if (e)
		set_missed(&d->lists[what], e, passes);
}
