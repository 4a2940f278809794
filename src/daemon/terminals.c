#include "daemon/terminals.h"

#include "base/clock.h"
#include "base/jget.h"
#include "base/log.h"
#include "base/time.h"
#include "core/skew.h"
#include "store/store_taps.h"

#define STATUS_MAX     4096 /* bytes of a status message that are looked at */
#define FIRMWARE_MAX   64
#define SILENT_US      (24 * 3600 * CLOCK_US_PER_S) /* natively */
#define CLOCK_OFF_MS   5000 /* a native terminal is told the time from here on */
#define CLOCK_EVERY_US (3600 * CLOCK_US_PER_S)
#define CLOCK_WARN_MS  60000
#define BACK_US        (60 * CLOCK_US_PER_S) /* for coming back after the broker was away */
#define COUNT_EVERY_US (60 * CLOCK_US_PER_S)

struct terminal {
	int64_t seen_us;  /* wall clock; 0: never */
	bool heard;       /* since the start */
	int64_t heard_us; /* when, by the time that was listened */
	bool missed;      /* it was found silent, and not heard since */
	bool stranger;    /* when it was counted last */
	int64_t punch_us; /* wall clock; 0: never */
	int online;       /* -1: it never said */
	int64_t pending;  /* -1: it never said */
	char firmware[FIRMWARE_MAX + 1];
	char family[TERMINAL_MAX + 1]; /* name of its profile, or "" */
	struct skew skew;
	bool warned; /* that its clock is off */
	bool clock_told;
	int64_t clock_us; /* monotonic, when it was last told the time */
};

void terminals_init(struct terminals *t, struct context *context, uint64_t seed)
{
	*t = (struct terminals){.context = context};
	strmap_init(&t->by_name, seed);
}

void terminals_done(struct terminals *t)
{
	size_t pos = 0;
	void *value;

	while ((value = strmap_next(&t->by_name, &pos, NULL)))
		free(value);
	strmap_done(&t->by_name);
}

/* ---- how long was listened */

static int64_t listened_us(const struct terminals *t, int64_t now_us)
{
	return t->listened_us + (t->up_us != 0 ? now_us - t->up_us : 0);
}

void terminals_link(struct terminals *t, bool up, int64_t now_us)
{
	if (up == (t->up_us != 0))
		return;
	t->listened_us = listened_us(t, now_us);
	t->up_us = up ? now_us : 0;
}

static void hear(struct terminals *t, struct terminal *one, struct moment at)
{
	one->seen_us = at.wall_us;
	one->heard = true;
	one->heard_us = listened_us(t, at.mono_us);
	one->missed = false;
}

/* ---- names */

static bool is_stranger(const struct terminals *t, const char *name)
{
	const struct context *c = t->context;

	return !config_terminals_find(&c->config.terminals, name) &&
		!directory_device(&c->directory, name);
}

/* The list of devices may have come since, or changed. */
static void count_strangers(struct terminals *t, int64_t now_us)
{
	const char *name;
	struct terminal *one;
	size_t pos = 0;

	if (t->counted_us != 0 && now_us - t->counted_us < COUNT_EVERY_US)
		return;
	t->counted_us = now_us;
	t->strangers = 0;
	while ((one = strmap_next(&t->by_name, &pos, &name))) {
		one->stranger = is_stranger(t, name);
		t->strangers += one->stranger;
	}
}

static struct terminal *get(struct terminals *t, const char *name)
{
	struct terminal *one = strmap_get(&t->by_name, name);
	bool stranger;

	if (one || strmap_count(&t->by_name) >= TERMINALS_SHOWN_MAX)
		return one;
	stranger = is_stranger(t, name);
	if (stranger && t->strangers >= TERMINALS_STRANGERS_MAX)
		count_strangers(t, loop_now(t->context->loop).mono_us);
	if (stranger && t->strangers >= TERMINALS_STRANGERS_MAX)
		return NULL;
	one = calloc(1, sizeof *one);
	if (!one)
		return NULL;
	one->online = -1;
	one->pending = -1;
	one->stranger = stranger;
	if (strmap_put(&t->by_name, name, one, NULL) < 0) {
		free(one);
		return NULL;
	}
	t->strangers += stranger;
	return one;
}

/* ---- what comes */

void terminals_saw(
	struct terminals *t, const char *name, struct moment at, bool punch, bool retained)
{
	struct terminal *one = get(t, name);

	if (!one || retained)
		return;
	hear(t, one, at);
	if (punch)
		one->punch_us = at.wall_us;
	/* Its last will may have come before it did: what it sends now counts. */
	if (one->online == 0)
		one->online = 1;
}

void terminals_presence(
	struct terminals *t, const char *name, bool online, struct moment at, bool retained)
{
	struct terminal *one = get(t, name);

	if (!one)
		return;
	one->online = online;
	/* A last will is the broker speaking, not the terminal. */
	if (online && !retained)
		hear(t, one, at);
}

