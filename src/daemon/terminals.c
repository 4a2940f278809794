#include "daemon/terminals.h"

#include "base/clock.h"
#include "base/jget.h"
#include "base/time.h"

#define STATUS_MAX 4096 /* bytes of a status message that are looked at */

struct terminal {
	int64_t seen_us;               /* wall clock; 0: never */
	int64_t punch_us;              /* wall clock; 0: never */
	int online;                    /* -1: it never said */
	char family[TERMINAL_MAX + 1]; /* name of its profile, or "" */
	bool clock_told;
	int64_t clock_us; /* monotonic, when it was last told the time */
};

void terminals_init(struct terminals *t, uint64_t seed)
{
	strmap_init(&t->by_serial, seed);
}

void terminals_done(struct terminals *t)
{
	size_t pos = 0;
	void *value;

	while ((value = strmap_next(&t->by_serial, &pos, NULL)))
		free(value);
	strmap_done(&t->by_serial);
}

static struct terminal *get(struct terminals *t, const char *serial)
{
	struct terminal *one = strmap_get(&t->by_serial, serial);

	if (one || strmap_count(&t->by_serial) >= TERMINALS_SHOWN_MAX)
		return one;
	one = calloc(1, sizeof *one);
	if (!one)
		return NULL;
	one->online = -1;
	if (strmap_put(&t->by_serial, serial, one, NULL) < 0) {
		free(one);
		return NULL;
	}
	return one;
}

void terminals_saw(
	struct terminals *t, const char *serial, int64_t wall_us, bool punch, bool retained)
{
	struct terminal *one = get(t, serial);

	if (!one || retained)
		return;
	one->seen_us = wall_us;
	if (punch)
		one->punch_us = wall_us;
	/* Its last will may have come before it did: what it sends now counts. */
	if (one->online == 0)
		one->online = 1;
}

void terminals_presence(
	struct terminals *t, const char *serial, bool online, int64_t wall_us, bool retained)
{
	struct terminal *one = get(t, serial);

	if (!one)
		return;
	one->online = online;
	/* A last will is the broker speaking, not the terminal. */
	if (online && !retained)
		one->seen_us = wall_us;
}

void terminals_status(struct terminals *t, const char *serial, const void *payload, size_t length,
	int64_t wall_us, bool retained)
{
	json_t *root = length <= STATUS_MAX ? json_loadb(payload, length, 0, NULL) : NULL;
	bool online;

	if (jget_bool(root, "online", &online) > 0)
		terminals_presence(t, serial, online, wall_us, retained);
	json_decref(root);
}

void terminals_family(struct terminals *t, const char *serial, const char *family)
{
	struct terminal *one = get(t, serial);

	if (one)
		punch_text_set(one->family, sizeof one->family, family);
}

void terminals_clocks(struct terminals *t, const char *family, int64_t now_us, int64_t every_us,
	terminals_due *due, void *arg)
{
	const char *serial;
	struct terminal *one;
	size_t pos = 0;

	while ((one = strmap_next(&t->by_serial, &pos, &serial))) {
		if (one->online == 0 || strcmp(one->family, family) != 0 ||
			(one->clock_told && now_us - one->clock_us < every_us))
			continue;
		one->clock_told = true;
		one->clock_us = now_us;
		due(arg, serial);
	}
}

static json_t *time_or_null(int64_t wall_us)
{
	char text[TIME_TEXT_SIZE];

	return wall_us == 0 ? json_null()
			    : json_string(time_format_utc(wall_us / CLOCK_US_PER_S, -1, text));
}

static json_t *terminal_json(struct context *c, const char *name, const struct terminal *one)
{
	const char *serial = context_rules(c, name).serial;
	const struct dir_device *device = directory_device(&c->directory, serial);

	return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:n}", "serial", serial, "name", name,
		"device_id", device ? device->id : NULL, "online",
		one->online < 0 ? json_null() : json_boolean(one->online), "last_seen",
		time_or_null(one->seen_us), "last_punch", time_or_null(one->punch_us), "skew_s");
}

void terminals_seen(
	const struct terminals *t, const struct context *c, const char *serial, json_t *into)
{
	const struct terminal *one = NULL, *other;
	const char *name;
	size_t pos = 0;
	int online;

	while ((name = context_terminal_of(c, serial, &pos))) {
		other = strmap_get(&t->by_serial, name);
		if (other && (!one || other->seen_us > one->seen_us))
			one = other;
	}
	online = one ? one->online : -1;
	json_object_set_new(into, "online", online < 0 ? json_null() : json_boolean(online));
	json_object_set_new(into, "last_seen", time_or_null(one ? one->seen_us : 0));
	json_object_set_new(into, "last_punch", time_or_null(one ? one->punch_us : 0));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *terminals_json(const struct terminals *t, struct context *c)
{
	size_t count = strmap_count(&t->by_serial), n = 0, pos = 0;
	const char **names = calloc(count + 1, sizeof *names);
	json_t *list = json_array();

	while (names && n < count && strmap_next(&t->by_serial, &pos, &names[n]))
		n++;
	if (names)
		qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, terminal_json(c, names[i], strmap_get(&t->by_serial, names[i])));
	free(names);
	return list;
}
