/*
 * What a mosquitto configuration says of the settings that decide whether punches are lost while
 * they wait at the broker; etc/mosquitto/punchd.conf says why, line by line. mosquitto.conf(5).
 */
#ifndef PUNCHD_CTL_BROKERCONF_H
#define PUNCHD_CTL_BROKERCONF_H

#include <stdbool.h>

#include "base/buf.h"

enum broker_setting {
	BROKER_PERSISTENCE,
	BROKER_AUTOSAVE_INTERVAL,
	BROKER_AUTOSAVE_ON_CHANGES,
	BROKER_MAX_QUEUED_MESSAGES,
	BROKER_MAX_QUEUED_BYTES,
	BROKER_PER_LISTENER_SETTINGS,
	BROKER_UPGRADE_OUTGOING_QOS,
	BROKER_QUEUE_QOS0_MESSAGES,
	BROKER_MESSAGE_SIZE_LIMIT,
	BROKER_MAX_PACKET_SIZE,
	BROKER_PERSISTENT_CLIENT_EXPIRATION,
	BROKER_MAX_INFLIGHT_MESSAGES,
	BROKER_SETTINGS_
};

#define BROKER_VALUE_SIZE 64

struct brokerconf {
	char values[BROKER_SETTINGS_][BROKER_VALUE_SIZE]; /* mosquitto's default where not set */
	bool set[BROKER_SETTINGS_];
};

/*
 * Read FILE and what its include_dir holds. Returns 0, or a negative errno with the file that could
 * not be read in ret_words.
 */
#define BROKER_WORDS_MAX 512
int brokerconf_read(
	struct brokerconf *c, const char *path, char ret_words[static BROKER_WORDS_MAX]);

/* One thing that is wrong: bad where it loses punches, else a matter of taste or load. */
typedef void brokerconf_fault(void *arg, bool bad, const char *words);

/* Tell each fault. Returns how many there were. */
int brokerconf_judge(const struct brokerconf *c, brokerconf_fault *fault, void *arg);

#endif
