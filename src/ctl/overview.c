#include "ctl/overview.h"

#include "ctl/doc.h"

#define VALUE_CAP   4096
#define BAR_COLUMNS 20

enum tint overview_severity_tint(const char *severity)
{
	return strcmp(severity, "critical") == 0 ? TINT_BAD : TINT_WARN;
}

enum tint overview_punch_tint(const char *state)
{
	static const struct {
		const char *state;
		enum tint tint;
	} tints[] = {{"delivered", TINT_GOOD}, {"held", TINT_WARN}, {"parked", TINT_BAD},
		{"suppressed", TINT_FAINT}, {"discarded", TINT_FAINT}};

	for (size_t i = 0; i < sizeof tints / sizeof tints[0]; i++) {
		if (strcmp(tints[i].state, state) == 0)
			return tints[i].tint;
	}
	return TINT_PLAIN;
}

static enum tint state_tint(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return TINT_GOOD;
	return strcmp(state, "degraded") == 0 ? TINT_WARN : TINT_BAD;
}

void overview_head(const struct paper *paper, const json_t *status, const struct times *times)
{
	const char *state = doc_text(status, "state");
	char up[TIMES_TEXT_SIZE], now[TIMES_TEXT_SIZE];
	size_t left = paper_columns(paper);
	struct buf text;

	buf_init(&text, VALUE_CAP);
	buf_addf(&text, "punchd %s at %s: ", doc_text(status, "version"), doc_text(status, "site"));
	paper_add(paper, TINT_BOLD, text.data, &left);
	paper_add(paper, state_tint(state), state, &left);
	buf_clear(&text);
	buf_addf(&text, ", up %s  %s", times_span(doc_count(status, "uptime_s"), up),
		times_format(times, times->now_s, now));
	paper_add(paper, TINT_PLAIN, text.data, &left);
	buf_add_char(paper->out, '\n');
	buf_done(&text);
}

/* ---- one part a function: text goes to the value, the result is its colour */

static enum tint broker(struct buf *v, const json_t *s, const struct times *times)
{
	bool connected = doc_true(s, "mqtt.connected");
	char since[TIMES_TEXT_SIZE];
	const char *text = times_show(times, doc_text(s, "mqtt.since"), since);

	buf_addf(v, "%sconnected to %s", connected ? "" : "not ", doc_text(s, "mqtt.host"));
	if (text[0])
		buf_addf(v, " since %s", text);
	return connected ? TINT_GOOD : TINT_BAD;
}

static enum tint cloud(struct buf *v, const json_t *s, const struct times *times)
{
	const char *state = doc_text(s, "api.state");
	const char *next = doc_text(s, "api.next_try"), *last = doc_text(s, "api.last_success");
	char when[TIMES_TEXT_SIZE], who[DOC_WHO_SIZE];

	buf_add_str(v, state);
	if (doc_text(s, "api.paused.since")[0])
		buf_addf(v, " by %s, %s", doc_who(s, "api.paused.by", who),
			times_ago(times, doc_text(s, "api.paused.since"), when));
	if (next[0])
		buf_addf(v, ", next try %s", times_ago(times, next, when));
	if (last[0])
		buf_addf(v, ", last success %s", times_ago(times, last, when));
	else
		buf_add_str(v, ", no success yet");
	if (strcmp(doc_text(s, "api.idempotent"), "no") == 0)
		buf_add_str(v, ", ignores idempotency keys");
	if (strcmp(state, "ok") == 0 || strcmp(state, "rate_limited") == 0)
		return TINT_GOOD;
	return strcmp(state, "auth_failed") == 0 ? TINT_BAD : TINT_WARN;
}

static enum tint budget(struct buf *v, const json_t *s, const struct times *times)
{
	const char *reset = doc_text(s, "api.rate.reset");
	char when[TIMES_TEXT_SIZE];
	int64_t limit, left, full;

	if (!doc_number(s, "api.rate.limit", &limit) || limit <= 0) {
		buf_add_str(v, "not known yet");
		return TINT_PLAIN;
	}
	left = doc_count(s, "api.rate.remaining");
	left = left < 0 ? 0 : left > limit ? limit : left;
	full = (int64_t)((double)left / (double)limit * BAR_COLUMNS + 0.5);
	for (int i = 0; i < BAR_COLUMNS; i++)
		buf_add_str(v, i < full ? "█" : "░");
	buf_addf(v, " %lld of %lld requests left", (long long)left, (long long)limit);
	if (reset[0])
		buf_addf(v, ", renewed %s", times_ago(times, reset, when));
	return left == 0 ? TINT_WARN : TINT_PLAIN;
}

