/* doctor: one line a check, and what to do. */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/brokerconf.h"
#include "ctl/commands.h"
#include "ctl/doc.h"
#include "ctl/doctor.h"

#define BROKER_CONF "/etc/mosquitto/mosquitto.conf"
#define COUNT_MS    60000
#define LOOK_US     50000
#define FOUND_CAP   16384

/* ---- the notebook */

static const char *result_word(enum result result)
{
	switch (result) {
	case RESULT_OK: return "ok";
	case RESULT_WARN: return "warn";
	case RESULT_FAIL: return "FAIL";
	}
	return "";
}

static enum tint result_tint(enum result result)
{
	switch (result) {
	case RESULT_OK: return TINT_GOOD;
	case RESULT_WARN: return TINT_WARN;
	case RESULT_FAIL: return TINT_BAD;
	}
	return TINT_PLAIN;
}

/* For eyes the advice has a line of its own; in a file or a pipe a check is a line. */
static void add_row(struct doctor *d, const char *name, enum result result, struct buf *found,
	const char *advice)
{
	if (advice && !d->ctl->on_terminal)
		buf_addf(found, "; %s", advice);
	table_add(&d->table, result_tint(result), result_word(result));
	table_add(&d->table, TINT_BOLD, name);
	table_add_bytes(&d->table, TINT_PLAIN, found->data, found->len);
	if (!advice || !d->ctl->on_terminal)
		return;
	table_add(&d->table, TINT_PLAIN, " ");
	table_add(&d->table, TINT_PLAIN, " ");
	table_addf(&d->table, result_tint(result), "→ %s", advice);
}

void doctor_note(struct doctor *d, const char *name, enum result result, const char *advice,
	const char *format, ...)
{
	struct buf found;
	va_list ap;

	if (result == RESULT_OK)
		advice = NULL;
	buf_init(&found, FOUND_CAP);
	va_start(ap, format);
	buf_vaddf(&found, format, ap);
	va_end(ap);
	json_array_append_new(d->checks,
		json_pack("{s:s, s:s, s:s%, s:s?}", "check", name, "result", result_word(result),
			"found", found.data, found.len, "advice", advice));
	add_row(d, name, result, &found, advice);
	if (result > d->worst)
		d->worst = result;
	buf_done(&found);
}

const char *doctor_alarm(struct doctor *d, const char *code)
{
	const json_t *list = doc_get(d->status, "alarms"), *alarm;
	size_t i;

	json_array_foreach(list, i, alarm)
	{
		if (strcmp(doc_text(alarm, "code"), code) != 0)
			continue;
		json_object_set_new(d->told, code, json_true());
		return doc_text(alarm, "message");
	}
	return NULL;
}

/* ---- the broker's settings */

static bool is_here(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
		strncmp(host, "127.", 4) == 0;
}

static void note_broker_fault(void *arg, bool bad, const char *words)
{
	doctor_note(arg, "broker settings", bad ? RESULT_FAIL : RESULT_WARN,
		"/usr/share/doc/punchd/examples/mosquitto/punchd.conf has what punchd needs", "%s",
		words);
}

static void look_at_broker_settings(struct doctor *d)
{
	const char *given = d->ctl->text[OPTION_BROKER_CONF], *path = given ? given : BROKER_CONF;
	const char *host = d->status ? doc_text(d->status, "mqtt.host") : "localhost";
	char words[BROKER_WORDS_MAX];
	struct brokerconf conf;

	if (!given && !is_here(host))
		doctor_note(d, "broker settings", RESULT_WARN,
			"give a copy of its settings with --broker-conf",
			"not seen from here: the broker is on %s", host);
	else if (brokerconf_read(&conf, path, words) < 0)
		doctor_note(d, "broker settings", RESULT_WARN,
			"name its configuration with --broker-conf; root can read all of it",
			"not seen: %s", words);
	else if (brokerconf_judge(&conf, note_broker_fault, d) == 0)
		doctor_note(d, "broker settings", RESULT_OK, NULL, "%s keeps what waits", path);
}

/* ---- the law of conservation, which punchd checks at its leisure */

static void note_count(struct doctor *d, const json_t *last)
{
	if (strcmp(doc_text(last, "result"), "holds") == 0)
		doctor_note(d, "conservation", RESULT_OK, NULL,
			"every punch ever acknowledged is in exactly one state");
	else
		doctor_note(d, "conservation", RESULT_FAIL,
			"keep a copy of the store, and report it with punchd's log", "%s: %s",
			doc_text(last, "result"), doc_text(last, "message"));
}

