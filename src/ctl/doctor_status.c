/* What punchd's status document tells a doctor. */
#include "base/time.h"
#include "ctl/doc.h"
#include "ctl/doctor.h"
#include "ctl/overview.h"

#define QUEUE_OLD_S     3600
#define DIRECTORY_OLD_S (2 * 86400)
#define SILENT_S        86400
#define NAMED_MAX       3
#define CLOCK_OFF_S     60
#define FREE_FACTOR     4 /* times min_free: below it punchd refuses strangers */

/* How long ago a time of the status is; -1 where there is none. */
static int64_t age_s(const struct doctor *d, const char *path)
{
	const char *text = doc_text(d->status, path);
	int64_t then_s, age;

	if (time_parse_rfc3339(text, &then_s) < 0)
		return -1;
	age = d->ctl->times.now_s - then_s;
	return age > 0 ? age : 0;
}

/* ---- the settings */

/* Whether those on disk are good, and in force. */
static void settings(struct doctor *d)
{
	const json_t *waiting = doc_get(d->status, "config.restart_keys"), *one;
	const char *refused = doc_text(d->status, "config.refused");
	char when[TIMES_TEXT_SIZE], keys[256] = "";
	size_t i, at = 0;

	json_array_foreach(waiting, i, one)
	{
		if (at < sizeof keys)
			at += (size_t)snprintf(keys + at, sizeof keys - at, "%s%s",
				i > 0 ? ", " : "", json_string_value(one));
	}
	if (doc_true(d->status, "config.changed"))
		doctor_note(d, "settings", RESULT_WARN, "punchd -t, then systemctl reload punchd",
			"%s or conf.d beside it was changed, and not read since",
			doc_text(d->status, "config.file"));
	else if (refused[0])
		doctor_note(d, "settings", RESULT_FAIL,
			"punchd -t tells them all; mend them, then systemctl reload punchd",
			"%lld faults were found %s, the old settings are in force, and a restart "
			"would fail: %s",
			(long long)doc_count(d->status, "config.faults"),
			times_ago(&d->ctl->times, refused, when),
			doc_text(d->status, "config.fault"));
	else if (keys[0])
		doctor_note(d, "settings", RESULT_WARN, "systemctl restart punchd",
			"not in force before a restart: %s", keys);
	else
		doctor_note(d, "settings", RESULT_OK, NULL, "as on disk, read %s",
			times_ago(&d->ctl->times, doc_text(d->status, "config.read"), when));
}

/* ---- the broker */

static void broker(struct doctor *d)
{
	const char *alarm = doctor_alarm(d, "mqtt_down"), *host = doc_text(d->status, "mqtt.host");
	char when[TIMES_TEXT_SIZE];

	if (doc_true(d->status, "mqtt.connected"))
		doctor_note(d, "broker link", RESULT_OK, NULL, "connected to %s, %s", host,
			times_ago(&d->ctl->times, doc_text(d->status, "mqtt.since"), when));
	else
		doctor_note(d, "broker link", RESULT_FAIL, "see [mqtt] in punchd.conf(5)", "%s",
			alarm ? alarm : "not connected");
}

static void broker_session(struct doctor *d)
{
	const char *alarm = doctor_alarm(d, "broker_unsafe");

	if (alarm)
		doctor_note(d, "broker session", RESULT_WARN,
			"give the broker the settings of "
			"/usr/share/doc/punchd/examples/mosquitto/punchd.conf",
			"%s", alarm);
	else
		doctor_note(d, "broker session", RESULT_OK, NULL,
			"the broker has not forgotten punchd's");
}

/* ---- the cloud */

static void key(struct doctor *d)
{
	const char *warning = doc_text(d->status, "api.key.warning");

	if (!doc_true(d->status, "api.key.there"))
		doctor_note(d, "API key", RESULT_FAIL,
			"put it into that file, owner root, group punchd, mode 0640; punchd sees "
			"it "
			"at once",
			"%s", warning[0] ? warning : "there is none");
	else if (warning[0])
		doctor_note(d, "API key", RESULT_WARN, NULL, "%s", warning);
	else
		doctor_note(d, "API key", RESULT_OK, NULL, "there is one, in a file of its own");
}

