#include "sandbox/options_table.h"

#include "base/mdoc.h"
#include "sandbox/fault.h"

const struct option_spec option_specs[OPT_COUNT] = {
	[OPT_LISTEN] = {"listen", "HOST:PORT", "127.0.0.1:8443", "serve there",
		"Port 0 takes a free one, which the ready line tells. IPv6 addresses go into "
		"brackets."},
	[OPT_DATA] = {"data", "DIR", "~/.local/state/punch-sandbox",
		"where CA, certificate and records are kept",
		"It is made where it is missing. Where it is not given the environment says where: "
		"STATE_DIRECTORY, else punch-sandbox below XDG_STATE_HOME. One punch-sandbox uses "
		"a folder at a time."},
	[OPT_PLAN] = {"plan", "PLAN", "basic",
		"requests of a key in a window: basic, premium, enterprise, a number or none",
		"Basic is 100, premium 500, enterprise 1000. None is no limit, told as 1000000 of "
		"1000000."},
	[OPT_WINDOW] = {"window", "DURATION", "60s", "how long a rate window lasts",
		"From 100ms to 24h."},
	[OPT_COUNTING] = {"counting", "HOW", "fixed",
		"how requests are counted: fixed, sliding or bucket",
		"With fixed, windows begin at multiples of the duration since 1970, and "
		"X-RateLimit-Reset is the end of the one that runs. With sliding there are that "
		"many in any trailing window, and Reset is when the oldest request leaves it. With "
		"bucket there are that many at once; they come back evenly, all of them in a "
		"window, and Reset is when all are back. Always in whole seconds, rounded up."},
	[OPT_KEY] = {"key", "KEY", "sandbox-key in a new DIR", "an API key, repeatable",
		"Up to 64 times. Keys stay in DIR until they are removed."},
	[OPT_READ_KEY] = {"read-key", "KEY", NULL, "a key that may only read, repeatable",
		"It may GET; all else is 403."},
	[OPT_ATTENDANCE_KEY] = {"attendance-key", "KEY", NULL,
		"a key that may only record attendance, repeatable",
		"It may POST /attendance; all else is 403."},
	[OPT_IDEMPOTENCY_LIFE] = {"idempotency-life", "DURATION", "24h",
		"how long an Idempotency-Key is known",
		"From its first request on, by the server's clock; none: without end. Later the "
		"same key is a new one."},
	[OPT_USERS] = {"users", "N", "10 in a new DIR", "have the users usr_000001 to usr_N",
		"The same number is the same person everywhere; names come in several scripts. "
		"Those that were removed stay so."},
	[OPT_DEVICES] = {"devices", "SERIAL,…", "BIO-FP-001 in a new DIR",
		"have a device for each serial number",
		"Ids are dev_000001 and so on in the order in which they first came."},
	[OPT_SCHEDULE] = {"device-schedule", "SPEC", NULL,
		"change a device's status at times, repeatable",
		"As BIO-FP-001=inactive@30s,active@60s: serial number, and each status with the "
		"time since the start."},
	[OPT_WEBHOOK] = {"webhook", "URL", NULL, "POST events there",
		"An http or https URL; what makes it secret is part of its path. Without it there "
		"are no events. See WEBHOOKS."},
	[OPT_WEBHOOK_CA] = {"webhook-ca", "FILE", NULL, "the CA to trust for an https URL",
		"In place of the system's."},
	[OPT_WEBHOOK_SECRET] = {"webhook-secret-file", "FILE", NULL,
		"sign events as X-Webhook-Signature",
		"The header holds sha256= and the HMAC-SHA256 of the body in hexadecimal."},
	[OPT_WEBHOOK_PARALLEL] = {"webhook-parallel", "N", "1", "how many events are sent at once",
		"One: in order, and one that is not taken holds up the next. Up to 64: each goes "
		"its own way."},
	[OPT_WEBHOOK_TRIES] = {"webhook-tries", "N", "12",
		"how often an event is sent until it is taken",
		"Pauses begin with 100ms and double up to 10s: twelve tries take a minute. Then it "
		"is given up."},
	[OPT_WORKING_DAYS] = {"working-days", "DAYS", "mon tue wed thu fri",
		"the days of a week that reports count",
		"One argument: of mon, tue, wed, thu, fri, sat and sun those that are worked on, "
		"separated by blanks or commas."},
	[OPT_LATE_AFTER] = {"late-after", "HH:MM", "09:15",
		"in reports, who first checks in later is late", NULL},
	[OPT_EARLY_BEFORE] = {"early-before", "HH:MM", "17:00",
		"in reports, who last checks out before is gone early", NULL},
	[OPT_REPORT_ZONE] = {"report-zone", "ZONE", "UTC", "whose days and hours reports go by",
		"An IANA name, such as Asia/Kolkata."},
	[OPT_PDF_PROGRAM] = {"pdf-program", "PATH", "punch-report-pdf in PATH",
		"makes reports' PDF",
		"It reads the data of a report's JSON on standard input and writes PDF to "
		"standard output. Two run at once, for two minutes at the most."},
	[OPT_FAULT] = {"fault", "SPEC", NULL, "make something go wrong, repeatable; see FAULTS",
		"Up to 64 times."},
	[OPT_NAME] = {"name", "HOST", NULL, "a further name in the certificate, repeatable",
		"The certificate always holds the one listened on, 127.0.0.1, ::1 and localhost."},
	[OPT_SEED] = {"seed", "N", NULL, "make the chances of faults repeatable",
		"The same requests in the same order then meet the same faults. The log tells the "
		"seed that is used."},
	[OPT_RECORD] = {"record", "FILE", NULL,
		"write each request to the API and its answer there, as a line of JSON",
		"The file grows; the API key is left out."},
	[OPT_VERBOSE] = {"verbose", NULL, NULL, "log every request", NULL},
	[OPT_HELP] = {"help", NULL, NULL, "show this; -h too", NULL},
	[OPT_VERSION] = {"version", NULL, NULL, "show the version; -V too", NULL},
};

void options_help(FILE *out)
{
	fputs("usage: punch-sandbox [OPTION]…\n"
	      "A stand-in for the attendance cloud, over HTTPS.\n\n",
		out);
	for (const struct option_spec *s = option_specs; s < option_specs + OPT_COUNT; s++) {
		char left[64];

		snprintf(left, sizeof left, "--%s%s%s", s->name, s->value ? " " : "",
			s->value ? s->value : "");
		fprintf(out, "  %-30s%s%s%s%s\n", left, s->help, s->preset ? " [" : "",
			s->preset ? s->preset : "", s->preset ? "]" : "");
	}
	fputs("\nFAULTS: "
	      "FAULT[=VALUE][,path=/PATH[*]][,method=GET|POST][,type=TYPE][,p=0…1][,count=N]\n",
		out);
	faults_help(out);
}

void options_man(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct option_spec *s = option_specs; s < option_specs + OPT_COUNT; s++) {
		mdoc_option(out, s->name, s->value);
		mdoc_text(out, s->help);
		if (s->more)
			mdoc_text(out, s->more);
		mdoc_preset(out, s->preset);
	}
	fputs(".El\n", out);
}