/* Look at the count once. Returns whether it is over. */
static bool look_at_count(struct doctor *d, int64_t number, bool progress)
{
	char words[CTL_WORDS_MAX];
	json_t *answer = ctl_try(
		d->ctl, "GET", "/v1/check", ctl_limit_ms(d->ctl, CTL_ANSWER_MS), words);
	const json_t *last = doc_get(answer, "data.last");
	bool over = !answer || doc_count(last, "check") >= number;

	if (!answer)
		doctor_note(d, "conservation", RESULT_FAIL, "see punchd's log", "%s", words);
	else if (over)
		note_count(d, last);
	else if (progress)
		fprintf(stderr, "\rcounting punches: %lld of %lld rows ",
			(long long)doc_count(answer, "data.rows"),
			(long long)doc_count(answer, "data.of"));
	json_decref(answer);
	return over;
}

static void wait_for_count(struct doctor *d, int64_t number)
{
	int64_t until_us = clock_now().mono_us + ctl_limit_ms(d->ctl, COUNT_MS) * 1000;
	bool progress = isatty(STDERR_FILENO), over = look_at_count(d, number, progress);

	while (!over && clock_now().mono_us < until_us) {
		usleep(LOOK_US);
		over = look_at_count(d, number, progress);
	}
	if (progress)
		fputs("\r\033[K", stderr);
	if (!over)
		doctor_note(d, "conservation", RESULT_WARN, "give it longer with --timeout",
			"punchd still counts; GET /v1/check will show how that ends");
}

static void look_at_conservation(struct doctor *d)
{
	char words[CTL_WORDS_MAX];
	json_t *answer = ctl_try(
		d->ctl, "POST", "/v1/check", ctl_limit_ms(d->ctl, CTL_ANSWER_MS), words);
	int64_t number;

	if (answer && doc_number(answer, "data.check", &number))
		wait_for_count(d, number);
	else
		doctor_note(d, "conservation", RESULT_WARN,
			"punchctl and punchd must be of one version", "not checked: %s",
			answer ? "no number of the check came" : words);
	json_decref(answer);
}

/* ---- all of it */

static void note_punchd(struct doctor *d)
{
	const char *state = doc_text(d->status, "state");
	char span[TIMES_TEXT_SIZE];

	doctor_note(d, "punchd", strcmp(state, "failing") == 0 ? RESULT_FAIL : RESULT_OK,
		"it acknowledges nothing until what is wrong below is mended",
		"version %s at %s, up %s, %s", doc_text(d->status, "version"),
		doc_text(d->status, "site"), times_span(doc_count(d->status, "uptime_s"), span),
		state);
}

static int look_at_all(struct doctor *d)
{
	char words[CTL_WORDS_MAX];
	json_t *status = ctl_try(
		d->ctl, "GET", "/v1/status", ctl_limit_ms(d->ctl, CTL_ANSWER_MS), words);

	if (status && !doc_text(status, "state")[0]) {
		snprintf(words, sizeof words,
			"the answer on %.200s tells no state: is that punchd?",
			d->ctl->client.socket);
		json_decref(status);
		status = NULL;
	}
	if (status) {
		d->status = status;
		note_punchd(d);
		doctor_look_at_status(d);
		look_at_conservation(d);
	} else {
		doctor_note(d, "punchd", RESULT_FAIL, NULL, "%s", words);
	}
	look_at_broker_settings(d);
	d->status = NULL;
	json_decref(status);
	return status ? CTL_DONE : CTL_AWAY;
}

static int show_json(struct doctor *d)
{
	json_t *document = json_pack(
		"{s:s, s:O}", "result", result_word(d->worst), "checks", d->checks);
	int r = ctl_show_value(d->ctl, document);

	json_decref(document);
	return r;
}

static int show_table(struct doctor *d)
{
	struct buf out;
	struct paper paper = ctl_paper(d->ctl, &out);

	if (table_draw(&d->table, &paper) < 0)
		out.error = -ENOMEM;
	return ctl_show(&out);
}

int run_doctor(struct ctl *ctl)
{
	struct doctor d = {.ctl = ctl, .checks = json_array(), .told = json_object()};
	int r, shown;

	table_init(&d.table, 3, NULL);
	r = look_at_all(&d);
	shown = ctl->text[OPTION_JSON] ? show_json(&d) : show_table(&d);
	if (r != CTL_AWAY)
		r = d.worst == RESULT_FAIL ? CTL_REFUSED : shown;
	table_done(&d.table);
	json_decref(d.checks);
	json_decref(d.told);
	return r;
}
