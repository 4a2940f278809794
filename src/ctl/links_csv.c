#include "ctl/links_csv.h"

#include <errno.h>

#include "base/csv.h"
#include "ctl/doc.h"

#define TOLD_MAX   (1024 * 1024)
#define FAULTS_MAX 1000 /* that are told */

enum column { KIND, VALUE, USER_ID, DEVICE, NOTE, COLUMNS };

static const char *const names[COLUMNS] = {"kind", "value", "user_id", "device", "note"};

/* ---- reading */

void links_csv_tell(struct links_csv *l, json_int_t index, long line, const char *message)
{
	if (index >= 0 && (size_t)index < json_array_size(l->links))
		line = l->lines[index];
	l->faults++;
	if (l->faults <= FAULTS_MAX)
		buf_addf(&l->told, "%ld: %s\n", line, message);
	else if (l->faults == FAULTS_MAX + 1)
		buf_addf(&l->told, "%ld: and more\n", line);
}

static int column_of(const char *name)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

static void tell_column(struct links_csv *l, long line, const char *what, const char *name)
{
	char message[256];

	snprintf(message, sizeof message,
		"%s \"%.100s\": the first line names the columns kind, value, user_id and, where "
		"wanted, device and note",
		what, name);
	links_csv_tell(l, -1, line, message);
}

/* Which field is which column, -1 where there is none. Returns whether all is there. */
static bool read_header(struct links_csv *l, const struct csv *c, int places[static COLUMNS])
{
	long before = l->faults;

	for (int i = 0; i < COLUMNS; i++)
		places[i] = -1;
	for (int i = 0; i < c->count; i++) {
		int column = column_of(c->fields[i]);

		if (column < 0)
			tell_column(l, c->line, "there is no column", c->fields[i]);
		else if (places[column] >= 0)
			tell_column(l, c->line, "this column is there twice:", c->fields[i]);
		else
			places[column] = i;
	}
	for (int i = KIND; i <= USER_ID && l->faults == before; i++) {
		if (places[i] < 0)
			tell_column(l, c->line, "this column is missing:", names[i]);
	}
	return l->faults == before;
}

static int add_row(struct links_csv *l, const struct csv *c, const int places[static COLUMNS])
{
	size_t count = json_array_size(l->links);
	json_t *link = json_object();
	long *lines;

	/* Grown to the next power of two whenever it has become full. */
	if ((count & (count - 1)) == 0) {
		lines = realloc(l->lines, (count ? count * 2 : 1) * sizeof *lines);
		if (!lines) {
			json_decref(link);
			return -ENOMEM;
		}
		l->lines = lines;
	}
	l->lines[count] = c->line;
	for (int i = 0; i < COLUMNS; i++) {
		const char *text = places[i] >= 0 ? c->fields[places[i]] : "";

		if (text[0] || i <= USER_ID)
			json_object_set_new(link, names[i], json_string(text));
	}
	return json_array_append_new(l->links, link) < 0 ? -ENOMEM : 0;
}

static int read_row(struct links_csv *l, struct csv *c, int columns, const int *places)
{
	char message[96];

	if (c->count == columns)
		return add_row(l, c, places);
	snprintf(message, sizeof message, "there are %d fields, and %d columns in the first line",
		c->count, columns);
	links_csv_tell(l, -1, c->line, message);
	return 0;
}

int links_csv_read(struct links_csv *l, char *bytes, size_t n)
{
	int places[COLUMNS], columns = 0, r = 0, got;
	struct csv c;

	*l = (struct links_csv){.links = json_array()};
	buf_init(&l->told, TOLD_MAX);
	if (!l->links)
		return -ENOMEM;
	csv_init(&c, bytes, n);
	while (r == 0 && (got = csv_next(&c)) != 0) {
		if (got < 0) {
			links_csv_tell(l, -1, c.line, c.fault);
			if (columns == 0)
				return 0;
		} else if (columns > 0) {
			r = read_row(l, &c, columns, places);
		} else if (read_header(l, &c, places)) {
			columns = c.count;
		} else {
			return 0;
		}
	}
	if (columns == 0)
		links_csv_tell(l, -1, 1, "the file is empty");
	return r;
}

void links_csv_done(struct links_csv *l)
{
	json_decref(l->links);
	free(l->lines);
	buf_done(&l->told);
}

/* ---- writing */

static void write_field(struct buf *out, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		buf_add_str(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buf_add_char(out, '"');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void write_row(struct buf *out, const char *const fields[static COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		buf_add_str(out, i ? "," : "");
		write_field(out, fields[i]);
	}
	buf_add_str(out, "\r\n");
}

void links_csv_write(struct buf *out, const json_t *links)
{
	const json_t *link;
	size_t i;

	write_row(out, names);
	json_array_foreach(links, i, link)
	{
		const char *fields[COLUMNS];

		for (int j = 0; j < COLUMNS; j++)
			fields[j] = doc_text(link, names[j]);
		write_row(out, fields);
	}
}