static enum result api_result(const char *state)
{
	if (strcmp(state, "ok") == 0 || strcmp(state, "rate_limited") == 0)
		return RESULT_OK;
	return strcmp(state, "offline") == 0 || strcmp(state, "backoff") == 0 ? RESULT_WARN
									      : RESULT_FAIL;
}

/* The API has several alarms; what stands says more than the state alone. */
static void api(struct doctor *d)
{
	static const struct {
		const char *code;
		enum result result;
	} alarms[] = {{"api_auth", RESULT_FAIL}, {"api_refusing", RESULT_FAIL},
		{"api_garbled", RESULT_WARN}, {"api_offline", RESULT_WARN}};
	const char *state = doc_text(d->status, "api.state"), *alarm = NULL;
	enum result result = api_result(state);
	char when[TIMES_TEXT_SIZE], who[DOC_WHO_SIZE];
	bool told = false;

	for (size_t i = 0; i < sizeof alarms / sizeof alarms[0]; i++) {
		alarm = doctor_alarm(d, alarms[i].code);
		if (alarm)
			doctor_note(d, "API", alarms[i].result, NULL, "%s: %s", state, alarm);
		told = told || alarm;
	}
	if (doc_text(d->status, "api.paused.since")[0]) {
		doctor_note(d, "API", RESULT_WARN, "punchctl resume lets it go on",
			"forwarding was paused by %s, %s", doc_who(d->status, "api.paused.by", who),
			times_ago(&d->ctl->times, doc_text(d->status, "api.paused.since"), when));
		told = true;
	}
	if (told)
		return;
	times_ago(&d->ctl->times, doc_text(d->status, "api.last_success"), when);
	if (!when[0] && result == RESULT_OK)
		result = RESULT_WARN;
	doctor_note(d, "API", result, "see [api] in punchd.conf(5), and punchd's log", "%s, %s%s",
		state, when[0] ? "last success " : "no success since punchd started", when);
}

/* What happens where an answer is lost. */
static void lost_answers(struct doctor *d)
{
	const char *honours = doc_text(d->status, "api.idempotent");

	const char *alarm = doctor_alarm(d, "cloud_doubles");

	if (alarm || strcmp(honours, "no") == 0)
		doctor_note(d, "lost answers", RESULT_WARN,
			"look for doubled records in the cloud; in_doubt = hold in [api] keeps "
			"what is in doubt here",
			"%s",
			alarm ? alarm
			      : "the cloud ignores idempotency keys: what is sent again may be "
				"doubled");
	else if (strcmp(honours, "yes") == 0)
		doctor_note(d, "lost answers", RESULT_OK, NULL,
			"the cloud honours idempotency keys: what is sent again is not doubled");
	else
		doctor_note(d, "lost answers", RESULT_OK, NULL,
			"whether the cloud honours idempotency keys is not known yet");
}

static void budget(struct doctor *d)
{
	int64_t limit, left;
	char when[TIMES_TEXT_SIZE];

	if (!doc_number(d->status, "api.rate.limit", &limit)) {
		doctor_note(d, "rate budget", RESULT_OK, NULL, "not known before the first answer");
		return;
	}
	left = doc_count(d->status, "api.rate.remaining");
	times_ago(&d->ctl->times, doc_text(d->status, "api.rate.reset"), when);
	doctor_note(d, "rate budget", left > 0 ? RESULT_OK : RESULT_WARN,
		"punchd waits until it is renewed; if that is always so, ask for a larger plan",
		"%lld of %lld requests left%s%s", (long long)left, (long long)limit,
		when[0] ? ", renewed " : "", when);
}

