#include "report/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "base/utf8.h"

#define SILENT_SHOWN 8
#define NAME_SIZE    101 /* bytes of a name, and its end */
#define HOUR_S       3600

struct lines {
	void (*on_line)(void *arg, const char *line);
	void *arg;
	int count;
};

static void put(struct lines *out, const char *line)
{
	out->on_line(out->arg, line);
	out->count++;
}

/* As much of a name as fits into a sentence, cut between two characters. */
static const char *name_of(const char *text, char ret[static NAME_SIZE])
{
	size_t left = strlen(text), n = 0, one;

	while ((one = utf8_length(text + n, left - n)) > 0 && n + one < NAME_SIZE)
		n += one;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return ret;
}

const char *words_time(const char *text, char ret[static WORDS_LINE])
{
	int64_t unix_s;
	char utc[TIME_TEXT_SIZE];

	if (time_parse_rfc3339(text, &unix_s) < 0) {
		name_of(text, ret);
	} else {
		time_format_utc(unix_s, -1, utc);
		snprintf(ret, WORDS_LINE, "%.10s %.5s UTC", utc, utc + 11);
	}
	return ret;
}

/* one and many each take the number; nothing is said of none, and of what is not told. */
static void put_count(struct lines *out, int64_t n, const char *one, const char *many)
{
	char line[WORDS_LINE];

	if (n < 1)
		return;
	if (n == 1)
		snprintf(line, sizeof line, "1 punch %s", one);
	else
		snprintf(line, sizeof line, "%" PRId64 " punches %s", n, many);
	put(out, line);
}

static void put_silent(struct lines *out, const struct document_completeness *c)
{
	char line[WORDS_LINE], time[WORDS_LINE], name[NAME_SIZE];

	for (size_t i = 0; i < c->silent_count && i < SILENT_SHOWN; i++) {
		const struct document_terminal *t = &c->silent[i];

		if (t->since[0])
			snprintf(line, sizeof line,
				"Terminal %s has been silent since %.101s: what it has stored "
				"is missing here.",
				name_of(t->serial, name), words_time(t->since, time));
		else
			snprintf(line, sizeof line,
				"Terminal %s has been silent since before the gateway started: "
				"what it has stored is missing here.",
				name_of(t->serial, name));
		put(out, line);
	}
	if (c->silent_count > SILENT_SHOWN) {
		snprintf(line, sizeof line, "%zu more terminals are silent.",
			c->silent_count - SILENT_SHOWN);
		put(out, line);
	}
}

/* `3 days`, `5 hours`: whole ones, cut off. */
static void put_age(int64_t age_s, char *ret, size_t size)
{
	int64_t hours = age_s / HOUR_S, days = hours / 24;

	if (days >= 2)
		snprintf(ret, size, " (%" PRId64 " days before this report)", days);
	else if (hours >= 2)
		snprintf(ret, size, " (%" PRId64 " hours before this report)", hours);
	else
		ret[0] = '\0';
}

static void put_directory(struct lines *out, const struct document *d)
{
	const struct document_completeness *c = &d->completeness;
	char line[WORDS_LINE], time[WORDS_LINE], age[80] = "";
	int64_t synced, made;

	if (!c->users_synced_told)
		return;
	if (!c->users_synced_at[0]) {
		put(out, "The list of people has never been read whole from the cloud.");
		return;
	}
	if (time_parse_rfc3339(c->users_synced_at, &synced) == 0 &&
		time_parse_rfc3339(d->generated_at, &made) == 0)
		put_age(made - synced, age, sizeof age);
	snprintf(line, sizeof line, "The list of people was read from the cloud at %.101s%s.",
		words_time(c->users_synced_at, time), age);
	put(out, line);
}

void words_completeness(
	const struct document *d, void (*on_line)(void *arg, const char *line), void *arg)
{
	const struct document_completeness *c = &d->completeness;
	struct lines out = {on_line, arg, 0};
	char line[WORDS_LINE], name[NAME_SIZE];

	put_count(&out, c->held, "is held until something is known or decided; it is not counted.",
		"are held until something is known or decided; they are not counted.");
	put_count(&out, c->parked, "is parked for a person to look at; it is not counted.",
		"are parked for a person to look at; they are not counted.");
	put_count(&out, c->unlisted,
		"is of somebody who is not in the list of people; it is not counted.",
		"are of people who are not in the list of people; they are not counted.");
	put_silent(&out, c);
	if (c->complete_from[0]) {
		snprintf(line, sizeof line,
			"Days before %s may lack punches: the gateway was not there yet, or "
			"does not keep them any more.",
			name_of(c->complete_from, name));
		put(&out, line);
	}
	put_count(&out, c->queued, "is counted, but still on its way to the cloud.",
		"are counted, but still on their way to the cloud.");
	put_count(&out, c->in_doubt,
		"may be in the cloud or not: the answer was lost, it will be settled.",
		"may be in the cloud or not: the answers were lost, they will be settled.");
	if (out.count == 0)
		put(&out, "Every punch that the gateway knows of is counted and delivered.");
	put_directory(&out, d);
}
