#include "base/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

void csv_init(struct csv *c, char *bytes, size_t n)
{
	*c = (struct csv){.at = bytes, .end = bytes + n, .next_line = 1};
	if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		c->at += 3;
}

static int fail(struct csv *c, const char *fault)
{
	c->fault = fault;
	while (c->at < c->end && *c->at != '\n')
		c->at++;
	if (c->at < c->end) {
		c->at++;
		c->next_line++;
	}
	return -EINVAL;
}

/* The length of the line end at a place, 0 where there is none. */
static size_t line_end(const struct csv *c)
{
	if (*c->at == '\n')
		return 1;
	return c->at + 1 < c->end && c->at[0] == '\r' && c->at[1] == '\n' ? 2 : 0;
}

/* What is read is longer than what it means: quotes go. Returns where the field's text ends. */
static char *read_quoted(struct csv *c)
{
	char *to = ++c->at;

	for (; c->at < c->end; c->at++) {
		if (*c->at == '"') {
			c->at++;
			if (c->at == c->end || *c->at != '"')
				return to;
		}
		c->next_line += *c->at == '\n';
		*to++ = *c->at;
	}
	c->fault = "a quote is opened and never closed";
	return NULL;
}

static char *read_plain(struct csv *c)
{
	while (c->at < c->end && *c->at != ',' && line_end(c) == 0) {
		if (*c->at == '"' || *c->at == '\r') {
			c->fault = *c->at == '"' ? "a quote stands within a field that does not "
						   "begin with one"
						 : "a carriage return stands within a field";
			return NULL;
		}
		c->at++;
	}
	return c->at;
}

/* A field and what ends it. Returns 1 where another one follows in the row, 0, or -EINVAL. */
static int read_field(struct csv *c)
{
	bool quoted = c->at < c->end && *c->at == '"';
	char *begin = quoted ? c->at + 1 : c->at, *text_end;
	size_t n = 0;
	int more = 0;

	if (c->count == CSV_FIELDS_MAX)
		return fail(c, "the row has more than 16 fields");
	text_end = quoted ? read_quoted(c) : read_plain(c);
	if (!text_end)
		return fail(c, c->fault);
	if (c->at < c->end) {
		n = line_end(c);
		more = *c->at == ',';
		if (n == 0 && !more)
			return fail(c, "something stands between a closing quote and the comma");
	}
	c->at += more ? 1 : n;
	c->next_line += n > 0;
	if (memchr(begin, '\0', (size_t)(text_end - begin)))
		c->fault = "the row holds a NUL";
	*text_end = '\0';
	if (!utf8_valid(begin))
		c->fault = "the row is not UTF-8";
	c->fields[c->count++] = begin;
	return more;
}

int csv_next(struct csv *c)
{
	int more;

	c->fault = NULL;
	while (c->at < c->end && line_end(c) > 0) {
		c->at += line_end(c);
		c->next_line++;
	}
	c->count = 0;
	c->line = c->next_line;
	if (c->at == c->end)
		return 0;
	do
		more = read_field(c);
	while (more > 0);
	if (more < 0)
		return more;
	return c->fault ? -EINVAL : 1;
}