static enum tint queue(struct buf *v, const json_t *s, const struct times *times)
{
	int64_t oldest_s, drain_s;
	char span[TIMES_TEXT_SIZE];

	(void)times;
	buf_addf(v, "%lld queued", (long long)doc_count(s, "queue.queued"));
	if (doc_number(s, "queue.oldest_queued_s", &oldest_s))
		buf_addf(v, ", the oldest from %s ago", times_span(oldest_s, span));
	if (doc_number(s, "queue.drain_eta_s", &drain_s))
		buf_addf(v, ", sent in about %s", times_span(drain_s, span));
	buf_addf(v, "; %lld held, %lld parked", (long long)doc_count(s, "queue.held"),
		(long long)doc_count(s, "queue.parked"));
	return doc_count(s, "queue.held") || doc_count(s, "queue.parked") ? TINT_WARN : TINT_PLAIN;
}

static enum tint counts(struct buf *v, const json_t *s, const struct times *times)
{
	(void)times;
	buf_addf(v,
		"%lld received: %lld stored, %lld duplicate; %lld delivered, %lld suppressed, "
		"%lld discarded; apart from these %lld ignored, %lld refused",
		(long long)doc_count(s, "counts.received"),
		(long long)doc_count(s, "counts.stored"),
		(long long)doc_count(s, "counts.duplicate"),
		(long long)doc_count(s, "counts.delivered"),
		(long long)doc_count(s, "counts.suppressed"),
		(long long)doc_count(s, "counts.discarded"),
		(long long)doc_count(s, "counts.ignored"),
		(long long)doc_count(s, "counts.refused"));
	return TINT_PLAIN;
}

static enum tint people(struct buf *v, const json_t *s, const struct times *times)
{
	const char *users = doc_text(s, "directory.users_synced_at");
	const char *devices = doc_text(s, "directory.devices_synced_at");
	const char *error = doc_text(s, "directory.pass_error");
	char when[TIMES_TEXT_SIZE];

	buf_addf(v, "%lld users (%s), ", (long long)doc_count(s, "directory.users"),
		users[0] ? times_ago(times, users, when) : "never fetched");
	buf_addf(v, "%lld devices (%s)", (long long)doc_count(s, "directory.devices"),
		devices[0] ? times_ago(times, devices, when) : "never fetched");
	if (error[0])
		buf_addf(v, "; the last try failed: %s", error);
	return error[0] || !users[0] || !devices[0] ? TINT_WARN : TINT_PLAIN;
}

/* Who is to be created in the cloud; not shown where nobody is. */
static enum tint creations(struct buf *v, const json_t *s, const struct times *times)
{
	int64_t queued = doc_count(s, "people.queued"), doubt = doc_count(s, "people.in_doubt");
	int64_t refused = doc_count(s, "people.refused");

	(void)times;
	if (queued + doubt + refused > 0)
		buf_addf(v,
			"%lld to be created, %lld may have been, %lld refused (punchctl users "
			"pending)",
			(long long)queued, (long long)doubt, (long long)refused);
	return doubt + refused > 0 ? TINT_WARN : TINT_PLAIN;
}

const char *overview_size(int64_t bytes, char ret_text[static UNITS_TEXT_SIZE])
{
	int64_t unit = 1;

	while (bytes / unit >= 10240 && unit < (1LL << 30))
		unit *= 1024;
	return units_format_size(bytes / unit * unit, ret_text);
}

static void add_size(struct buf *v, const json_t *s, const char *path)
{
	int64_t bytes;
	char text[UNITS_TEXT_SIZE];

	if (doc_number(s, path, &bytes) && bytes >= 0)
		buf_add_str(v, overview_size(bytes, text));
	else
		buf_add_str(v, "?");
}

static enum tint store(struct buf *v, const json_t *s, const struct times *times)
{
	(void)times;
	add_size(v, s, "store.bytes");
	buf_add_str(v, " used, ");
	add_size(v, s, "store.free_bytes");
	buf_add_str(v, " free on its disk");
	return TINT_PLAIN;
}

