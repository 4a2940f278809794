/*
 * The log: one line an event, on stderr, as `token: message key=value …`.
 *
 * The token names the event for filters and documentation and never changes; the message tells an
 * operator what happened and what to do. Values are escaped and cut, so that nothing which came
 * from outside can forge a line. Under systemd each line begins with its priority as `<4>`.
 * Only edge/, daemon/ and the programs log; base, core, api and store return errors.
 *
 *	log_warn("mqtt_refused", "the broker refuses the password: check [mqtt] password_file",
 *		LOG_S("host", host), LOG_I("port", port));
 */
#ifndef PUNCHD_BASE_LOG_H
#define PUNCHD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The numbers are syslog's, as sd-daemon(3) wants them. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct log_field {
	const char *key;  /* NULL ends a list */
	const char *text; /* NULL: value holds the number */
	size_t length;    /* of text; SIZE_MAX: up to its NUL */
	int64_t value;
};

/* A function, since gcc warns where an array is compared with NULL. */
static inline const char *log_text(const char *s)
{
	return s ? s : "-";
}

#define LOG_S(k, s)    ((struct log_field){.key = (k), .text = log_text(s), .length = SIZE_MAX})
#define LOG_B(k, p, n) ((struct log_field){.key = (k), .text = (p), .length = (n)})
#define LOG_I(k, i)    ((struct log_field){.key = (k), .value = (i)})

#define LOG_LIST(...) ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})

#define log_error(token, message, ...) \
	log_put(LOG_LEVEL_ERROR, token, message, LOG_LIST(__VA_ARGS__))
#define log_warn(token, message, ...) \
	log_put(LOG_LEVEL_WARNING, token, message, LOG_LIST(__VA_ARGS__))
#define log_info(token, message, ...) log_put(LOG_LEVEL_INFO, token, message, LOG_LIST(__VA_ARGS__))
#define log_debug(token, message, ...) \
	log_put(LOG_LEVEL_DEBUG, token, message, LOG_LIST(__VA_ARGS__))

/* What is less important than level is dropped. Default: info. */
void log_set_level(enum log_level level);

/* Where lines go; for tests and the simulation. NULL: stderr. Not owned. */
void log_set_stream(FILE *stream);

/* Write one line. fields ends with a NULL key. Never fails, never blocks on more than the write. */
void log_put(enum log_level level, const char *token, const char *message,
	const struct log_field *fields);

/* The level's name as in [log] level, or -EINVAL. */
int log_level_parse(const char *name, enum log_level *ret_level);

#endif
