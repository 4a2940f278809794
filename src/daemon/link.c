#include "daemon/link.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>

#include "base/backoff.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/settings.h"

#define RETRY_MIN_MS  500
#define RETRY_MAX_MS  8000 /* an alarm ends within ten seconds of the broker's return */
#define DOWN_SHOWN_US (1 * CLOCK_US_PER_S)   /* a link that comes back sooner is no alarm */
#define STEADY_US     (3 * CLOCK_US_PER_S)   /* up for so long: the trouble is over */
#define LOG_AGAIN_US  (600 * CLOCK_US_PER_S) /* the same trouble is said again after so long */
#define FALLS_MANY    3                      /* it came up and fell so often: it comes and goes */

struct link {
	struct context *context;
	struct guard *guard;
	struct intake *intake;
	struct mqtt *mqtt; /* NULL after link_close */
	struct backoff backoff;
	char client_id[256];
	char *status_topic;
	char *online, *offline; /* payloads of it */

	bool up, away;
	int64_t since_us;      /* wall clock */
	int64_t since_mono_us; /* monotonic */
	bool session_kept;     /* by the broker, when it took us in */
	bool forgotten;        /* it was not, and should have been */

	/* From the first fall until the link has been steady again. */
	int64_t trouble_us; /* monotonic, when it began; 0: there is none */
	enum mqtt_trouble trouble;
	int falls;       /* how often it was up and fell */
	unsigned told;   /* a bit a kind of trouble that was logged */
	int64_t told_us; /* monotonic, when the first of them was */
};

static bool comes_and_goes(const struct link *l)
{
	return l->falls >= FALLS_MANY;
}

static const char *advice(const struct link *l)
{
	switch (l->trouble) {
	case MQTT_NO_NAME:
		return "the broker's name is not found: check [mqtt] host and the network";
	case MQTT_REFUSED:
		return "nothing listens at the broker's address: is mosquitto running there?";
	case MQTT_UNREACHABLE:
		return "the broker's machine does not answer: check host, port, network and "
		       "firewall";
	case MQTT_SILENT:
		return "something listens at the broker's address, but does not speak MQTT in time";
	case MQTT_BAD_LOGIN:
		return "the broker refuses the login: check [mqtt] username and password_file, and "
		       "the broker's password file";
	case MQTT_NOT_ALLOWED:
		return "the broker does not take this client: check its log, and [mqtt] client_id";
	case MQTT_NOT_SUBSCRIBED:
		return "the broker refuses our subscription: check its access list";
	case MQTT_LOST:
		return comes_and_goes(l)
			? "the broker takes us in and hangs up, again and again: another client "
			  "with our client id, perhaps a second punchd? See the broker's log"
			: "the link to the broker broke: is it still running there? It is tried "
			  "again";
	case MQTT_DROPPED:
		return "the link was dropped, so that what could not be stored comes again";
	}
	return "";
}

/* ---- is it the broker's session that we know? */

/* A number that stands for this broker and client id, to be kept in the store. */
static int64_t session_mark(const struct link *l)
{
	const struct config *c = &l->context->config;
	uint64_t h = 0xcbf29ce484222325ULL ^ (uint64_t)c->mqtt.port;
	const char *texts[] = {c->mqtt.host, l->client_id};

	for (int i = 0; i < 2; i++) {
		for (const char *at = texts[i]; *at; at++)
			h = (h ^ (unsigned char)*at) * 0x100000001b3ULL;
		h = (h ^ 0xff) * 0x100000001b3ULL;
	}
	return (int64_t)h;
}

static int note_session(struct link *l, bool present)
{
	struct store *s = l->context->store;
	int64_t mark = session_mark(l), known;
	int r = store_meta_get(s, "session", 0, &known);
	bool before;

	if (r < 0)
		return r;
	before = l->forgotten;
	l->forgotten = !present && known == mark;
	if (l->forgotten && !before)
		log_warn("broker_forgot",
			"the broker has forgotten our session, and with it what waited there: see "
			"/usr/share/doc/punchd/examples/mosquitto/punchd.conf for settings that "
			"keep it");
	if (known == mark)
		return 0;
	r = store_begin(s);
	if (r == 0)
		r = store_meta_set(s, "session", mark);
	if (r == 0)
		return store_commit(s);
	store_rollback(s);
	return r;
}

/* ---- events */