/* Where webhooks are received; refused calls are strangers', or the cloud's with a wrong secret. */
static void webhook(struct doctor *d)
{
	const char *listen = doc_text(d->status, "webhook.listen");
	const char *last = doc_text(d->status, "webhook.last_event");
	int64_t refused = doc_count(d->status, "webhook.refused.signature") +
		doc_count(d->status, "webhook.refused.body");
	char when[TIMES_TEXT_SIZE];

	if (!listen[0])
		return;
	if (refused > 0)
		doctor_note(d, "webhooks", RESULT_WARN,
			"punchd's log says why: compare the secrets here and in the cloud",
			"at %s, %lld calls with the secret were refused", listen,
			(long long)refused);
	else if (!last[0])
		doctor_note(d, "webhooks", RESULT_WARN,
			"see WEBHOOKS in punchd(8) for what is entered at the cloud",
			"at %s, nothing came since punchd started", listen);
	else
		doctor_note(d, "webhooks", RESULT_OK, NULL, "at %s, the last event %s", listen,
			times_ago(&d->ctl->times, last, when));
}

/* ---- punches */

static void queue(struct doctor *d)
{
	int64_t oldest_s;
	char span[TIMES_TEXT_SIZE];

	if (!doc_number(d->status, "queue.oldest_queued_s", &oldest_s)) {
		doctor_note(d, "queue", RESULT_OK, NULL, "nothing waits to be sent");
		return;
	}
	doctor_note(d, "queue", oldest_s > QUEUE_OLD_S ? RESULT_WARN : RESULT_OK,
		"it is sent as fast as the rate budget allows; punchctl watch shows it go",
		"%lld punches, the oldest from %s ago",
		(long long)doc_count(d->status, "queue.queued"), times_span(oldest_s, span));
}

static void waiting(struct doctor *d, const char *state, const char *advice)
{
	char path[32];
	int64_t n;

	snprintf(path, sizeof path, "queue.%s", state);
	n = doc_count(d->status, path);
	doctor_alarm(d, state);
	if (n > 0)
		doctor_note(d, state, RESULT_WARN, advice, "%lld punches", (long long)n);
	else
		doctor_note(d, state, RESULT_OK, NULL, "none");
}

/* ---- the directory */

static void directory(struct doctor *d, const char *what)
{
	const char *error = doc_text(d->status, "directory.pass_error");
	char path[64], span[TIMES_TEXT_SIZE];
	int64_t n, age;

	snprintf(path, sizeof path, "directory.%s", what);
	n = doc_count(d->status, path);
	snprintf(path, sizeof path, "directory.%s_synced_at", what);
	age = age_s(d, path);
	if (age < 0)
		doctor_note(d, what, RESULT_WARN, "punchctl sync --wait", "never fetched%s%s",
			error[0] ? ": " : "", error);
	else
		doctor_note(d, what,
			n == 0 || error[0] || age > DIRECTORY_OLD_S ? RESULT_WARN : RESULT_OK,
			n == 0 ? "add them in the cloud, then punchctl sync --wait"
			       : "punchctl sync --wait",
			"%lld, fetched %s ago%s%s", (long long)n, times_span(age, span),
			error[0] ? "; the last try failed: " : "", error);
}

/* ---- the machine */

static void disk(struct doctor *d)
{
	const char *alarm = doctor_alarm(d, "disk_low");
	int64_t spare, min_free = doc_count(d->status, "store.min_free_bytes");
	char has[UNITS_TEXT_SIZE], wants[UNITS_TEXT_SIZE];

	if (alarm)
		doctor_note(d, "disk", RESULT_FAIL, "make room", "%s", alarm);
	else if (!doc_number(d->status, "store.free_bytes", &spare))
		doctor_note(d, "disk", RESULT_FAIL, "see punchd's log",
			"its free space cannot be told");
	else
		doctor_note(d, "disk", spare < min_free * FREE_FACTOR ? RESULT_WARN : RESULT_OK,
			"make room: strangers' messages are refused already",
			"%s free, punchd stops below %s", overview_size(spare, has),
			overview_size(min_free, wants));
}

static void clock_check(struct doctor *d)
{
	const char *alarm = doctor_alarm(d, "clock_unsynced");

	if (!alarm && doc_true(d->status, "clock.synchronized"))
		doctor_note(d, "clock", RESULT_OK, NULL, "synchronized");
	else
		doctor_note(d, "clock", RESULT_WARN, "see timedatectl timesync-status", "%s",
			alarm ? alarm : "nothing has said yet that it is right");
}

