/*
 * What is wrong just now, as status and healthz show it. Whoever watches a thing says again and
 * again whether it stands; an alarm keeps the time at which it began, and a line goes to the log
 * when it begins and when it ends.
 */
#ifndef PUNCHD_DAEMON_ALARMS_H
#define PUNCHD_DAEMON_ALARMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum alarm_code {
	ALARM_API_AUTH,
	ALARM_API_OFFLINE,
	ALARM_API_GARBLED,
	ALARM_API_REFUSING,
	ALARM_CLOUD_DOUBLES,
	ALARM_DISK_LOW,
	ALARM_STORE_FAILED,
	ALARM_STORE_REPLACED,
	ALARM_MQTT_DOWN,
	ALARM_BROKER_UNSAFE,
	ALARM_CLOCK_UNSYNCED,
	ALARM_HELD,
	ALARM_PARKED,
	ALARM_TERMINAL_SILENT,
	ALARM_COUNT_
};

#define ALARM_MESSAGE_MAX 320

struct alarm {
	bool stands;
	int64_t since_us; /* wall clock */
	char message[ALARM_MESSAGE_MAX];
};

struct alarms {
	struct alarm alarms[ALARM_COUNT_];
	int64_t (*wall_us)(void *arg);
	void *arg;
};

void alarms_init(struct alarms *a, int64_t (*wall_us)(void *arg), void *arg);

/* Say whether it stands. The message may change while it does; it is not used when it does not. */
void alarms_set(struct alarms *a, enum alarm_code code, bool stands, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

bool alarms_stands(const struct alarms *a, enum alarm_code code);

/* Whether any stands; critical: only those that need somebody now. */
bool alarms_any(const struct alarms *a, bool critical);

/* What an alarm is called, as status shows it. */
const char *alarm_code_name(enum alarm_code code);

/* The alarms that stand as JSON, a new reference; critical_only as above. NULL: no memory. */
json_t *alarms_json(const struct alarms *a, bool critical_only);

#endif
