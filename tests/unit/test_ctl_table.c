/* Tables: aligned in every script, cut to their paper, drawn page by page. */
#include "ctl/table.h"

#include <string.h>

#include "ctl/text.h"
#include "unit.h"

static void assert_drawn(struct table *t, struct paper paper, const char *should)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	paper.out = &out;
	assert_int_equal(table_draw(t, &paper), 0);
	assert_string_equal(out.data, should);
	buf_done(&out);
}

static void add_row(struct table *t, const char *a, const char *b, const char *c)
{
	table_add(t, TINT_PLAIN, a);
	table_add(t, TINT_GOOD, b);
	table_add(t, TINT_PLAIN, c);
}

static const char *const heads[] = {"NAME", "STATE", "ID"};

static void test_columns_align_in_every_script(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3, heads);
	add_row(&t, "Asha", "queued", "1");
	add_row(&t, "\xe7\x8e\x8b\xe4\xbc\x9f", "held", "2");
	add_row(&t, "Zoe\xcc\x88 \xc3\x85ng", NULL, "");
	assert_drawn(&t, (struct paper){.width = 0},
		"NAME     STATE   ID\n"
		"Asha     queued  1\n"
		"\xe7\x8e\x8b\xe4\xbc\x9f     held    2\n"
		"Zoe\xcc\x88 \xc3\x85ng  -       -\n");
	table_done(&t);
}

static void test_a_cell_forges_no_row(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3, NULL);
	add_row(&t, "a\nb", "\033[1m", "\xff");
	assert_drawn(&t, (struct paper){.width = 0}, "a\\nb  \\x1b[1m  \\xff\n");
	table_done(&t);
}

/* Pages of one list: the head once, and columns that only get wider. */
static void test_pages(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3, heads);
	add_row(&t, "longest name", "x", "1");
	assert_drawn(&t, (struct paper){.width = 0},
		"NAME          STATE  ID\nlongest name  x      1\n");
	add_row(&t, "a", "wider than it", "2");
	assert_drawn(&t, (struct paper){.width = 0}, "a             wider than it  2\n");
	assert_drawn(&t, (struct paper){.width = 0}, "");
	table_done(&t);
}

static void test_cells_and_lines_are_cut_where_paper_ends(void **state)
{
	static const struct {
		struct paper paper;
		const char *should;
	} cases[] = {
		{{.cell_max = 4}, "abc…  hel…  the last is whole\n"},
		{{.width = 20}, "abcdef  hello  the …\n"},
		{{.width = 16}, "abcdef  hello  …\n"},
		/* Exactly full, and one less: an ellipsis is for what is missing. */
		{{.width = 32}, "abcdef  hello  the last is whole\n"},
		{{.width = 31}, "abcdef  hello  the last is who…\n"},
		{{.width = 9}, "abcdef  …\n"},
		{{.width = 1}, "…\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t;

		table_init(&t, 3, NULL);
		add_row(&t, "abcdef", "hello", "the last is whole");
		assert_drawn(&t, cases[i].paper, cases[i].should);
		table_done(&t);
	}
}

/* A wide letter that does not fit leaves its column empty, and the next one in its place. */
static void test_wide_letters_are_cut_whole(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3, NULL);
	add_row(&t, "\xe7\x8e\x8b\xe4\xbc\x9f\xe7\x8e\x8b", "x", "y");
	assert_drawn(&t, (struct paper){.cell_max = 4}, "\xe7\x8e\x8b…   x  y\n");
	table_done(&t);
}

static void test_colours_are_outside_of_widths(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 3, NULL);
	add_row(&t, "a", "good", "b");
	add_row(&t, "a", "x", "b");
	assert_drawn(&t, (struct paper){.colours = true},
		"a  \033[32mgood\033[0m  b\na  \033[32mx\033[0m     b\n");
	table_done(&t);
}

static void test_a_line_of_pieces(void **state)
{
	struct buf out;
	struct paper paper = {.out = &out, .width = 8};
	size_t left = paper_columns(&paper);

	(void)state;
	buf_init(&out, 1024);
	paper_add(&paper, TINT_PLAIN, "abc", &left);
	assert_int_equal(left, 5);
	paper_add(&paper, TINT_PLAIN, "\n12345", &left);
	assert_int_equal(left, 0);
	paper_add(&paper, TINT_PLAIN, "more", &left);
	assert_int_equal(left, 0);
	assert_string_equal(out.data, "abc\\n12…");
	buf_clear(&out);
	paper_line(&paper, TINT_PLAIN, "12345678");
	assert_string_equal(out.data, "12345678\n");
	buf_done(&out);
}

static void test_out_of_room(void **state)
{
	struct table t;
	struct buf out;
	struct paper paper = {.out = &out};

	(void)state;
	buf_init(&out, 10);
	table_init(&t, 1, NULL);
	table_add(&t, TINT_PLAIN, "more than ten bytes");
	assert_true(table_draw(&t, &paper) < 0);
	table_done(&t);
	buf_done(&out);
}

static int setup(void **state)
{
	(void)state;
	text_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_align_in_every_script),
		cmocka_unit_test(test_a_cell_forges_no_row),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_cells_and_lines_are_cut_where_paper_ends),
		cmocka_unit_test(test_wide_letters_are_cut_whole),
		cmocka_unit_test(test_colours_are_outside_of_widths),
		cmocka_unit_test(test_a_line_of_pieces),
		cmocka_unit_test(test_out_of_room),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
