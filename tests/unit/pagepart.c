#include "pagepart.h"

#include <stdio.h>

#include "base/file.h"
#include "unit.h"

bool pagepart_writes(void)
{
	const char *wish = getenv("PUNCHD_PAGES");

	return wish && strcmp(wish, "write") == 0;
}

void pagepart_read(const char *name, char ret_path[static PAGEPART_PATH], struct buf *ret_text)
{
	const char *root = getenv("PUNCHD_SRCDIR");

	snprintf(ret_path, PAGEPART_PATH, "%s/%s", root ? root : "..", name);
	buf_init(ret_text, 1 << 20);
	assert_int_equal(file_read(ret_path, ret_text, NULL), 0);
}

static void write_part(const char *path, struct buf *text, size_t from, size_t to, const char *part)
{
	struct buf fresh;
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	buf_init(&fresh, text->cap);
	buf_add(&fresh, text->data, from);
	buf_add_str(&fresh, part);
	buf_add_str(&fresh, text->data + to);
	assert_int_equal(buf_error(&fresh), 0);
	assert_int_equal(fwrite(fresh.data, 1, fresh.len, out), fresh.len);
	assert_int_equal(fclose(out), 0);
	buf_done(text);
	*text = fresh;
}

void pagepart_hold(const char *name, const char *path, struct buf *text, size_t from, size_t to,
	const char *part)
{
	size_t n = strlen(part);

	if (pagepart_writes())
		write_part(path, text, from, to, part);
	else if (to - from != n || memcmp(text->data + from, part, n) != 0)
		fail_msg("%s is not what the table says, which is\n%s(PUNCHD_PAGES=write mends it)",
			name, part);
}
