#include "inpage.h"

#include <stdlib.h>
#include <string.h>

#include "pagepart.h"
#include "unit.h"

char *inpage_printed(void (*page)(FILE *out))
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	page(out);
	fclose(out);
	return text;
}

/* The lines between the marks; offsets of the first and of the end's. */
static void find_part(const char *text, const char *mark, size_t *ret_from, size_t *ret_to)
{
	char begin[64], end[64];
	const char *from, *to;

	snprintf(begin, sizeof begin, "%s begin: ", mark);
	snprintf(end, sizeof end, "\n%s end\n", mark);
	from = strstr(text, begin);
	assert_non_null(from);
	from = strchr(from, '\n');
	to = strstr(from, end);
	assert_non_null(to);
	*ret_from = (size_t)(from + 1 - text);
	*ret_to = (size_t)(to + 1 - text);
}

void inpage_assert(const char *name, const char *mark, void (*page)(FILE *out))
{
	char path[PAGEPART_PATH], *part = inpage_printed(page);
	size_t from, to;
	struct buf text;

	pagepart_read(name, path, &text);
	find_part(text.data, mark, &from, &to);
	pagepart_hold(name, path, &text, from, to, part);
	buf_done(&text);
	free(part);
}
