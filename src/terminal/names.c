#include "terminal/names.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdbool.h>

static bool good_serial(const char *serial)
{
	size_t n = strlen(serial);

	if (n < 1 || n > NAMES_SERIAL_MAX || strpbrk(serial, "/+#$"))
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)serial[i] < ' ' || serial[i] == 0x7f)
			return false;
	}
	return true;
}

static void name_user(struct names *n, const char *pattern)
{
	const char *at = strstr(pattern, "%s");

	if (at)
		snprintf(n->username, sizeof n->username, "%.*s%s%s", (int)(at - pattern), pattern,
			n->serial, at + 2);
	else
		snprintf(n->username, sizeof n->username, "%s", pattern);
}

int names_init(struct names *n, const char *prefix, const char *serial, const char *username)
{
	*n = (struct names){0};
	/* The longest topic must fit whole. */
	if (!good_serial(serial) || strlen(prefix) > NAMES_TOPIC_SIZE - NAMES_SERIAL_MAX - 32)
		return -EINVAL;
	snprintf(n->serial, sizeof n->serial, "%s", serial);
	snprintf(n->punch, sizeof n->punch, "%satt/v1/%s/punch", prefix, serial);
	snprintf(n->ack, sizeof n->ack, "%satt/v1/%s/ack", prefix, serial);
	snprintf(n->cmd, sizeof n->cmd, "%satt/v1/%s/cmd", prefix, serial);
	snprintf(n->status, sizeof n->status, "%satt/v1/%s/status", prefix, serial);
	if (username)
		name_user(n, username);
	return mosquitto_pub_topic_check(n->status) == MOSQ_ERR_SUCCESS ? 0 : -EINVAL;
}
