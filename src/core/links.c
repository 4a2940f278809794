#include "core/links.h"

#include <errno.h>

#include "base/utf8.h"
#include "core/user.h"

/* The device's length keeps "1" at "23" and "12" at "3" apart. */
#define KEY_SIZE (32 + TERMINAL_MAX + USER_MAX)

void links_init(struct links *l, uint64_t seed)
{
	strmap_init(&l->map, seed);
}

void links_done(struct links *l)
{
	size_t pos = 0;
	void *link;

	while ((link = strmap_next(&l->map, &pos, NULL)))
		free(link);
	strmap_done(&l->map);
}

/* False: too long for any link to have it. */
static bool key_of(
	enum user_kind kind, const char *value, const char *device, char ret_key[static KEY_SIZE])
{
	int n = snprintf(
		ret_key, KEY_SIZE, "%d:%zu:%s%s", (int)kind, strlen(device), device, value);

	return n > 0 && n < KEY_SIZE;
}

/* One allocation a link: its texts lie behind it. */
static struct user_link *copy_of(const struct user_link *l)
{
	const char *const from[] = {l->value, l->device, l->user_id, l->name, l->note};
	size_t size = sizeof *l;
	struct user_link *copy;
	char *to;

	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++)
		size += strlen(from[i]) + 1;
	copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = *l;
	to = (char *)(copy + 1);
	const char **const texts[] = {
		&copy->value, &copy->device, &copy->user_id, &copy->name, &copy->note};
	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
		size_t length = strlen(from[i]) + 1;

		memcpy(to, from[i], length);
		*texts[i] = to;
		to += length;
	}
	return copy;
}

enum link_change links_compare(const struct links *l, const struct user_link *change)
{
	const struct user_link *old = links_get(l, change->kind, change->value, change->device);

	if (change->user_id[0] == '\0')
		return old ? LINK_GONE : LINK_SAME;
	if (!old)
		return LINK_NEW;
	return strcmp(old->user_id, change->user_id) == 0 ? LINK_SAME : LINK_CHANGED;
}

int links_apply(struct links *l, const struct user_link *change)
{
	struct user_link *copy;
	char key[KEY_SIZE];
	void *old = NULL;

	if (!key_of(change->kind, change->value, change->device, key))
		return -E2BIG;
	if (change->user_id[0] == '\0') {
		free(strmap_del(&l->map, key));
		return 0;
	}
	if (links_count(l) >= LINKS_MAX && !strmap_get(&l->map, key))
		return -EDQUOT;
	copy = copy_of(change);
	if (!copy || strmap_put(&l->map, key, copy, &old) < 0) {
		free(copy);
		return -ENOMEM;
	}
	free(old);
	return 0;
}

const struct user_link *links_get(
	const struct links *l, enum user_kind kind, const char *value, const char *device)
{
	char key[KEY_SIZE];

	return key_of(kind, value, device, key) ? strmap_get(&l->map, key) : NULL;
}

const struct user_link *links_find(
	const struct links *l, enum user_kind kind, const char *value, const char *serial)
{
	const struct user_link *own = links_get(l, kind, value, serial);

	return own ? own : links_get(l, kind, value, "");
}

size_t links_count(const struct links *l)
{
	return strmap_count(&l->map);
}

const struct user_link *links_next(const struct links *l, size_t *pos)
{
	return strmap_next(&l->map, pos, NULL);
}

/* ---- what may be linked */

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/* As the cloud makes them: they go into a path and a body as they are. */
static bool is_user_id(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t length = strlen(text);

	return strncmp(text, "usr_", 4) == 0 && length > 4 && length <= CLOUD_ID_MAX &&
		strspn(text, letters) == length;
}

const char *links_fault(const struct user_link *c, char ret_value[static USER_MAX + 1])
{
	int r = user_normalise(c->kind, c->value, ret_value);

	if (r == -E2BIG)
		return "the value is longer than 512 bytes";
	if (r < 0)
		return "the value is empty";
	if (!utf8_valid(ret_value) || has_control(ret_value))
		return "the value has bytes that are no text";
	if (c->kind == USER_SLOT && c->device[0] == '\0')
		return "a slot is a number of one terminal: name its device";
	if (strlen(c->device) > TERMINAL_MAX || !utf8_valid(c->device) || has_control(c->device))
		return "the device is no serial of a terminal";
	if (strlen(c->note) > LINK_NOTE_MAX || !utf8_valid(c->note))
		return "the note is longer than 512 bytes";
	if (c->user_id[0] && !is_user_id(c->user_id))
		return "the user is no id such as usr_123456";
	return NULL;
}
