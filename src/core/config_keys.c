#include "core/config_keys.h"

#include <string.h>

#include "core/rules.h"
#include "core/verdict.h"

#define DAY_MS  86400000LL
#define EVER_MS (36500 * DAY_MS)
#define HUGE_   (1LL << 50)

#define AT(m) offsetof(struct config, m)

const struct config_key config_keys[] = {
	{"api", "base_url", CONFIG_URL, AT(api.base_url), "https://api.bthdevelopers.com/v1", 0, 0,
		false, "where the cloud API is; https only"},
	{"api", "key_file", CONFIG_SECRET, AT(api.key_file), "", 0, 0, true,
		"file with the API key; else the systemd credential api.key, else "
		"/etc/punchd/api.key"},
	{"api", "ca_file", CONFIG_FILE, AT(api.ca_file), "", 0, 0, false,
		"a further CA to trust, beside the system's"},
	{"api", "plan", CONFIG_PLAN, AT(api.plan), "auto", 0, 1000000, false,
		"requests a minute, for answers without rate headers"},
	{"api", "timeout", CONFIG_DURATION, AT(api.timeout_ms), "30s", 100, EVER_MS, false,
		"one request, from connecting to its last byte"},
	{"api", "max_in_flight", CONFIG_INT, AT(api.max_in_flight), "8", 1, 256, false,
		"requests under way at once"},
	{"api", "retry_min", CONFIG_DURATION, AT(api.retry_min_ms), "1s", 1, EVER_MS, false,
		"shortest wait after the API failed"},
	{"api", "retry_max", CONFIG_DURATION, AT(api.retry_max_ms), "15m", 1, EVER_MS, false,
		"longest wait after the API failed again and again"},
	{"api", "auth_retry", CONFIG_DURATION, AT(api.auth_retry_ms), "5m", 1, EVER_MS, false,
		"how often a refused key is tried again; a changed key file is tried at once"},
	{"api", "proxy", CONFIG_PROXY, AT(api.proxy), "", 0, 0, false,
		"proxy to the API, as http://proxy.example:3128; none: none; empty: as the "
		"environment says"},
	{"api", "pinned_public_key", CONFIG_PINS, AT(api.pinned_public_key), "", 0, 0, false,
		"the only public keys that the API may have, as sha256// and base64; several with "
		"blanks between"},
	{"api", "in_doubt", CONFIG_DOUBT, AT(api.in_doubt), "resend", 0, DOUBT_HOLD, true,
		"a punch whose answer was lost, while the cloud is not known to honour idempotency "
		"keys: sent again, which may double it there, or held for a person"},
	{"mqtt", "host", CONFIG_HOST, AT(mqtt.host), "127.0.0.1", 0, 0, false, "the broker"},
	{"mqtt", "port", CONFIG_INT, AT(mqtt.port), "1883", 1, 65535, false, "its port"},
	{"mqtt", "client_id", CONFIG_TEXT, AT(mqtt.client_id), "", 0, 0, false,
		"empty: punchd- and 12 hex digits made from the machine id"},
	{"mqtt", "username", CONFIG_TEXT, AT(mqtt.username), "", 0, 0, false,
		"the login at the broker; empty: none"},
	{"mqtt", "password_file", CONFIG_SECRET, AT(mqtt.password_file), "", 0, 0, false,
		"file with the broker's password"},
	{"mqtt", "keepalive", CONFIG_DURATION, AT(mqtt.keepalive_ms), "60s", 5000, 65535000, false,
		"how often a quiet link is checked; whole seconds"},
	{"mqtt", "topic_prefix", CONFIG_PREFIX, AT(mqtt.topic_prefix), "", 0, 0, false,
		"put before every topic, as site7/"},
	{"mqtt", "profiles", CONFIG_TEXT, AT(mqtt.profiles), "native", 0, 0, true,
		"how terminals speak: native, and names of terminal profiles, blanks between them"},
	{"mqtt", "profile_dir", CONFIG_ABSOLUTE, AT(mqtt.profile_dir), "/etc/punchd/profiles", 0, 0,
		true, "folder of profiles; looked at before /usr/share/punchd/profiles"},
	{"mqtt", "max_payload", CONFIG_SIZE, AT(mqtt.max_payload), "4M", 1024, 256LL << 20, true,
		"a longer message is parked as too_large; a native one is over 64K already"},
	{"site", "name", CONFIG_NAME, AT(site.name), "", 0, 0, false,
		"shown in status and in the gateway's topic; empty: the host name"},
	{"site", "time_zone", CONFIG_TEXT, AT(site.time_zone), "", 0, 0, false,
		"IANA name, as Europe/Berlin; empty: the system's"},
	{"site", "day_start", CONFIG_CLOCK, AT(site.day_start_s), "04:00", 0, 86399, false,
		"where a working day turns over"},
	{"site", "max_shift", CONFIG_DURATION, AT(site.max_shift_ms), "12h", 0, CONFIG_WEEK_MS,
		true,
		"a check_in younger than this is closed by the next punch even across day_start"},
	{"site", "working_days", CONFIG_WEEK, AT(site.working_days), "mon tue wed thu fri", 0, 0,
		true, "days of the week that a report counts"},
	{"site", "holidays", CONFIG_HOLIDAYS, AT(site.holidays), "", 0, 0, true,
		"days that a report does not count: 2026-12-25, or 12-25 for each year; blanks "
		"between"},
	{"site", "late_after", CONFIG_CLOCK, AT(site.late_after_s), "09:15", 0, 86399, true,
		"in a report, who comes later than this is late"},
	{"site", "early_before", CONFIG_CLOCK, AT(site.early_before_s), "17:00", 0, 86399, true,
		"in a report, who goes before this went early"},
	{"punches", "direction", CONFIG_DIRECTION, AT(punches.direction), "alternate", 0,
		DIRECTION_HOLD, true, "which way a punch goes where its terminal does not say"},
	{"punches", "double_tap", CONFIG_DURATION, AT(punches.double_tap_ms), "60s", 0,
		CONFIG_WEEK_MS, true,
		"a second punch of the same user at the same terminal within this time is "
		"suppressed; 0: off"},
	{"punches", "max_age", CONFIG_DURATION, AT(punches.max_age_ms), "90d", 1000, EVER_MS, true,
		"a punch older than this when it came is held as stale"},
	{"punches", "accept_from", CONFIG_TIME, AT(punches.accept_from_s), "", 0, 0, true,
		"RFC 3339; earlier punches are held as before_start; empty: none are"},
	{"punches", "max_future", CONFIG_DURATION, AT(punches.max_future_ms), "5m", 0, EVER_MS,
		true, "a punch later than now by more than this is held as future_time"},
	{"punches", "unknown_user", CONFIG_ANSWER, AT(punches.unknown_user), "hold", 0,
		VERDICT_PARK, true,
		"what becomes of a punch of somebody who is not in the list of users; only an id, "
		"usr_..., can be forwarded, others are held"},
	{"punches", "unknown_device", CONFIG_ANSWER, AT(punches.unknown_device), "hold", 0,
		VERDICT_PARK, true,
		"what becomes of a punch of a terminal that is not in the list of devices; its "
		"serial number is forwarded"},
	{"punches", "inactive_device", CONFIG_ANSWER, AT(punches.inactive_device), "hold", 0,
		VERDICT_FORWARD, true,
		"what becomes of a punch of a device whose status is not active"},
	{"punches", "greet", CONFIG_BOOL, AT(punches.greet), "yes", 0, 1, true,
		"put the user's name into the acknowledgement"},
	{"store", "path", CONFIG_ABSOLUTE, AT(store.path), "/var/lib/punchd/punchd.db", 0, 0, false,
		"the database"},
	{"store", "retention", CONFIG_DURATION, AT(store.retention_ms), "90d", 0, EVER_MS, true,
		"a settled punch is kept at least this long; an unsettled one for ever"},
	{"store", "min_free", CONFIG_SIZE, AT(store.min_free), "64M", 0, HUGE_, true,
		"below this much free disk nothing is acknowledged"},
	{"sync", "users", CONFIG_DURATION, AT(sync.users_ms), "6h", 1000, EVER_MS, true,
		"how often the list of users is fetched"},
	{"sync", "devices", CONFIG_DURATION, AT(sync.devices_ms), "1h", 1000, EVER_MS, true,
		"how often the list of devices is fetched"},
	{"control", "socket", CONFIG_ABSOLUTE, AT(control.socket), "/run/punchd/punchd.sock", 0, 0,
		false, "where punchctl asks"},
	{"control", "group", CONFIG_TEXT, AT(control.group), "punchd", 0, 0, false,
		"its members may read and act; root always may"},
	{"log", "level", CONFIG_LEVEL, AT(log.level), "info", 0, 0, true, "how much is logged"},
	{"webhook", "listen", CONFIG_LISTEN, AT(webhook.listen), "", 0, 0, false,
		"where the cloud's webhooks are received, as 127.0.0.1:8481; empty: nowhere"},
	{"webhook", "secret_file", CONFIG_SECRET, AT(webhook.secret_file), "", 0, 0, true,
		"file with a secret of at least 24 characters; events are posted to "
		"/webhook/SECRET"},
	{"webhook", "hmac_secret_file", CONFIG_SECRET, AT(webhook.hmac_secret_file), "", 0, 0, true,
		"file with a secret that each body must be signed with, by HMAC-SHA256; empty: no "
		"signature is asked for"},
	{"webhook", "signature_header", CONFIG_HEADER, AT(webhook.signature_header),
		"X-Webhook-Signature", 0, 0, true, "the header that holds the signature"},
	{"webhook", "cert_file", CONFIG_FILE, AT(webhook.cert_file), "", 0, 0, true,
		"certificate, and its chain, to speak TLS with; required where listen is not "
		"loopback"},
	{"webhook", "key_file", CONFIG_SECRET, AT(webhook.key_file), "", 0, 0, true,
		"the certificate's private key, without a pass phrase"},
};
const size_t config_keys_count = sizeof config_keys / sizeof config_keys[0];

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(k->section, section) == 0 && strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

bool config_section_exists(const char *section)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		if (strcmp(config_keys[i].section, section) == 0)
			return true;
	}
	return false;
}