static void on_connected(void *arg, bool session_present)
{
	struct link *l = arg;
	int r = guard_connected(l->guard);

	if (r == 0)
		r = note_session(l, session_present);
	if (r < 0)
		context_store_failed(l->context, r, "noting the connection");
	l->session_kept = session_present;
	intake_connected(l->intake, mqtt_heard_before_us(l->mqtt));
}

static void set_up(struct link *l, bool up)
{
	struct moment now = loop_now(l->context->loop);

	l->up = up;
	l->since_us = now.wall_us;
	l->since_mono_us = now.mono_us;
}

static void tell_up(const struct link *l, enum log_level level)
{
	log_put(level, "mqtt_up", "connected to the broker, and subscribed",
		LOG_LIST(LOG_S("host", l->context->config.mqtt.host),
			LOG_I("port", l->context->config.mqtt.port),
			LOG_S("client_id", l->client_id),
			LOG_S("session", l->session_kept ? "kept" : "new")));
}

static void on_subscribed(void *arg)
{
	struct link *l = arg;

	set_up(l, true);
	tell_up(l, comes_and_goes(l) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	mqtt_publish(l->mqtt, l->status_topic, l->online, strlen(l->online), 1, true);
}

/* The file may have been mended since. */
static void read_password(struct link *l)
{
	char words[SETTINGS_WORDS_MAX], *password;

	if (settings_password(&l->context->config, &password, words) == 0)
		mqtt_set_password(l->mqtt, password);
	file_secret_free(password);
}

/* Whether this trouble was told not long ago. */
static bool told_before(struct link *l, int64_t now_us)
{
	unsigned bit = 1u << (l->trouble * 2 + comes_and_goes(l));
	bool before;

	if (now_us - l->told_us >= LOG_AGAIN_US) {
		l->told = 0;
		l->told_us = now_us;
	}
	before = l->told & bit;
	l->told |= bit;
	return before;
}

static void on_down(void *arg, enum mqtt_trouble trouble, const char *words)
{
	struct link *l = arg;
	int64_t now_us = loop_now(l->context->loop).mono_us;

	if (l->trouble_us == 0)
		l->trouble_us = now_us;
	if (l->up)
		l->falls++;
	if (l->up || l->since_us == 0)
		set_up(l, false);
	l->trouble = trouble;
	log_put(told_before(l, now_us) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "mqtt_down",
		advice(l),
		LOG_LIST(LOG_S("host", l->context->config.mqtt.host),
			LOG_I("port", l->context->config.mqtt.port),
			LOG_S("client_id", l->client_id), LOG_S("error", words)));
	if (trouble == MQTT_BAD_LOGIN)
		read_password(l);
	if (l->context->disk_low)
		link_set_away(l, true);
}

static void on_message(void *arg, const struct mqtt_message *m)
{
	intake_message(((struct link *)arg)->intake, m);
}

static int on_drained(void *arg)
{
	return intake_flush(((struct link *)arg)->intake);
}

/* The log grows with bursts: it is moved into the file once they are acknowledged. */
static void on_acknowledged(void *arg)
{
	struct context *c = ((struct link *)arg)->context;
	int r = c->stopping ? 0 : store_checkpoint(c->store);

	if (r < 0)
		context_store_failed(c, r, "moving the log into the file");
}

static int64_t on_retry(void *arg)
{
	struct link *l = arg;

	return backoff_next_ms(&l->backoff, loop_random(l->context->loop));
}

/* ---- life */

static char *status_payload(bool online)
{
	json_t *root = json_pack("{s:b, s:s}", "online", online, "version", PACKAGE_VERSION);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	return text;
}

static int start(struct link *l)
{
	const struct config *c = &l->context->config;
	const struct mqtt_events events = {.arg = l,
		.connected = on_connected,
		.subscribed = on_subscribed,
		.down = on_down,
		.message = on_message,
		.drained = on_drained,
		.acknowledged = on_acknowledged,
		.retry_ms = on_retry};
	char words[SETTINGS_WORDS_MAX], *password = NULL;
	struct mqtt_settings settings = {
		.host = c->mqtt.host,
		.port = (int)c->mqtt.port,
		.client_id = l->client_id,
		.username = c->mqtt.username,
		.keepalive_s = (int)(c->mqtt.keepalive_ms / 1000),
		.will_topic = l->status_topic,
		.will_payload = l->offline,
		.topics = intake_topics(l->intake),
	};
	int r = settings_password(c, &password, words);

	settings.password = password;
	if (words[0])
		log_warn("mqtt_password", words);
	if (r == 0)
		r = mqtt_new(l->context->loop, &settings, &events, &l->mqtt);
	file_secret_free(password);
	if (r == 0)
		mqtt_set_careful(l->mqtt, l->guard->careful);
	return r;
}

int link_new(
	struct context *context, struct guard *guard, struct intake *intake, struct link **ret_link)
{
	struct link *l = calloc(1, sizeof *l);
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct link){.context = context, .guard = guard, .intake = intake};
	l->trouble_us = l->since_mono_us = loop_now(context->loop).mono_us;
	backoff_init(&l->backoff, RETRY_MIN_MS, RETRY_MAX_MS);
	l->online = status_payload(true);
	l->offline = status_payload(false);
	if (asprintf(&l->status_topic, "%satt/v1/gw/%s/status", context->config.mqtt.topic_prefix,
		    context->site) < 0)
		l->status_topic = NULL;
	r = l->online && l->offline && l->status_topic ? 0 : -ENOMEM;
	if (r == 0)
		r = settings_client_id(&context->config, l->client_id, sizeof l->client_id);
	if (r < 0)
		log_error("start", "no MQTT client id can be made: set [mqtt] client_id",
			LOG_S("error", strerror(-r)));
	else
		r = start(l);
	if (r < 0) {
		link_free(l);
		return r;
	}
	*ret_link = l;
	return 0;
}

