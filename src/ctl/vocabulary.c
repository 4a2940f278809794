#include "ctl/vocabulary.h"

#include "ctl/commands.h"

#define HOUR_MS (3600 * 1000LL)

#define STATES "queued held delivered suppressed parked discarded"
#define REASONS \
	"unknown_user unknown_device inactive_device no_direction no_time future_time stale " \
	"before_start in_doubt restored double_tap malformed bad_time too_large crashed exported " \
	"api_400 api_403 api_404 api_409 api_422"

const struct option_row ctl_options[OPTIONS_] = {
	[OPTION_SOCKET] = {"socket", "PATH", KIND_PATH,
		"the socket of punchd (PUNCHD_SOCKET, else /run/punchd/punchd.sock)", NULL, 0, 0},
	[OPTION_JSON] = {"json", NULL, KIND_FLAG, "print one JSON document, as punchd gave it",
		NULL, 0, 0},
	[OPTION_UTC] = {"utc", NULL, KIND_FLAG, "show and read times in UTC, not in your time zone",
		NULL, 0, 0},
	[OPTION_TIMEOUT] = {"timeout", "TIME", KIND_DURATION,
		"wait no longer for an answer (10s; watch 3s), nor for the end of what takes long "
		"(60s)",
		NULL, 1, 24 * HOUR_MS},
	[OPTION_HELP] = {"help", NULL, KIND_FLAG, "show this, or the help of a command", NULL, 0,
		0},
	[OPTION_VERSION] = {"version", NULL, KIND_FLAG, "show the version", NULL, 0, 0},
	[OPTION_STATE] = {"state", "STATE", KIND_WORD,
		"only those in it: queued, held, delivered, suppressed, parked or discarded",
		STATES, 0, 0},
	[OPTION_REASON] = {"reason", "REASON", KIND_HINT,
		"only those with it, such as unknown_user or api_404", REASONS, 0, 0},
	[OPTION_USER] = {"user", "USER", KIND_TEXT,
		"this person's alone, as the terminal or the cloud names them; to amend, the "
		"cloud's id of whose it is",
		NULL, 0, 0},
	[OPTION_DEVICE] = {"device", "DEVICE", KIND_TEXT,
		"at this terminal alone: its serial; to list punches its id in the cloud will do",
		NULL, 0, 0},
	[OPTION_FROM] = {"from", "TIME", KIND_FROM, "only those at this time or later", NULL, 0, 0},
	[OPTION_TO] = {"to", "TIME", KIND_TO, "only those before this time, or up to this date",
		NULL, 0, 0},
	[OPTION_LIMIT] = {"limit", "N", KIND_NUMBER, "no more than this (50); 0: all", NULL, 0,
		INT64_MAX},
	[OPTION_WAIT] = {"wait", NULL, KIND_FLAG, "until it is done, and tell how it went", NULL, 0,
		0},
	[OPTION_INTERVAL] = {"interval", "TIME", KIND_DURATION, "look this often (1s)", NULL, 10,
		HOUR_MS},
	[OPTION_COUNT] = {"count", "N", KIND_NUMBER, "end after so many looks", NULL, 1, INT64_MAX},
	[OPTION_BROKER_CONF] = {"broker-conf", "FILE", KIND_PATH,
		"the settings of mosquitto, or a copy (/etc/mosquitto/mosquitto.conf)", NULL, 0, 0},
	[OPTION_ZONE] = {"zone", "ZONE", KIND_TEXT,
		"the site's time zone, such as Europe/Berlin (the system's)", NULL, 0, 0},
	[OPTION_NOTE] = {"note", "TEXT", KIND_TEXT, "why; it is kept with who did it and when",
		NULL, 0, 0},
	[OPTION_DRY_RUN] = {"dry-run", NULL, KIND_FLAG,
		"look whether all is right, and change nothing", NULL, 0, 0},
	[OPTION_ALLOW_UNKNOWN] = {"allow-unknown", NULL, KIND_FLAG,
		"take users that are not in the cached list too", NULL, 0, 0},
	[OPTION_TYPE] = {"type", "TYPE", KIND_WORD, "which way it goes: check_in or check_out",
		"check_in check_out", 0, 0},
	[OPTION_TIME] = {"time", "TIME", KIND_FROM, "when it was", NULL, 0, 0},
	[OPTION_RECEIVED] = {"received", NULL, KIND_FLAG, "it was when punchd received it", NULL, 0,
		0},
	[OPTION_NAME] = {"name", "NAME", KIND_TEXT, "what they are called", NULL, 0, 0},
	[OPTION_EMAIL] = {"email", "ADDRESS", KIND_TEXT, "their e-mail address", NULL, 0, 0},
	[OPTION_PHONE] = {"phone", "NUMBER", KIND_TEXT,
		"their phone number in E.164: a plus, the country code and the number, without "
		"anything between the digits, such as +919876543210",
		NULL, 0, 0},
	[OPTION_DEPARTMENT] = {"department", "TEXT", KIND_TEXT, "the department", NULL, 0, 0},
	[OPTION_LINK] = {"link", "KIND:VALUE", KIND_TEXT,
		"once they are there, they are who is meant by this PIN or card, as with the "
		"command link",
		NULL, 0, 0},
	[OPTION_ALL] = {"all", NULL, KIND_FLAG, "those of the last week too that are settled", NULL,
		0, 0},
	[OPTION_FORCE] = {"force", NULL, KIND_FLAG,
		"also where it may have been sent, so that nobody can know whether they are there",
		NULL, 0, 0},
	[OPTION_FORMAT] = {"format", "FORMAT", KIND_WORD, "as json, csv or pdf", "json csv pdf", 0,
		0},
	[OPTION_LOCAL] = {"local", NULL, KIND_FLAG,
		"of this gateway's own punches, also while the cloud is away", NULL, 0, 0},
	[OPTION_COMPARE] = {"compare", NULL, KIND_FLAG,
		"show where the cloud's and this gateway's own differ", NULL, 0, 0},
	[OPTION_OUTPUT] = {"output", "FILE", KIND_PATH,
		"write to this file, which then appears whole or not at all; -o for short", NULL, 0,
		0},
};

