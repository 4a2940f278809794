#include "core/directory.h"

#include <errno.h>

#include "core/user.h"

/* A user as kept: with what may name them, normalised; "" where there is none. All text pointers,
 * which pack() wants. */
struct user_entry {
	struct dir_user user;
	const char *email;
	const char *phone;
};

void directory_init(struct directory *d, uint64_t seed)
{
	strmap_init(&d->users, seed);
	strmap_init(&d->devices, seed);
}

static void free_values(struct strmap *m)
{
	size_t pos = 0;
	void *value;

	while ((value = strmap_next(m, &pos, NULL)))
		free(value);
	strmap_done(m);
}

void directory_done(struct directory *d)
{
	free_values(&d->users);
	free_values(&d->devices);
}

/*
 * One allocation an entry: `size` bytes that are n text pointers and nothing else, and the texts
 * behind them.
 */
static void *pack(const void *entry, size_t size)
{
	const char *const *texts = entry;
	size_t n = size / sizeof *texts, total = size;
	const char **copy;
	char *to;

	for (size_t i = 0; i < n; i++)
		total += strlen(texts[i]) + 1;
	copy = malloc(total);
	if (!copy)
		return NULL;
	to = (char *)copy + size;
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(texts[i]) + 1;

		memcpy(to, texts[i], length);
		copy[i] = to;
		to += length;
	}
	return copy;
}

static bool same(const void *a, const void *b, size_t size)
{
	const char *const *left = a, *const *right = b;

	for (size_t i = 0; i < size / sizeof *left; i++) {
		if (strcmp(left[i], right[i]) != 0)
			return false;
	}
	return true;
}

static int put(struct strmap *m, const char *key, const void *entry, size_t size)
{
	void *old = strmap_get(m, key), *copy;

	if (old && same(old, entry, size))
		return DIR_SAME;
	copy = pack(entry, size);
	if (!copy || strmap_put(m, key, copy, NULL) < 0) {
		free(copy);
		return -ENOMEM;
	}
	free(old);
	return old ? DIR_CHANGED : DIR_NEW;
}

static const char *contact(enum user_kind kind, const char *text, char ret[static USER_MAX + 1])
{
	if (user_normalise(kind, text, ret) < 0)
		ret[0] = '\0';
	return ret;
}

int directory_put_user(struct directory *d, const struct dir_user *user)
{
	char email[USER_MAX + 1], phone[USER_MAX + 1];
	struct user_entry entry = {
		.user = *user,
		.email = contact(USER_EMAIL, user->email, email),
		.phone = contact(USER_PHONE, user->phone, phone),
	};

	return put(&d->users, user->id, &entry, sizeof entry);
}

int directory_put_device(struct directory *d, const struct dir_device *device)
{
	return put(&d->devices, device->serial, device, sizeof *device);
}

const struct dir_user *directory_user(const struct directory *d, const char *id)
{
	return strmap_get(&d->users, id);
}

const struct dir_user *directory_user_by_contact(
	const struct directory *d, enum user_kind kind, const char *value)
{
	const struct user_entry *e, *found = NULL;
	size_t pos = 0;

	while (*value && (e = strmap_next(&d->users, &pos, NULL))) {
		if (strcmp(kind == USER_EMAIL ? e->email : e->phone, value) != 0)
			continue;
		if (found)
			return NULL;
		found = e;
	}
	return found ? &found->user : NULL;
}

const struct dir_device *directory_device(const struct directory *d, const char *serial)
{
	return strmap_get(&d->devices, serial);
}
