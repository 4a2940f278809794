#include "daemon/alarms.h"

#include <stdarg.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/time.h"

static const struct {
	const char *code;
	bool critical;
} kinds[ALARM_COUNT_] = {
	[ALARM_API_AUTH] = {"api_auth", true},
	[ALARM_API_OFFLINE] = {"api_offline", false},
	[ALARM_API_GARBLED] = {"api_garbled", false},
	[ALARM_API_REFUSING] = {"api_refusing", true},
	[ALARM_CLOUD_DOUBLES] = {"cloud_doubles", false},
	[ALARM_DISK_LOW] = {"disk_low", true},
	[ALARM_STORE_FAILED] = {"store_failed", true},
	[ALARM_STORE_REPLACED] = {"store_replaced", true},
	[ALARM_MQTT_DOWN] = {"mqtt_down", true},
	[ALARM_BROKER_UNSAFE] = {"broker_unsafe", false},
	[ALARM_CLOCK_UNSYNCED] = {"clock_unsynced", false},
	[ALARM_HELD] = {"held", false},
	[ALARM_PARKED] = {"parked", false},
	[ALARM_TERMINAL_SILENT] = {"terminal_silent", false},
};

void alarms_init(struct alarms *a, int64_t (*wall_us)(void *arg), void *arg)
{
	*a = (struct alarms){.wall_us = wall_us, .arg = arg};
}

static void begin(struct alarms *a, enum alarm_code code)
{
	struct alarm *alarm = &a->alarms[code];

	alarm->stands = true;
	alarm->since_us = a->wall_us(a->arg);
	log_put(kinds[code].critical ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "alarm", alarm->message,
		LOG_LIST(LOG_S("code", kinds[code].code)));
}

void alarms_set(struct alarms *a, enum alarm_code code, bool stands, const char *format, ...)
{
	struct alarm *alarm = &a->alarms[code];
	va_list ap;

	if (stands) {
		va_start(ap, format);
		vsnprintf(alarm->message, sizeof alarm->message, format, ap);
		va_end(ap);
	}
	if (stands == alarm->stands)
		return;
	if (stands) {
		begin(a, code);
		return;
	}
	alarm->stands = false;
	log_info("alarm_over", "an alarm has ended", LOG_S("code", kinds[code].code));
}

bool alarms_stands(const struct alarms *a, enum alarm_code code)
{
	return a->alarms[code].stands;
}

bool alarms_any(const struct alarms *a, bool critical)
{
	for (int i = 0; i < ALARM_COUNT_; i++) {
		if (a->alarms[i].stands && (!critical || kinds[i].critical))
			return true;
	}
	return false;
}

const char *alarm_code_name(enum alarm_code code)
{
	return kinds[code].code;
}

json_t *alarms_json(const struct alarms *a, bool critical_only)
{
	json_t *list = json_array();
	char since[TIME_TEXT_SIZE];

	for (int i = 0; list && i < ALARM_COUNT_; i++) {
		const struct alarm *alarm = &a->alarms[i];

		if (!alarm->stands || (critical_only && !kinds[i].critical))
			continue;
		time_format_utc(alarm->since_us / CLOCK_US_PER_S, -1, since);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s}", "code", kinds[i].code, "severity",
				kinds[i].critical ? "critical" : "warning", "since", since,
				"message", alarm->message));
	}
	return list;
}
