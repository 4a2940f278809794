#include "terminal/people.h"

#include <errno.h>
#include <mosquitto.h>

#include "base/file.h"
#include "terminal/pattern.h"

#define VALUE_MAX 128 /* att/v1 */
#define FILE_MAX  (64 << 20)

static const char *const kinds[] = {"id", "pin", "card", "slot", "email", "phone"};

static const char *find_kind(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strlen(kinds[i]) == length && strncmp(kinds[i], text, length) == 0)
			return kinds[i];
	}
	return NULL;
}

/* The list grows by doubling: its room is the next power of two. */
static int grow(struct people *p)
{
	struct person *all;

	if ((p->count & (p->count - 1)) != 0)
		return 0;
	all = realloc(p->all, (p->count ? p->count * 2 : 1) * sizeof *all);
	if (!all)
		return -ENOMEM;
	p->all = all;
	return 0;
}

static int add(struct people *p, const char *kind, const char *value)
{
	size_t n = strlen(value);

	if (n < 1 || n > VALUE_MAX)
		return -E2BIG;
	if (mosquitto_validate_utf8(value, (int)n) != MOSQ_ERR_SUCCESS)
		return -EILSEQ;
	if (grow(p) < 0)
		return -ENOMEM;
	p->all[p->count] = (struct person){.kind = kind, .value = strdup(value)};
	if (!p->all[p->count].value)
		return -ENOMEM;
	p->count++;
	return 0;
}

int people_add(struct people *p, const char *text)
{
	const char *colon = strchr(text, ':'), *kind;

	if (!colon)
		return add(p, NULL, text);
	kind = find_kind(text, (size_t)(colon - text));
	return kind ? add(p, kind, colon + 1) : -EINVAL;
}

static int add_lines(struct people *p, char *text, int *ret_line)
{
	char *line;
	int r;

	*ret_line = 0;
	while ((line = strsep(&text, "\n"))) {
		size_t n = strlen(line);

		++*ret_line;
		while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
			line[--n] = '\0';
		if (n == 0 || *line == '#')
			continue;
		r = people_add(p, line);
		if (r < 0)
			return r;
	}
	return 0;
}

int people_add_file(struct people *p, const char *path, int *ret_line)
{
	struct buf b;
	int r;

	*ret_line = 0;
	buf_init(&b, FILE_MAX);
	r = file_read(path, &b, NULL);
	if (r == 0)
		r = add_lines(p, b.data, ret_line);
	buf_done(&b);
	return r;
}

int people_add_numbered(struct people *p, const char *pattern, int64_t count)
{
	char value[VALUE_MAX + 1];
	int r = 0;

	for (int64_t i = 1; i <= count && r == 0; i++) {
		r = pattern_expand(pattern, i, value, sizeof value);
		if (r == 0)
			r = add(p, "id", value);
	}
	return r;
}

void people_done(struct people *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->all[i].value);
	free(p->all);
	*p = (struct people){0};
}