static enum tint clock_part(struct buf *v, const json_t *s, const struct times *times)
{
	bool good = doc_true(s, "clock.synchronized");

	(void)times;
	buf_add_str(v, good ? "synchronized" : "not synchronized");
	return good ? TINT_GOOD : TINT_WARN;
}

static void alarm_rows(struct table *t, const json_t *status, const struct times *times)
{
	const json_t *alarms = doc_get(status, "alarms"), *alarm;
	char when[TIMES_TEXT_SIZE];
	size_t i;

	json_array_foreach(alarms, i, alarm)
	{
		table_add(t, TINT_BOLD, "Alarm");
		table_addf(t, overview_severity_tint(doc_text(alarm, "severity")), "%s %s, %s: %s",
			doc_text(alarm, "severity"), doc_text(alarm, "code"),
			times_ago(times, doc_text(alarm, "since"), when),
			doc_text(alarm, "message"));
	}
}

void overview_rows(struct table *t, const json_t *status, const struct times *times)
{
	static const struct {
		const char *label;
		enum tint (*add)(struct buf *v, const json_t *s, const struct times *times);
	} parts[] = {{"Broker", broker}, {"Cloud", cloud}, {"Budget", budget}, {"Queue", queue},
		{"Punches", counts}, {"Directory", people}, {"New users", creations},
		{"Store", store}, {"Clock", clock_part}};
	struct buf value;

	alarm_rows(t, status, times);
	buf_init(&value, VALUE_CAP);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		enum tint tint;

		buf_clear(&value);
		tint = parts[i].add(&value, status, times);
		if (value.len == 0)
			continue;
		table_add(t, TINT_BOLD, parts[i].label);
		table_add_bytes(t, tint, value.data, value.len);
	}
	buf_done(&value);
}

/* ---- terminals */

const char *const overview_terminal_heads[OVERVIEW_TERMINAL_COLUMNS] = {"TERMINAL", "DEVICE",
	"ONLINE", "LAST SEEN", "LAST PUNCH", "PENDING", "CLOCK OFF", "FIRMWARE"};

static void terminal_online(struct table *t, const json_t *terminal)
{
	const json_t *online = doc_get(terminal, "online");

	table_add(t,
		json_is_true(online)            ? TINT_GOOD
			: json_is_false(online) ? TINT_WARN
						: TINT_PLAIN,
		json_is_true(online)            ? "yes"
			: json_is_false(online) ? "no"
						: NULL);
}

/* Somebody who is no device of the cloud's list: its punches are held. */
static void terminal_device(struct table *t, const json_t *terminal)
{
	const char *id = doc_text(terminal, "device_id");

	table_add(t, id[0] ? TINT_PLAIN : TINT_WARN, id[0] ? id : "unknown");
}

static void terminal_pending(struct table *t, const json_t *terminal)
{
	const json_t *pending = doc_get(terminal, "pending");

	if (json_is_integer(pending))
		table_addf(t, TINT_PLAIN, "%lld", (long long)json_integer_value(pending));
	else
		table_add(t, TINT_PLAIN, NULL);
}

void overview_skew(struct table *t, const json_t *terminal)
{
	const json_t *skew = doc_get(terminal, "skew_s");

	if (json_is_number(skew))
		table_addf(t, TINT_PLAIN, "%+.1fs", json_number_value(skew));
	else
		table_add(t, TINT_PLAIN, NULL);
}

size_t overview_terminals(struct table *t, const json_t *status, const struct times *times)
{
	const json_t *list = doc_get(status, "terminals"), *terminal;
	char when[TIMES_TEXT_SIZE];
	size_t i;

	json_array_foreach(list, i, terminal)
	{
		table_add(t, TINT_PLAIN, doc_text(terminal, "serial"));
		terminal_device(t, terminal);
		terminal_online(t, terminal);
		table_add(t, TINT_PLAIN, times_show(times, doc_text(terminal, "last_seen"), when));
		table_add(t, TINT_PLAIN, times_show(times, doc_text(terminal, "last_punch"), when));
		terminal_pending(t, terminal);
		overview_skew(t, terminal);
		table_add(t, TINT_PLAIN, doc_text(terminal, "fw"));
	}
	return json_array_size(list);
}
