#include "sandbox/schedule.h"

#include <errno.h>

#include "base/log.h"
#include "base/units.h"
#include "sandbox/directory.h"
#include "sandbox/sandbox.h"

#define SERIAL_MAX 64
#define STATUS_MAX 64
#define AFTER_MAX  (400 * 86400000LL)

/* One change. */
struct schedule {
	struct schedule *next;
	struct sandbox *sandbox;
	struct event *timer;
	char serial[SERIAL_MAX + 1], status[STATUS_MAX + 1];
};

/* ---- reading; a spec is walked change by change */

struct walk {
	const char *serial;
	size_t serial_length;
	const char *at; /* the next change */
};

static bool walk_begin(struct walk *w, const char *spec)
{
	w->serial = spec;
	w->serial_length = strcspn(spec, "=");
	w->at = spec + w->serial_length + 1;
	return w->serial_length > 0 && w->serial_length <= SERIAL_MAX &&
		spec[w->serial_length] == '=';
}

/* 1: one was read, 0: there is none left, -EINVAL. */
static int walk_next(struct walk *w, char ret_status[static STATUS_MAX + 1], int64_t *ret_after_ms)
{
	char text[STATUS_MAX + 64], *at;
	size_t n = strcspn(w->at, ",");

	if (n == 0)
		return *w->at ? -EINVAL : 0;
	if (n >= sizeof text)
		return -EINVAL;
	memcpy(text, w->at, n);
	text[n] = '\0';
	w->at += n;
	if (w->at[0] == ',' && w->at[1])
		w->at++;
	at = strrchr(text, '@');
	if (!at || at == text || at - text > STATUS_MAX)
		return -EINVAL;
	*at = '\0';
	memcpy(ret_status, text, (size_t)(at - text) + 1);
	return units_parse_duration(at + 1, ret_after_ms) == 0 && *ret_after_ms <= AFTER_MAX
		? 1
		: -EINVAL;
}

const char *schedule_fault(const char *spec)
{
	char status[STATUS_MAX + 1];
	int64_t after_ms;
	struct walk walk;
	int r = walk_begin(&walk, spec) ? walk_next(&walk, status, &after_ms) : -EINVAL;

	while (r == 1) {
		r = walk_next(&walk, status, &after_ms);
		if (r == 0)
			return NULL;
	}
	return "must be SERIAL=STATUS@AFTER,…, such as BIO-FP-001=inactive@30s,active@60s";
}

/* ---- doing */

static void on_due(evutil_socket_t fd, short events, void *arg)
{
	const struct schedule *s = arg;
	struct sandbox *sandbox = s->sandbox;
	int64_t now_ms = sandbox_now_ms(sandbox);
	json_t *device = NULL;
	int r = directory_device_set_status(
		&sandbox->db, s->serial, s->status, now_ms / 1000, &device);

	(void)fd, (void)events;
	log_info("schedule",
		r == 1 ? "a device's status changes" : "a device is as it should be, or not there",
		LOG_S("serial", s->serial), LOG_S("status", s->status));
	if (r == 1)
		sandbox_event(sandbox, "device.status_changed", device, now_ms);
	sandbox_wants_commit(sandbox);
}

static int add(struct sandbox *sandbox, const struct walk *walk, const char *status,
	int64_t after_ms, struct schedule **list)
{
	const struct timeval after = {after_ms / 1000, after_ms % 1000 * 1000};
	struct schedule *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->next = *list;
	*list = s;
	s->sandbox = sandbox;
	memcpy(s->serial, walk->serial, walk->serial_length);
	snprintf(s->status, sizeof s->status, "%s", status);
	s->timer = evtimer_new(sandbox->base, on_due, s);
	return s->timer && evtimer_add(s->timer, &after) == 0 ? 0 : -ENOMEM;
}

int schedule_start(struct sandbox *sandbox, const char *const *specs, size_t count,
	struct schedule **ret_schedule)
{
	struct schedule *list = NULL;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		char status[STATUS_MAX + 1];
		struct walk walk;
		int64_t after_ms;

		walk_begin(&walk, specs[i]);
		while (r == 0 && walk_next(&walk, status, &after_ms) == 1)
			r = add(sandbox, &walk, status, after_ms, &list);
	}
	*ret_schedule = list;
	return r;
}

void schedule_free(struct schedule *s)
{
	while (s) {
		struct schedule *next = s->next;

		if (s->timer)
			event_free(s->timer);
		free(s);
		s = next;
	}
}
