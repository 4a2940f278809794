#include "ctl/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>

#include "ctl/text.h"

#define CELL_CAP (256 * 1024) /* bytes; a raw message of 4 KiB, each byte an escape, is far below */
#define GAP      2

void table_init(struct table *t, size_t columns, const char *const *heads)
{
	*t = (struct table){.columns = columns, .heads = heads};
	for (size_t i = 0; heads && i < columns; i++)
		t->widths[i] = strlen(heads[i]);
}

static void forget_rows(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	t->count = 0;
}

void table_done(struct table *t)
{
	forget_rows(t);
	free(t->cells);
	t->cells = NULL;
	t->size = 0;
}

static struct table_cell *next_cell(struct table *t)
{
	if (t->count == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		struct table_cell *cells = reallocarray(t->cells, size, sizeof *cells);

		if (!cells)
			return NULL;
		t->cells = cells;
		t->size = size;
	}
	return &t->cells[t->count];
}

void table_add_bytes(struct table *t, enum tint tint, const char *bytes, size_t n)
{
	struct table_cell *cell = next_cell(t);
	struct buf safe;

	buf_init(&safe, CELL_CAP);
	text_add_safe(&safe, n > 0 ? bytes : "-", n > 0 ? n : 1);
	if (cell) {
		cell->length = safe.len;
		cell->width = text_width(safe.data, safe.len);
		cell->tint = tint;
		/* What is over the cap is cut: a cell is for reading. */
		cell->text = safe.len > 0 ? strndup(safe.data, safe.len) : NULL;
	}
	if (cell && cell->text)
		t->count++;
	else
		t->error = -ENOMEM;
	buf_done(&safe);
}

void table_add(struct table *t, enum tint tint, const char *text)
{
	table_add_bytes(t, tint, text, text ? strlen(text) : 0);
}

void table_addf(struct table *t, enum tint tint, const char *format, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, CELL_CAP);
	va_start(ap, format);
	buf_vaddf(&text, format, ap);
	va_end(ap);
	table_add_bytes(t, tint, text.data, text.len);
	buf_done(&text);
}

/* ---- drawing */

static const char *tint_code(enum tint tint)
{
	switch (tint) {
	case TINT_PLAIN: return "";
	case TINT_BOLD: return "\033[1m";
	case TINT_FAINT: return "\033[2m";
	case TINT_GOOD: return "\033[32m";
	case TINT_WARN: return "\033[33m";
	case TINT_BAD: return "\033[1;31m";
	}
	return "";
}

static void add_tinted(const struct paper *paper, enum tint tint, const char *safe, size_t n)
{
	const char *code = paper->colours ? tint_code(tint) : "";

	buf_add_str(paper->out, code);
	buf_add(paper->out, safe, n);
	if (code[0])
		buf_add_str(paper->out, "\033[0m");
}

/* Add a text into at most max columns, an ellipsis for its end where it is longer. Returns the
 * columns taken. */
static size_t add_cut(
	const struct paper *paper, enum tint tint, const char *safe, size_t n, size_t max)
{
	static const char ellipsis[] = "…";
	size_t width, fits = text_fit(safe, n, max, &width);

	if (fits < n && max > 0) {
		fits = text_fit(safe, n, max - 1, &width);
		add_tinted(paper, tint, safe, fits);
		buf_add_str(paper->out, ellipsis);
		return width + 1;
	}
	add_tinted(paper, tint, safe, fits);
	return width;
}

static void add_blanks(const struct paper *paper, size_t n)
{
	while (n-- > 0)
		buf_add_char(paper->out, ' ');
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t column_width(const struct table *t, const struct paper *paper, size_t column)
{
	return paper->cell_max ? least(t->widths[column], paper->cell_max) : t->widths[column];
}

static void draw_row(
	const struct table *t, const struct paper *paper, const struct table_cell *cells)
{
	size_t left = paper_columns(paper);

	for (size_t i = 0; i < t->columns && left > 0; i++) {
		bool last = i + 1 == t->columns;
		size_t room = last ? left : least(left, column_width(t, paper, i)), taken;

		taken = add_cut(paper, cells[i].tint, cells[i].text, cells[i].length, room);
		left -= taken;
		if (last || left == 0)
			break;
		taken = least(left, room - taken + GAP);
		add_blanks(paper, taken);
		left -= taken;
	}
	buf_add_char(paper->out, '\n');
}

static void draw_head(struct table *t, const struct paper *paper)
{
	struct table_cell cells[TABLE_COLUMNS_MAX];

	if (!t->heads || t->head_drawn)
		return;
	for (size_t i = 0; i < t->columns; i++)
		cells[i] = (struct table_cell){.text = (char *)t->heads[i],
			.length = strlen(t->heads[i]),
			.tint = TINT_BOLD};
	draw_row(t, paper, cells);
	t->head_drawn = true;
}

int table_draw(struct table *t, const struct paper *paper)
{
	if (t->error)
		return t->error;
	for (size_t i = 0; i < t->count; i++) {
		size_t *width = &t->widths[i % t->columns];

		if (t->cells[i].width > *width)
			*width = t->cells[i].width;
	}
	draw_head(t, paper);
	for (size_t i = 0; i + t->columns <= t->count; i += t->columns)
		draw_row(t, paper, &t->cells[i]);
	forget_rows(t);
	return buf_error(paper->out) ? -ENOMEM : 0;
}

size_t paper_columns(const struct paper *paper)
{
	return paper->width ? paper->width : SIZE_MAX;
}

void paper_add(const struct paper *paper, enum tint tint, const char *text, size_t *left)
{
	struct buf safe;

	buf_init(&safe, CELL_CAP);
	text_add_safe(&safe, text, strlen(text));
	*left -= add_cut(paper, tint, safe.data, safe.len, *left);
	buf_done(&safe);
}

void paper_line(const struct paper *paper, enum tint tint, const char *text)
{
	size_t left = paper_columns(paper);

	paper_add(paper, tint, text, &left);
	buf_add_char(paper->out, '\n');
}