static const enum option no_options[] = {OPTION_NONE};
static const enum option punches_options[] = {OPTION_STATE, OPTION_REASON, OPTION_USER,
	OPTION_DEVICE, OPTION_FROM, OPTION_TO, OPTION_LIMIT, OPTION_NONE};
static const enum option users_options[] = {OPTION_LIMIT, OPTION_NAME, OPTION_EMAIL, OPTION_PHONE,
	OPTION_DEPARTMENT, OPTION_LINK, OPTION_DEVICE, OPTION_ALL, OPTION_FORCE, OPTION_NONE};
static const enum option sync_options[] = {OPTION_WAIT, OPTION_NONE};
static const enum option doctor_options[] = {OPTION_BROKER_CONF, OPTION_NONE};
static const enum option try_options[] = {OPTION_ZONE, OPTION_NONE};
static const enum option link_options[] = {OPTION_DEVICE, OPTION_NOTE, OPTION_NONE};
static const enum option links_options[] = {
	OPTION_DRY_RUN, OPTION_ALLOW_UNKNOWN, OPTION_NOTE, OPTION_NONE};
static const enum option hand_options[] = {OPTION_STATE, OPTION_REASON, OPTION_USER, OPTION_DEVICE,
	OPTION_FROM, OPTION_TO, OPTION_NOTE, OPTION_NONE};
static const enum option amend_options[] = {
	OPTION_TYPE, OPTION_TIME, OPTION_RECEIVED, OPTION_USER, OPTION_NOTE, OPTION_NONE};
static const enum option report_options[] = {OPTION_FROM, OPTION_TO, OPTION_USER, OPTION_DEPARTMENT,
	OPTION_FORMAT, OPTION_LOCAL, OPTION_COMPARE, OPTION_OUTPUT, OPTION_NONE};
static const enum option watch_options[] = {OPTION_INTERVAL, OPTION_COUNT, OPTION_NONE};

