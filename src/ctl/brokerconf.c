#include "ctl/brokerconf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/units.h"

#define FILE_CAP (1024 * 1024)
#define PATH_CAP 4096

/* ---- what is asked of each setting */

enum rule {
	RULE_NONE, /* it is looked at together with another */
	RULE_YES,
	RULE_NO,
	RULE_UNSET,
	RULE_AT_LEAST,  /* 0 is too little */
	RULE_OR_NO_CAP, /* at least, or 0 for no limit */
};

static const struct {
	const char *name;
	const char *fallback; /* mosquitto 2.0's own */
	enum rule rule;
	int64_t least;
	bool bad;
	const char *why;
} rules[BROKER_SETTINGS_] = {
	[BROKER_PERSISTENCE] = {"persistence", "false", RULE_YES, 0, true,
		"what waits for punchd is lost when the broker ends"},
	[BROKER_AUTOSAVE_INTERVAL] = {"autosave_interval", "1800", RULE_NONE, 0, true, NULL},
	[BROKER_AUTOSAVE_ON_CHANGES] = {"autosave_on_changes", "false", RULE_NONE, 0, true, NULL},
	[BROKER_MAX_QUEUED_MESSAGES] = {"max_queued_messages", "1000", RULE_AT_LEAST, 10000, true,
		"past it the broker acknowledges punches and drops them"},
	[BROKER_MAX_QUEUED_BYTES] = {"max_queued_bytes", "0", RULE_OR_NO_CAP, 16 << 20, true,
		"past it the broker acknowledges punches and drops them"},
	[BROKER_PER_LISTENER_SETTINGS] = {"per_listener_settings", "false", RULE_NO, 0, true,
		"several versions then keep nothing for a punchd that is away"},
	[BROKER_UPGRADE_OUTGOING_QOS] = {"upgrade_outgoing_qos", "false", RULE_NONE, 0, false,
		NULL},
	[BROKER_QUEUE_QOS0_MESSAGES] = {"queue_qos0_messages", "false", RULE_NONE, 0, false, NULL},
	/* 4 MiB: punchd's own [mqtt] max_payload, from which on it parks a message as too large. */
	[BROKER_MESSAGE_SIZE_LIMIT] = {"message_size_limit", "0", RULE_OR_NO_CAP, 4 << 20, true,
		"a message over it is acknowledged and dropped"},
	[BROKER_MAX_PACKET_SIZE] = {"max_packet_size", "0", RULE_OR_NO_CAP, 68 << 10, false,
		"a punch message of 64 KiB, which is allowed, ends its terminal's connection"},
	[BROKER_PERSISTENT_CLIENT_EXPIRATION] = {"persistent_client_expiration", "", RULE_UNSET, 0,
		true, "after that time the broker forgets punchd, and all that waits for it"},
	[BROKER_MAX_INFLIGHT_MESSAGES] = {"max_inflight_messages", "20", RULE_OR_NO_CAP, 100, false,
		"so few punches share a commit, and an SD card is written more often"},
};

/* ---- reading */

static void take(struct brokerconf *c, const char *key, const char *value)
{
	for (int i = 0; i < BROKER_SETTINGS_; i++) {
		if (strcmp(rules[i].name, key) != 0)
			continue;
		snprintf(c->values[i], sizeof c->values[i], "%s", value);
		c->set[i] = true;
	}
}

/* One line, ended by NUL: a key, blanks, a value. *ret_include is set where it names a folder. */
static void read_line(struct brokerconf *c, char *line, char *ret_include)
{
	char *value = line + strcspn(line, " \t");
	size_t n = strlen(line);

	if (line[0] == '#')
		return;
	while (n > 0 && isspace((unsigned char)line[n - 1]))
		line[--n] = '\0';
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	if (strcmp(line, "include_dir") == 0)
		snprintf(ret_include, PATH_CAP, "%s", value);
	else
		take(c, line, value);
}

static int read_file(struct brokerconf *c, const char *path, char *ret_include, char *ret_words)
{
	struct buf text;
	char *rest, *line;
	int r;

	buf_init(&text, FILE_CAP);
	r = file_read(path, &text, NULL);
	if (r < 0)
		snprintf(ret_words, BROKER_WORDS_MAX, "%.400s: %s", path, strerror(-r));
	rest = r == 0 && text.len > 0 ? text.data : NULL;
	while ((line = strsep(&rest, "\n")))
		read_line(c, line, ret_include);
	buf_done(&text);
	return r;
}

