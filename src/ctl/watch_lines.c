/* watch into a file or a pipe: a line, or with --json a document, for each thing that changed. */
#include <errno.h>
#include <unistd.h>

#include "base/time.h"
#include "ctl/doc.h"
#include "ctl/punchrow.h"
#include "ctl/text.h"
#include "ctl/watch.h"

#define LINE_CAP (256 * 1024)

/* What was told already. */
struct told {
	struct watch *watch;
	json_t *punches; /* id: "STATE REASON"; NULL: nothing was seen yet */
	json_t *alarms;  /* code: the alarm */
	char queue[128];
	bool away;
	int result; /* enum ctl_exit */
};

/* ---- telling */

/* Text begins with the time; what strangers wrote is made harmless. */
static void tell_text(struct told *t, const struct buf *text)
{
	char now[TIMES_TEXT_SIZE];
	struct buf line;

	buf_init(&line, LINE_CAP);
	buf_addf(
		&line, "%s ", times_format(&t->watch->ctl->times, t->watch->ctl->times.now_s, now));
	text_add_safe(&line, text->data, text->len);
	buf_add_char(&line, '\n');
	t->result = ctl_show(&line);
}

/* Takes over the value; NULL: there is none. */
static void tell_json(struct told *t, const char *event, const char *key, json_t *value)
{
	char now[TIME_TEXT_SIZE];
	json_t *document = json_pack("{s:s, s:s}", "at",
		time_format_utc(t->watch->ctl->times.now_s, -1, now), "event", event);

	if (value)
		json_object_set_new(document, key, value);
	t->result = ctl_show_value(t->watch->ctl, document);
	json_decref(document);
}

static bool wants_json(const struct told *t)
{
	return t->watch->ctl->text[OPTION_JSON];
}

static void __attribute__((format(printf, 2, 3))) tell(struct told *t, const char *format, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, LINE_CAP);
	va_start(ap, format);
	buf_vaddf(&text, format, ap);
	va_end(ap);
	tell_text(t, &text);
	buf_done(&text);
}

/* ---- punches */

static void tell_punch(struct told *t, json_t *punch)
{
	const struct times *times = &t->watch->ctl->times;
	const char *reason = doc_text(punch, "reason"), *type = doc_text(punch, "type");
	char when[TIMES_TEXT_SIZE];
	struct buf text;

	if (wants_json(t)) {
		tell_json(t, "punch", "punch", json_incref(punch));
		return;
	}
	buf_init(&text, LINE_CAP);
	buf_addf(&text, "punch %s %s%s%s ", doc_text(punch, "id"), doc_text(punch, "state"),
		reason[0] ? " " : "", reason);
	punchrow_add_user(&text, punch);
	buf_addf(&text, "%s%s at %s %s", type[0] ? " " : "", type, doc_text(punch, "terminal"),
		times_show(times, doc_text(punch, "time"), when));
	tell_text(t, &text);
	buf_done(&text);
}

static void look_at_punch(struct told *t, json_t *now, json_t *punch)
{
	const char *id = doc_text(punch, "id"), *before;
	char state[128];

	snprintf(state, sizeof state, "%s %s", doc_text(punch, "state"), doc_text(punch, "reason"));
	before = json_string_value(json_object_get(t->punches, id));
	if (t->punches && (!before || strcmp(before, state) != 0))
		tell_punch(t, punch);
	json_object_set_new(now, id, json_string(state));
}

/* Oldest first, as they happened. Those that are there at the first look are no news. */
static void look_at_punches(struct told *t)
{
	json_t *now = json_object();

	for (size_t i = json_array_size(t->watch->punches); i > 0; i--)
		look_at_punch(t, now, json_array_get(t->watch->punches, i - 1));
	json_decref(t->punches);
	t->punches = now;
}

/* ---- the rest of the status */

static void look_at_queue(struct told *t)
{
	json_t *queue = doc_get(t->watch->status, "queue");
	char text[sizeof t->queue];

	snprintf(text, sizeof text, "%lld queued, %lld held, %lld parked",
		(long long)doc_count(queue, "queued"), (long long)doc_count(queue, "held"),
		(long long)doc_count(queue, "parked"));
	if (strcmp(text, t->queue) == 0)
		return;
	memcpy(t->queue, text, sizeof t->queue);
	if (wants_json(t))
		tell_json(t, "queue", "queue", json_incref(queue));
	else
		tell(t, "queue %s", text);
}

static void tell_new_alarms(struct told *t, json_t *now)
{
	const char *code;
	json_t *alarm;

	json_object_foreach(now, code, alarm)
	{
		if (json_object_get(t->alarms, code))
			continue;
		if (wants_json(t))
			tell_json(t, "alarm", "alarm", json_incref(alarm));
		else
			tell(t, "alarm %s %s: %s", code, doc_text(alarm, "severity"),
				doc_text(alarm, "message"));
	}
}

static void tell_old_alarms(struct told *t, const json_t *now)
{
	const char *code;
	json_t *alarm;

	json_object_foreach(t->alarms, code, alarm)
	{
		if (json_object_get(now, code))
			continue;
		if (wants_json(t))
			tell_json(t, "alarm_over", "alarm", json_incref(alarm));
		else
			tell(t, "alarm over %s", code);
	}
}

static void look_at_alarms(struct told *t)
{
	const json_t *list = doc_get(t->watch->status, "alarms");
	json_t *now = json_object(), *alarm;
	size_t i;

	json_array_foreach(list, i, alarm) json_object_set(now, doc_text(alarm, "code"), alarm);
	tell_old_alarms(t, now);
	tell_new_alarms(t, now);
	json_decref(t->alarms);
	t->alarms = now;
}

static void look_at_presence(struct told *t)
{
	const struct watch *w = t->watch;

	if (w->away == t->away)
		return;
	t->away = w->away;
	if (wants_json(t))
		tell_json(t, w->away ? "away" : "back", "message",
			w->away ? json_string(w->words) : NULL);
	else if (w->away)
		tell(t, "punchd away: %s", w->words);
	else
		tell(t, "punchd back");
}

/* ---- */

static void look(struct told *t)
{
	watch_look(t->watch);
	look_at_presence(t);
	if (!t->away) {
		look_at_alarms(t);
		look_at_queue(t);
		look_at_punches(t);
	}
	if (fflush(stdout) != 0)
		t->result = CTL_REFUSED; /* ctl_run says why */
}

int watch_as_lines(struct watch *w)
{
	struct told t = {.watch = w};

	look(&t);
	while (t.result == CTL_DONE && watch_goes_on(w)) {
		usleep((useconds_t)w->interval_ms * 1000);
		look(&t);
	}
	json_decref(t.punches);
	json_decref(t.alarms);
	return t.result;
}
