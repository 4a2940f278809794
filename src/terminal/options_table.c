#include "terminal/options_table.h"

#include <stddef.h>

#include "base/mdoc.h"

#define FIELD(f) offsetof(struct options, f)

const struct option_row option_rows[OPTION_ROWS] = {
	{"The broker", "host", "NAME", "127.0.0.1", "the broker",
		"One that cannot be reached is tried again, first after 200 ms and at last every "
		"few seconds.",
		KIND_TEXT, FIELD(host), 0, 0},
	{NULL, "port", "N", "1883", "its port", NULL, KIND_NUMBER, FIELD(port), 1, 65535},
	{NULL, "username", "NAME", NULL, "log in as; %s in it stands for the serial", NULL,
		KIND_TEXT, FIELD(username), 0, 0},
	{NULL, "password-file", "FILE", NULL, "its password", NULL, KIND_TEXT, FIELD(password_file),
		0, 0},
	{NULL, "ca-file", "FILE", NULL, "use TLS, and trust the certificates in this file", NULL,
		KIND_TEXT, FIELD(ca_file), 0, 0},
	{NULL, "prefix", "TEXT", NULL, "put before every topic, such as site7/", NULL, KIND_TEXT,
		FIELD(prefix), 0, 0},
	{NULL, "keepalive", "TIME", "60s", "MQTT keep-alive, at least 5s", NULL, KIND_DURATION,
		FIELD(keepalive_ms), 5000, 65535 * 1000LL},
	{NULL, "qos", "0|1", "1", "quality of service of the punches", NULL, KIND_NUMBER,
		FIELD(qos), 0, 1},
	{"The terminals", "terminals", "N", "1", "how many to play", NULL, KIND_NUMBER,
		FIELD(terminals), 1, 100000},
	{NULL, "serial", "NAME", "BIO-FP-%03d",
		"a terminal's name, repeatable, or all names by a pattern",
		"A single one with %d or %0Nd in it names all terminals, from 1. The MQTT client "
		"id is the serial.",
		KIND_LIST, FIELD(serials), 0, 0},
	{NULL, "keep", "FILE", NULL, "where what is not acknowledged survives a restart",
		"It holds that, and how many punches each terminal has made. It is written, and "
		"synced, before a punch is sent, and survives kill -9. A later run with the same "
		"file goes on with it: --count then counts the punches of earlier runs too. One "
		"process at a time. Without it everything is forgotten with the process. A clock "
		"that the gateway has set is off again after a restart, as in a terminal without a "
		"battery.",
		KIND_TEXT, FIELD(keep), 0, 0},
	{NULL, "window", "N", "100", "unacknowledged punches of a terminal under way", NULL,
		KIND_NUMBER, FIELD(window), 1, 10000},
	{NULL, "resend", "TIME", "10s", "send again what is not acknowledged after this",
		"The wait doubles each time, up to sixteen times as long, so that a gateway which "
		"is behind is not drowned.",
		KIND_DURATION, FIELD(resend_ms), 100, OPTION_DAY_MS},
	{NULL, "no-ack", NULL, NULL, "trust the broker: do not wait for the gateway's ack",
		"A punch is done with the PUBACK, or with --qos 0 when it was written.", KIND_FLAG,
		FIELD(no_ack), 0, 0},
	{NULL, "retain", NULL, NULL, "publish punches retained", NULL, KIND_FLAG, FIELD(retain), 0,
		0},
	{NULL, "counter-reset", NULL, NULL, "begin ids at 000001 again",
		"And the count too, as after a reset to factory settings. Refused while the keep "
		"holds punches whose ids would be used a second time.",
		KIND_FLAG, FIELD(counter_reset), 0, 0},
	{"The punches", "count", "N", "1", "punches of each terminal, 0: no end", NULL, KIND_NUMBER,
		FIELD(count), 0, 1000000000},
	{NULL, "rate", "N", "0", "punches a second of each terminal, 0: as fast as acks allow",
		"Such as 0.5. They are made whether or not there is a connection; with 0 when "
		"acknowledgements make room in the window.",
		KIND_RATE, FIELD(interval_us), 0, 0},
	{NULL, "batch", "N", "1", "stored punches to a message, up to 100; 1: live",
		"A stored record has live false, a lone one live true.", KIND_NUMBER, FIELD(batch),
		1, OPTIONS_BATCH_MAX},
	{NULL, "user", "KIND:VALUE", NULL, "somebody who punches, repeatable",
		"Kinds are id, pin, card, slot, email and phone. Without a kind the punch names "
		"none.",
		KIND_LIST, FIELD(users), 0, 0},
	{NULL, "users-file", "FILE", NULL, "the same, one a line",
		"Lines that begin with # are skipped.", KIND_TEXT, FIELD(users_file), 0, 0},
	{NULL, "users", "N", "10", "the first N users of punch-sandbox", NULL, KIND_NUMBER,
		FIELD(users_count), 1, 1000000},
	{NULL, "user-format", "PATTERN", "usr_%06d", "their ids", NULL, KIND_TEXT,
		FIELD(user_format), 0, 0},
	{NULL, "types", "WHICH", "alternate",
		"which way they go: alternate, check_in, check_out or none", NULL, KIND_TYPES,
		FIELD(types), 0, 0},
	{NULL, "no-type", NULL, NULL, "the same as --types none", NULL, KIND_NO_TYPE, FIELD(types),
		0, 0},
	{NULL, "no-time", NULL, NULL, "punches without a time", NULL, KIND_FLAG, FIELD(no_time), 0,
		0},
	{NULL, "start", "TIME", NULL, "time of each terminal's first punch, instead of the clock's",
		"RFC 3339 with an offset. A set_time command then changes no punch.", KIND_TIME,
		FIELD(start_s), 0, 0},
	{NULL, "step", "TIME", "1s", "from one punch to the next, with --start", NULL,
		KIND_DURATION, FIELD(step_ms), 1, 365 * OPTION_DAY_MS},
	{NULL, "time-offset", "[-]TIME", NULL, "how far the terminals' clocks are off",
		"A bare number is seconds.", KIND_SHIFT, FIELD(time_offset_ms), 0, 0},
	{NULL, "utc-offset", "+hh:mm", "Z", "write times with this offset", NULL, KIND_ZONE,
		FIELD(utc_offset_s), 0, 0},
	{"The run", "journal", "FILE", NULL,
		"append a JSON line for each punch and each ack; see JOURNAL", NULL, KIND_TEXT,
		FIELD(journal), 0, 0},
	{NULL, "timeout", "TIME", NULL, "give up after this", NULL, KIND_DURATION,
		FIELD(timeout_ms), 1, 365 * OPTION_DAY_MS},
	{NULL, "publish-raw", "FILE", NULL, "publish these bytes once, as they are",
		"Instead of playing a terminal, with --qos and --retain; it ends when the broker "
		"has them.",
		KIND_TEXT, FIELD(raw_file), 0, 0},
	{NULL, "topic", "TOPIC", NULL, "where to, with --publish-raw", NULL, KIND_TEXT,
		FIELD(topic), 0, 0},
	{NULL, "quiet", NULL, NULL, "say errors only", NULL, KIND_FLAG, FIELD(quiet), 0, 0},
	{NULL, "verbose", NULL, NULL, "say everything", NULL, KIND_FLAG, FIELD(verbose), 0, 0},
	{NULL, "help", NULL, NULL, "show this", NULL, KIND_HELP, 0, 0, 0},
	{NULL, "version", NULL, NULL, "show the version", NULL, KIND_VERSION, 0, 0, 0},
};

void options_help(FILE *out)
{
	fputs("usage: punch-terminal [OPTION]…\n"
	      "Play one attendance terminal or thousands over MQTT (att/v1).\n",
		out);
	for (const struct option_row *row = option_rows; row < option_rows + OPTION_ROWS; row++) {
		char left[40];

		if (row->section)
			fprintf(out, "\n%s:\n", row->section);
		snprintf(left, sizeof left, "--%s %s", row->name,
			row->argument ? row->argument : "");
		fprintf(out, "  %-25s %s%s%s%s\n", left, row->help, row->preset ? " [" : "",
			row->preset ? row->preset : "", row->preset ? "]" : "");
	}
}

void options_man(FILE *out)
{
	for (const struct option_row *row = option_rows; row < option_rows + OPTION_ROWS; row++) {
		if (row->section)
			fprintf(out, "%s.Ss %s\n.Bl -tag -width Ds\n",
				row == option_rows ? "" : ".El\n", row->section);
		mdoc_option(out, row->name, row->argument);
		mdoc_text(out, row->help);
		if (row->more)
			mdoc_text(out, row->more);
		mdoc_preset(out, row->preset);
	}
	fputs(".El\n", out);
}
