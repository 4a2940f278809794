#include "inpage.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
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

static void read_tree(const char *name, char path[static 4096], struct buf *text)
{
	const char *root = getenv("PUNCHD_SRCDIR");

	snprintf(path, 4096, "%s/%s", root ? root : "..", name);
	buf_init(text, 1 << 20);
	assert_int_equal(file_read(path, text, NULL), 0);
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

static void write_part(const char *path, const char *text, size_t from, size_t to, const char *part)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out, "%.*s%s%s", (int)from, text, part, text + to);
	assert_int_equal(fclose(out), 0);
}

void inpage_assert(const char *name, const char *mark, void (*page)(FILE *out))
{
	const char *wish = getenv("PUNCHD_PAGES");
	char path[4096], *part = inpage_printed(page);
	size_t from, to, n = strlen(part);
	struct buf text;

	read_tree(name, path, &text);
	find_part(text.data, mark, &from, &to);
	if (wish && strcmp(wish, "write") == 0)
		write_part(path, text.data, from, to, part);
	else if (to - from != n || memcmp(text.data + from, part, n) != 0)
		fail_msg("%s is not what the table says; PUNCHD_PAGES=write mends it", name);
	buf_done(&text);
	free(part);
}
