/* Any bytes as a report's document: it is read or told to be at fault, in a line; what was read can be
 * said in words, and every text of it is UTF-8 that lies in the document. */
#include "fuzz.h"

#include "base/utf8.h"
#include "report/document.h"
#include "report/words.h"

static void on_line(void *arg, const char *line)
{
	int *lines = arg;

	HOLDS(line[0] && strlen(line) < WORDS_LINE - 1 && utf8_valid(line));
	++*lines;
}

static void check(const struct document *d)
{
	int lines = 0;

	HOLDS(strlen(d->start_date) == 10 && strlen(d->end_date) == 10);
	HOLDS(d->total_users >= 0 && d->average >= 0 && d->average <= 100);
	for (size_t i = 0; i < d->count; i++) {
		const struct document_user *u = &d->users[i];

		HOLDS(utf8_valid(u->id) && utf8_valid(u->name) && utf8_valid(u->department));
		HOLDS(u->present >= 0 && u->percentage >= 0 && u->percentage <= 100);
	}
	words_completeness(d, on_line, &lines);
	HOLDS(lines >= 1 && lines < 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char fault[DOCUMENT_FAULT] = "";
	struct document d;
	int r = document_read((const char *)data, size, &d, fault);

	HOLDS((r < 0) == (fault[0] != '\0'));
	if (r < 0)
		return 0;
	check(&d);
	document_done(&d);
	return 0;
}