void terminals_status(struct terminals *t, const char *name, const void *payload, size_t length,
	struct moment at, bool retained)
{
	json_t *root = length <= STATUS_MAX ? json_loadb(payload, length, 0, NULL) : NULL;
	const json_t *pending = json_object_get(root, "pending");
	struct terminal *one;
	bool online;

	if (jget_bool(root, "online", &online) > 0) {
		terminals_presence(t, name, online, at, retained);
		one = get(t, name);
		if (one && json_is_integer(pending) && json_integer_value(pending) >= 0)
			one->pending = json_integer_value(pending);
		if (one && jget_str_or_empty(root, "fw")[0])
			punch_text_cut(
				one->firmware, sizeof one->firmware, jget_str_or_empty(root, "fw"));
	}
	json_decref(root);
}

void terminals_family(struct terminals *t, const char *name, const char *family)
{
	struct terminal *one = get(t, name);

	if (one)
		punch_text_set(one->family, sizeof one->family, family);
}

void terminals_punched(struct terminals *t, const char *name, int64_t time_s, int64_t received_us)
{
	struct terminal *one = get(t, name);
	int64_t off_ms;
	bool off;

	if (!one)
		return;
	skew_add(&one->skew, time_s, received_us);
	if (!skew_ms(&one->skew, &off_ms))
		return;
	off = off_ms > CLOCK_WARN_MS || off_ms < -CLOCK_WARN_MS;
	if (off && !one->warned)
		log_warn("terminal_clock",
			"a terminal's clock is off: its punches have the times that it shows; set "
			"it",
			LOG_S("terminal", name), LOG_I("ahead_s", off_ms / 1000));
	one->warned = off;
}

/* ---- their clocks */

void terminals_clock_set(struct terminals *t)
{
	struct terminal *one;
	size_t pos = 0;

	while ((one = strmap_next(&t->by_name, &pos, NULL)))
		skew_forget(&one->skew);
}

static bool may_be_told(const struct terminal *one, int64_t now_us, int64_t every_us)
{
	return one->online != 0 && !(one->clock_told && now_us - one->clock_us < every_us);
}

static void told(struct terminal *one, int64_t now_us)
{
	one->clock_told = true;
	one->clock_us = now_us;
}

void terminals_clocks(struct terminals *t, const char *family, int64_t now_us, int64_t every_us,
	terminals_due *due, void *arg)
{
	const char *name;
	struct terminal *one;
	size_t pos = 0;

	while ((one = strmap_next(&t->by_name, &pos, &name))) {
		if (strcmp(one->family, family) != 0 || !may_be_told(one, now_us, every_us))
			continue;
		told(one, now_us);
		due(arg, name);
	}
}

void terminals_native_clocks(struct terminals *t, int64_t now_us, terminals_due *due, void *arg)
{
	const char *name;
	struct terminal *one;
	size_t pos = 0;
	int64_t off_ms;

	while ((one = strmap_next(&t->by_name, &pos, &name))) {
		if (one->family[0] || !skew_ms(&one->skew, &off_ms) ||
			(off_ms < CLOCK_OFF_MS && off_ms > -CLOCK_OFF_MS) ||
			!may_be_told(one, now_us, CLOCK_EVERY_US))
			continue;
		told(one, now_us);
		skew_forget(&one->skew);
		due(arg, name);
	}
}

/* ---- who is silent */

/* The profile it speaks by: as heard since the start, else as it was when it last brought a punch. */
static const struct profile *family_of(
	struct context *c, const char *name, const struct terminal *one)
{
	for (size_t i = 0; one && one->family[0] && i < c->profiles.count; i++) {
		if (strcmp(c->profiles.list[i]->name, one->family) == 0)
			return c->profiles.list[i];
	}
	return families_find(&c->families, c->store, name, &c->profiles);
}

/* How long it may be; 0: for ever. */
static int64_t patience_us(struct context *c, const char *name, const struct terminal *one)
{
	const struct profile *p = family_of(c, name, one);

	return p ? profile_timeout_s(p) * CLOCK_US_PER_S : SILENT_US;
}

static bool is_silent(struct terminals *t, const char *name)
{
	struct terminal *one = strmap_get(&t->by_name, name);
	int64_t now_us = loop_now(t->context->loop).mono_us;
	int64_t patience = patience_us(t->context, name, one);
	int64_t back = patience < BACK_US ? patience : BACK_US;

	if (one && one->online == 0)
		return true;
	if (patience == 0 || listened_us(t, now_us) - (one ? one->heard_us : 0) <= patience)
		return false;
	if (one && !one->missed)
		one->missed = now_us - t->up_us > back;
	return !one || one->missed;
}

/* Whether it was ever heard of: who registers a device may not have installed it yet. */
static bool is_in_use(const struct terminals *t, const char *name)
{
	const struct terminal *one = strmap_get(&t->by_name, name);

	return (one && (one->heard || one->online >= 0)) ||
		store_tap_number(t->context->store, name) != 0;
}

bool terminals_in_use(const struct terminals *t, const char *serial)
{
	const char *name;
	size_t pos = 0;

	while ((name = context_terminal_of(t->context, serial, &pos))) {
		if (is_in_use(t, name))
			return true;
	}
	return false;
}