const struct command ctl_commands[] = {
	{"status", NULL, no_options, "how punchd is",
		"Shows state and alarms, the links to the broker and to the cloud, the queue, the "
		"counts, the directory, the store, the clock and the terminals.",
		run_status},
	{"watch", NULL, watch_options, "status and newest punches, live",
		"On a terminal it draws status, rate budget, queue and the newest punches again "
		"and again; q ends it. Elsewhere it prints a line for each new punch or new state "
		"of one among the newest 100, and for each change of alarms and of the queue. It "
		"goes on while punchd is away.",
		run_watch},
	{"punches", NULL, punches_options, "list punches, newest first",
		"Lists the punches to which all the options given apply. A TIME is RFC 3339, a "
		"date, or how long ago (90s, 2h, 7d); without an offset it is in your time zone.",
		run_punches},
	{"trace", "ID", no_options, "one punch and all that happened to it",
		"Shows a punch whole, when it was received, judged, frozen, sent and settled, and "
		"what was "
		"done by hand to it and to the links of its user. "
		"A unique beginning of the ID will do.",
		run_trace},
	{"release", "[ID…]", hand_options, "let go what is held, or was a double tap",
		"Sends punches all the same that are held as stale, before_start, future_time, "
		"inactive_device, restored or in_doubt, or are suppressed as a double tap: those "
		"named, or all to which the options apply. Who is unknown is linked instead, and "
		"what lacks a time or a direction is amended.",
		run_release},
	{"retry", "[ID…]", hand_options, "try again what is parked",
		"Has parked punches judged again, or sent again where the API refused them. What "
		"it "
		"refused for certain goes under a new key, anything else under its old one.",
		run_retry},
	{"discard", "[ID…]", hand_options, "do not send these punches",
		"Takes punches out of the way; they are listed as discarded until they are purged. "
		"One that may have been sent already is told. It asks back on a terminal.",
		run_discard},
	{"amend", "ID", amend_options, "correct a punch that was not sent",
		"Sets the type, the time or the user (an id of the cloud) of a punch that was not "
		"sent, or that the API refused for certain: retry it then. What it was before "
		"is kept, and shown by trace with who changed it, when, and the note.",
		run_amend},
	{"users", "[QUERY|add|pending|cancel] [ID]", users_options,
		"the people that the cloud has; create one",
		"Lists users by id, or those with QUERY in their id, name, e-mail address, phone "
		"number or department, as the cloud showed them last. One who is missing from the "
		"cloud's list is marked gone; their punches are still sent, and the cloud decides. "
		"No more than 1000 are shown. With add it creates somebody in the cloud: --name, "
		"--email and --phone are needed. The new id is printed; where the cloud is away it "
		"is queued, which is said, and done as soon as it can be, once. Somebody with that "
		"e-mail address or phone number who is there or queued already is told instead. "
		"With pending it lists who still waits to be created, and whom the cloud refused. "
		"With cancel the ID or e-mail address of one of those is taken off that list; a "
		"creation that may have been sent only with --force. To search for one of these "
		"words, write it in capitals.",
		run_users},
	{"devices", NULL, no_options, "the devices of the cloud, and terminals that it lacks",
		"Lists devices by serial number, with what the cloud says of each, what punchd saw "
		"of its terminals since it started, and how many of their punches are held. A "
		"terminal that the cloud does not know is listed with the serial number to "
		"register there; a device by whose serial number no terminal ever came is marked.",
		run_devices},
	{"sync", NULL, sync_options, "refresh users and devices now",
		"Asks punchd to fetch its lists of users and devices anew. With --wait it ends "
		"when that pass is complete; its exit status is 1 where the pass failed or "
		"did not end in time, and the reason is told.",
		run_sync},
	{"pause", NULL, no_options, "stop sending; punches are kept",
		"Stops forwarding to the cloud until resume, over restarts too. Punches are taken, "
		"acknowledged and kept. What is under way is still answered.",
		run_pause},
	{"resume", NULL, no_options, "send again, and try at once",
		"Lets forwarding go on after pause, or after it stopped because the cloud refused "
		"many punches alike; and tries at once where punchd waits after failures.",
		run_resume},
	{"lobby", NULL, no_options, "what is held, by what it waits for",
		"Gathers all held punches by what they wait for: who it is about, how many wait, "
		"and since when; most first. One link, or one person added in the cloud, and all "
		"of a line go.",
		run_lobby},
	{"link", "KIND:VALUE USER_ID", link_options, "say who is meant by a PIN or card",
		"Says which user of the cloud is meant by what a terminal sends: KIND is pin, "
		"card, slot, id, email or phone. With --device it holds at that terminal alone, "
		"which a slot needs, and goes before one that holds anywhere. What waits for it "
		"is sent at once.",
		run_link},
	{"unlink", "KIND:VALUE", link_options, "take such a link away",
		"Takes a link away: the one that holds anywhere, or with --device the one of that "
		"terminal. What is queued and not yet on its way waits again.",
		run_unlink},
	{"links", "[import|export] [FILE]", links_options, "list links, or read or write a CSV",
		"Without an argument it lists who is linked, by whom and when. With import it "
		"reads a FILE whose first line names the columns kind, value, user_id and, where "
		"wanted, device and note, in any order. All of it is taken or nothing; what is "
		"at fault is told by line. With export it writes such a file, or to standard "
		"output without a FILE.",
		run_links},
	{"report", NULL, report_options, "the attendance report of a period",
		"Gets the report of all days from --from to --to, both included: of everybody, of "
		"one USER (an id of the cloud) or of one department. It is the cloud's, or with "
		"--local what this gateway computes of its own punches by the rules of [site] in "
		"punchd.conf(5), which also says how complete it is. On a terminal it is a table; "
		"elsewhere it is json, or what the name of the FILE ends with, unless --format "
		"says otherwise. A pdf of --local is made by punch-report-pdf. With --compare the "
		"cloud's and the own one are compared; the exit status is 1 where they differ. "
		"It waits for the cloud as long as punchd does, or for --timeout.",
		run_report},
	{"alarms", NULL, no_options, "what is wrong, and since when",
		"Lists the alarms that stand. There being some does not change the exit status.",
		run_alarms},
	{"doctor", NULL, doctor_options, "check everything, and say what to do",
		"Prints a line for each check: ok, warn or FAIL, what was found, and what to do. "
		"The broker's settings are looked at where the broker is on this machine, or a "
		"FILE is given. It has punchd count every punch of its store, in the background; "
		"a million take a second, more on an SD card. "
		"The exit status is 1 where a check failed, and 3 where punchd was not reached.",
		run_doctor},
	{"try-profile", "NAME TOPIC FILE", try_options, "what a profile makes of a payload",
		"Prints which punches would come of the payload in FILE, had a terminal published "
		"it on TOPIC, and what it would be answered. NAME is a profile in "
		"/etc/punchd/profiles or /usr/share/punchd/profiles, or the path of a file. "
		"punchd need not run. The exit status is 1 where the profile is at fault or does "
		"not listen on TOPIC.",
		run_try_profile},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = ctl_commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

const char *command_argument(const struct command *command, int n, int *ret_length)
{
	const char *word = command->argument;

	while (word && n-- > 0) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	*ret_length = word ? (int)strcspn(word, " ") : 0;
	return word;
}

bool command_repeats(const struct command *command)
{
	return command->argument && strstr(command->argument, "…");
}

static bool option_has_name(enum option option, const char *name, int length)
{
	const char *known = ctl_options[option].name;

	return strlen(known) == (size_t)length && strncmp(known, name, (size_t)length) == 0;
}

enum option option_find(const struct command *command, const char *name, int length)
{
	for (int o = OPTION_NONE + 1; o < OPTION_FIRST_OWN; o++) {
		if (option_has_name((enum option)o, name, length))
			return (enum option)o;
	}
	for (const enum option *o = command ? command->options : no_options; *o; o++) {
		if (option_has_name(*o, name, length))
			return *o;
	}
	return OPTION_NONE;
}