static int is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* As mosquitto does: in the order of their bytes, and not any deeper. */
static int read_folder(struct brokerconf *c, const char *folder, char *ret_words)
{
	struct dirent **entries;
	char path[PATH_CAP + NAME_MAX + 2], deeper[PATH_CAP];
	int n = scandir(folder, &entries, is_conf, by_name), r = 0;

	if (n < 0) {
		r = -errno;
		snprintf(ret_words, BROKER_WORDS_MAX, "%.400s: %s", folder, strerror(-r));
		return r;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (r == 0)
			r = read_file(c, path, deeper, ret_words);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int brokerconf_read(struct brokerconf *c, const char *path, char ret_words[static BROKER_WORDS_MAX])
{
	char include[PATH_CAP] = "";
	int r;

	*c = (struct brokerconf){.set = {false}};
	for (int i = 0; i < BROKER_SETTINGS_; i++)
		snprintf(c->values[i], sizeof c->values[i], "%s", rules[i].fallback);
	r = read_file(c, path, include, ret_words);
	return r == 0 && include[0] ? read_folder(c, include, ret_words) : r;
}

/* ---- judging */

struct judging {
	const struct brokerconf *conf;
	brokerconf_fault *fault;
	void *arg;
	int faults;
};

static bool is_yes(const struct brokerconf *c, enum broker_setting setting)
{
	return strcmp(c->values[setting], "true") == 0 || strcmp(c->values[setting], "1") == 0;
}

static int64_t number(const struct brokerconf *c, enum broker_setting setting)
{
	int64_t n = 0;

	return units_parse_int(c->values[setting], &n) == 0 ? n : 0;
}

static void tell(struct judging *j, enum broker_setting setting, bool bad, const char *why)
{
	char words[256];

	snprintf(words, sizeof words, "%s %s%s: %s", rules[setting].name, j->conf->values[setting],
		j->conf->set[setting] ? "" : ", which is the default", why);
	j->fault(j->arg, bad, words);
	j->faults++;
}

static bool holds(const struct brokerconf *c, enum broker_setting setting)
{
	int64_t least = rules[setting].least;

	switch (rules[setting].rule) {
	case RULE_NONE: return true;
	case RULE_YES: return is_yes(c, setting);
	case RULE_NO: return !is_yes(c, setting);
	case RULE_UNSET: return !c->values[setting][0];
	case RULE_AT_LEAST: return number(c, setting) >= least;
	case RULE_OR_NO_CAP: return number(c, setting) == 0 || number(c, setting) >= least;
	}
	return true;
}

/* Its interval counts changes instead of seconds where autosave_on_changes says so; 0 is never. */
static void judge_saving(struct judging *j)
{
	int64_t interval = number(j->conf, BROKER_AUTOSAVE_INTERVAL);
	bool changes = is_yes(j->conf, BROKER_AUTOSAVE_ON_CHANGES);

	if (interval == 0)
		tell(j, BROKER_AUTOSAVE_INTERVAL, true,
			"the broker saves at its end alone; a power cut loses all that waits");
	else if (changes && interval > 1)
		tell(j, BROKER_AUTOSAVE_INTERVAL, interval > 100,
			"so many messages that the broker acknowledged are lost by a power cut");
	else if (!changes && interval > 60)
		tell(j, BROKER_AUTOSAVE_INTERVAL, true,
			"so many seconds of acknowledged messages are lost by a power cut");
}

int brokerconf_judge(const struct brokerconf *c, brokerconf_fault *fault, void *arg)
{
	struct judging j = {.conf = c, .fault = fault, .arg = arg};

	for (int i = 0; i < BROKER_SETTINGS_; i++) {
		if (!holds(c, (enum broker_setting)i))
			tell(&j, (enum broker_setting)i, rules[i].bad, rules[i].why);
	}
	/* Nothing is saved without persistence, which has been told then. */
	if (is_yes(c, BROKER_PERSISTENCE))
		judge_saving(&j);
	if (!is_yes(c, BROKER_UPGRADE_OUTGOING_QOS) && !is_yes(c, BROKER_QUEUE_QOS0_MESSAGES))
		tell(&j, BROKER_UPGRADE_OUTGOING_QOS, false,
			"punches of terminals that publish with QoS 0 are lost while punchd is "
			"away");
	return j.faults;
}
