/*
 * What comes from the table of settings: the shipped file, and in punchd.conf(5) each key's item,
 * between `.\" [section] key` and `.\" end`. What a person explains below an item is that person's.
 */
#include "core/config.h"

#include "pagepart.h"
#include "unit.h"

#define PAGE    "man/punchd.conf.5"
#define SHIPPED "etc/punchd.conf"
#define END     ".\\\" end\n"

static void test_the_shipped_file_is_in_step(void **state)
{
	char path[PAGEPART_PATH];
	struct buf text, wanted;

	(void)state;
	pagepart_read(SHIPPED, path, &text);
	buf_init(&wanted, 65536);
	config_example(&wanted);
	pagepart_hold(SHIPPED, path, &text, 0, text.len, wanted.data);
	buf_done(&wanted);
	buf_done(&text);
}

/* In the order of the table, one after the other; from: where the one before ends. Returns the end. */
static size_t hold_item(const char *path, struct buf *text, size_t from, size_t i)
{
	struct buf mark, item, line;
	const char *at, *end;
	size_t behind;

	buf_init(&mark, 256);
	buf_init(&item, 4096);
	buf_init(&line, 256);
	assert_true(config_page_item(i, &mark, &item));
	buf_addf(&line, "\n.\\\" %s\n", mark.data);
	at = strstr(text->data + from, line.data);
	if (!at)
		fail_msg(PAGE " has no item `.\\\" %s` behind that of the key before", mark.data);
	at += line.len;
	end = strstr(at, END);
	assert_non_null(end);
	behind = (size_t)(at - text->data) + item.len;
	pagepart_hold(
		PAGE, path, text, (size_t)(at - text->data), (size_t)(end - text->data), item.data);
	buf_done(&mark);
	buf_done(&item);
	buf_done(&line);
	return behind;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void test_the_man_page_is_in_step(void **state)
{
	char path[PAGEPART_PATH];
	struct buf text, mark, item;
	size_t at = 0, items = 0;

	(void)state;
	pagepart_read(PAGE, path, &text);
	buf_init(&mark, 65536);
	buf_init(&item, 65536);
	for (; config_page_item(items, &mark, &item); items++)
		at = hold_item(path, &text, at, items);
	assert_true(items > 40);
	/* no item of a key that there is no more */
	assert_int_equal(count(text.data, END), items);
	buf_done(&mark);
	buf_done(&item);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_shipped_file_is_in_step),
		cmocka_unit_test(test_the_man_page_is_in_step),
	};

	return cmocka_run_group_tests_name("config_pages", tests, NULL, NULL);
}