static bool device_is_silent(struct terminals *t, const char *serial)
{
	bool used = false;
	const char *name;
	size_t pos = 0;

	while ((name = context_terminal_of(t->context, serial, &pos))) {
		if (!is_in_use(t, name))
			continue;
		if (!is_silent(t, name))
			return false;
		used = true;
	}
	return used;
}

/* When it was heard last, of several terminals that are one device the latest. */
static int64_t heard_last_us(const struct terminals *t, const char *serial)
{
	const char *name;
	size_t pos = 0;
	int64_t last_us = 0;

	while ((name = context_terminal_of(t->context, serial, &pos))) {
		const struct terminal *one = strmap_get(&t->by_name, name);

		if (one && one->seen_us > last_us)
			last_us = one->seen_us;
	}
	return last_us;
}

void terminals_each_silent(struct terminals *t, terminals_is_silent *on, void *arg)
{
	const struct directory *d = &t->context->directory;

	for (const struct dir_device *v = directory_next_device(d, NULL); v;
		v = directory_next_device(d, v)) {
		if ((v->status[0] && strcasecmp(v->status, "active") != 0) ||
			directory_device_gone(v) || !device_is_silent(t, v->serial))
			continue;
		on(arg, v->serial, heard_last_us(t, v->serial));
	}
}

struct silent_names {
	char *text; /* TERMINALS_NAMES_MAX bytes */
	size_t n, count;
};

static void add_name(void *arg, const char *serial, int64_t since_us)
{
	struct silent_names *names = arg;
	char *end = names->text + names->n;
	size_t left = TERMINALS_NAMES_MAX - names->n;

	(void)since_us;
	names->count++;
	if (names->n + strlen(serial) + 8 < TERMINALS_NAMES_MAX)
		names->n += (size_t)snprintf(end, left, "%s%s", names->n ? ", " : "", serial);
	else if (names->n > 0 && end[-1] != '.')
		names->n += (size_t)snprintf(end, left, ", ...");
}

size_t terminals_silent(struct terminals *t, char ret_names[static TERMINALS_NAMES_MAX])
{
	struct silent_names names = {.text = ret_names};

	ret_names[0] = '\0';
	terminals_each_silent(t, add_name, &names);
	return names.count;
}

/* ---- showing it */

const char *terminals_next(const struct terminals *t, size_t *pos)
{
	const char *name;

	return strmap_next(&t->by_name, pos, &name) ? name : NULL;
}

static json_t *time_or_null(int64_t wall_us)
{
	char text[TIME_TEXT_SIZE];

	return wall_us == 0 ? json_null()
			    : json_string(time_format_utc(wall_us / CLOCK_US_PER_S, -1, text));
}

/* To a tenth: more is not in it. */
static json_t *skew_or_null(const struct terminal *one)
{
	int64_t off_ms;

	if (!one || !skew_ms(&one->skew, &off_ms))
		return json_null();
	return json_real((double)(off_ms / 100) / 10);
}

static void add_facts(const struct terminal *one, json_t *into)
{
	int online = one ? one->online : -1;

	json_object_set_new(into, "online", online < 0 ? json_null() : json_boolean(online));
	json_object_set_new(into, "last_seen", time_or_null(one ? one->seen_us : 0));
	json_object_set_new(into, "last_punch", time_or_null(one ? one->punch_us : 0));
	json_object_set_new(into, "skew_s", skew_or_null(one));
	json_object_set_new(into, "pending",
		one && one->pending >= 0 ? json_integer(one->pending) : json_null());
	json_object_set_new(
		into, "fw", one && one->firmware[0] ? json_string(one->firmware) : json_null());
}

static json_t *terminal_json(struct context *c, const char *name, const struct terminal *one)
{
	const char *serial = context_rules(c, name).serial;
	const struct dir_device *device = directory_device(&c->directory, serial);
	json_t *json = json_pack("{s:s, s:s, s:s?}", "serial", serial, "name", name, "device_id",
		device ? device->id : NULL);

	if (json)
		add_facts(one, json);
	return json;
}

void terminals_seen(
	const struct terminals *t, const struct context *c, const char *serial, json_t *into)
{
	const struct terminal *one = NULL, *other;
	const char *name;
	size_t pos = 0;

	while ((name = context_terminal_of(c, serial, &pos))) {
		other = strmap_get(&t->by_name, name);
		if (other && (!one || other->seen_us > one->seen_us))
			one = other;
	}
	add_facts(one, into);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *terminals_json(const struct terminals *t, struct context *c)
{
	size_t count = strmap_count(&t->by_name), n = 0, pos = 0;
	const char **names = calloc(count + 1, sizeof *names);
	json_t *list = json_array();

	while (names && n < count && strmap_next(&t->by_name, &pos, &names[n]))
		n++;
	if (names)
		qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, terminal_json(c, names[i], strmap_get(&t->by_name, names[i])));
	free(names);
	return list;
}