void link_close(struct link *l)
{
	if (!l->mqtt)
		return;
	mqtt_publish(l->mqtt, l->status_topic, l->offline, strlen(l->offline), 1, true);
	mqtt_free(l->mqtt);
	l->mqtt = NULL;
	l->up = false;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	mqtt_free(l->mqtt);
	free(l->status_topic);
	free(l->online);
	free(l->offline);
	free(l);
}

void link_publish(struct link *l, const char *topic, const char *payload, size_t length)
{
	if (l && l->mqtt)
		mqtt_publish(l->mqtt, topic, payload, length, 0, false);
}

void link_set_away(struct link *l, bool away)
{
	if (l->away == away || !l->mqtt)
		return;
	l->away = away;
	mqtt_set_away(l->mqtt, away);
	if (l->up)
		set_up(l, false);
	l->trouble_us = loop_now(l->context->loop).mono_us;
}

int link_set_topics(struct link *l)
{
	return l->mqtt ? mqtt_set_topics(l->mqtt, intake_topics(l->intake)) : 0;
}

void link_set_careful(struct link *l, bool careful)
{
	if (l->mqtt)
		mqtt_set_careful(l->mqtt, careful);
}

/* Up for a while: what was wrong is over. */
static void calm_down(struct link *l)
{
	if (comes_and_goes(l))
		tell_up(l, LOG_LEVEL_INFO);
	l->trouble_us = 0;
	l->falls = 0;
	l->told = 0;
	backoff_reset(&l->backoff);
}

void link_look(struct link *l)
{
	struct alarms *a = &l->context->alarms;
	int64_t now_us = loop_now(l->context->loop).mono_us;
	bool down;

	if (l->up && l->trouble_us != 0 && now_us - l->since_mono_us >= STEADY_US)
		calm_down(l);
	/* It begins with a link that is down for a while, and ends with one that is up for a while. */
	down = l->trouble_us != 0 && !l->away &&
		(alarms_stands(a, ALARM_MQTT_DOWN) ||
			(!l->up && now_us - l->trouble_us > DOWN_SHOWN_US));
	alarms_set(a, ALARM_MQTT_DOWN, down, "%s the broker %s:%lld: %s",
		l->up ? "a link has only just come up to" : "no link to",
		l->context->config.mqtt.host, (long long)l->context->config.mqtt.port,
		l->told ? advice(l) : "connecting");
	alarms_set(a, ALARM_BROKER_UNSAFE, l->forgotten,
		"the broker forgot our session: what waited there is lost unless terminals send it "
		"again; give it the settings of "
		"/usr/share/doc/punchd/examples/mosquitto/punchd.conf");
}

bool link_is_up(const struct link *l, int64_t *ret_since_us)
{
	if (l->since_us != 0)
		*ret_since_us = l->since_us;
	return l->up;
}
