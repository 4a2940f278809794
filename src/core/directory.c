#include "core/directory.h"

#include <errno.h>

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

int directory_put_user(struct directory *d, const struct dir_user *user)
{
	return put(&d->users, user->id, user, sizeof *user);
}

int directory_put_device(struct directory *d, const struct dir_device *device)
{
	return put(&d->devices, device->serial, device, sizeof *device);
}

const struct dir_user *directory_user(const struct directory *d, const char *id)
{
	return strmap_get(&d->users, id);
}

const struct dir_device *directory_device(const struct directory *d, const char *serial)
{
	return strmap_get(&d->devices, serial);
}