static bool is_silent(const struct doctor *d, const json_t *terminal)
{
	int64_t seen_s;

	if (json_is_false(doc_get(terminal, "online")))
		return true;
	return time_parse_rfc3339(doc_text(terminal, "last_seen"), &seen_s) < 0 ||
		d->ctl->times.now_s - seen_s > SILENT_S;
}

/* Some of the listed terminals: how many, and the names of the first. */
struct some {
	size_t count;
	char names[NAMED_MAX * 80 + 16];
};

static struct some some_terminals(
	const struct doctor *d, bool (*is_one)(const struct doctor *, const json_t *))
{
	const json_t *terminal;
	struct some some = {.count = 0};
	size_t i, at = 0;

	json_array_foreach(doc_get(d->status, "terminals"), i, terminal)
	{
		if (!is_one(d, terminal) || some.count++ >= NAMED_MAX)
			continue;
		at += (size_t)snprintf(some.names + at, sizeof some.names - at, "%s%.64s",
			some.count > 1 ? ", " : "", doc_text(terminal, "name"));
	}
	if (some.count > NAMED_MAX)
		snprintf(some.names + at, sizeof some.names - at, " and others");
	return some;
}

static bool is_device(const struct doctor *d, const json_t *terminal)
{
	(void)d;
	return doc_text(terminal, "device_id")[0] != '\0';
}

static bool is_silent_device(const struct doctor *d, const json_t *terminal)
{
	return is_device(d, terminal) && is_silent(d, terminal);
}

static bool is_wrong_clock(const struct doctor *d, const json_t *terminal)
{
	double skew_s = json_number_value(doc_get(terminal, "skew_s"));

	return is_device(d, terminal) && (skew_s > CLOCK_OFF_S || skew_s < -CLOCK_OFF_S);
}

static void terminals(struct doctor *d)
{
	struct some all = some_terminals(d, is_device),
		    silent = some_terminals(d, is_silent_device);
	struct some wrong = some_terminals(d, is_wrong_clock);

	doctor_alarm(d, "terminal_silent");
	if (all.count == 0)
		doctor_note(d, "terminals", RESULT_WARN,
			"let one publish to att/v1/SERIAL/punch (punchd-mqtt(7))",
			"none of the cloud's devices was heard of since punchd started");
	else if (silent.count == 0)
		doctor_note(d, "terminals", RESULT_OK, NULL, "%zu, all heard of within a day",
			all.count);
	else
		doctor_note(d, "terminals", RESULT_WARN, "look at their power and their network",
			"%zu of %zu are silent: %s", silent.count, all.count, silent.names);
	if (wrong.count > 0)
		doctor_note(d, "terminal clocks", RESULT_WARN,
			"set their clocks: punches have the times that terminals show",
			"%zu over a minute off: %s", wrong.count, wrong.names);
}

/* ---- */

/* Those that no other check has told. */
static void alarms(struct doctor *d)
{
	const json_t *list = doc_get(d->status, "alarms"), *alarm;
	size_t i, left = 0;

	json_array_foreach(list, i, alarm)
	{
		const char *code = doc_text(alarm, "code");
		bool critical = strcmp(doc_text(alarm, "severity"), "critical") == 0;

		if (json_object_get(d->told, code))
			continue;
		left++;
		doctor_note(d, code, critical ? RESULT_FAIL : RESULT_WARN,
			"punchd(8) says what it means", "%s", doc_text(alarm, "message"));
	}
	if (left == 0)
		doctor_note(d, "other alarms", RESULT_OK, NULL, "none");
}

void doctor_look_at_status(struct doctor *d)
{
	settings(d);
	broker(d);
	broker_session(d);
	key(d);
	api(d);
	lost_answers(d);
	budget(d);
	webhook(d);
	queue(d);
	waiting(d, "held", "punchctl punches --state held says for what they wait");
	waiting(d, "parked", "they need a person: punchctl punches --state parked says why");
	directory(d, "users");
	directory(d, "devices");
	disk(d);
	clock_check(d);
	terminals(d);
	doctor_look_at_devices(d);
	doctor_look_at_new_users(d);
	alarms(d);
}
