/* What one terminal is called: its serial, its topics (att/v1), its user name at the broker. */
#ifndef PUNCHD_TERMINAL_NAMES_H
#define PUNCHD_TERMINAL_NAMES_H

#define NAMES_SERIAL_MAX 64
#define NAMES_TOPIC_SIZE 512

struct names {
	char serial[NAMES_SERIAL_MAX + 1];
	char punch[NAMES_TOPIC_SIZE];
	char ack[NAMES_TOPIC_SIZE];
	char cmd[NAMES_TOPIC_SIZE];
	char status[NAMES_TOPIC_SIZE];
	char username[NAMES_TOPIC_SIZE]; /* "" none */
};

/*
 * username may be NULL; `%s` in it stands for the serial.
 * Returns 0 or -EINVAL: the serial is no topic level of 1 to 64 bytes, or the prefix makes no topic.
 */
int names_init(struct names *n, const char *prefix, const char *serial, const char *username);

#endif
