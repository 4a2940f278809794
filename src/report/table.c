#include "report/table.h"

#include <inttypes.h>
#include <stdio.h>

#define COLUMNS  8
#define TEXTS    3 /* the first columns; the others are figures */
#define FIGURE   24
#define PAD_X    4
#define PAD_Y    2.5
#define RULE     0.5
#define LINES    4 /* of one cell */
#define HEAD     0.90
#define PAPER    1
#define RULE_INK 0.7

/* Points; the first two columns of texts share out what the others leave. */
static const struct {
	const char *label;
	double width; /* 0: a share of the rest */
	double share;
} columns[COLUMNS] = {
	{"Id", 74, 0},
	{"Name", 0, 0.6},
	{"Department", 0, 0.4},
	{"Present days", 42, 0},
	{"Absent days", 42, 0},
	{"Late days", 38, 0},
	{"Left early", 38, 0},
	{"Attendance", 56, 0},
};

static double column_width(int column, double width)
{
	double rest = width;

	if (columns[column].width > 0)
		return columns[column].width;
	for (int i = 0; i < COLUMNS; i++)
		rest -= columns[i].width;
	return rest * columns[column].share;
}

/* A line of count cells. Returns what they take on one baseline: with line->ascent 0 each is drawn on
 * its own. */
static struct pen_size draw_cells(struct pen *pen, enum pen_style style,
	const char *const texts[COLUMNS], int count, const struct pen_place *line)
{
	double x = line->x, above = 0, below = 0;

	for (int i = 0; i < count; i++) {
		double full = column_width(i, line->width);
		struct pen_place place = {x + PAD_X, line->y + PAD_Y, full - 2 * PAD_X, LINES,
			i < TEXTS ? PEN_BEGIN : PEN_RIGHT, line->ascent};
		struct pen_size size = pen_text(pen, style, &place, texts[i]);

		above = size.ascent > above ? size.ascent : above;
		below = size.height - size.ascent > below ? size.height - size.ascent : below;
		x += full;
	}
	return (struct pen_size){above + below, above};
}

/* The ground below, then the cells above it: so they are measured first. */
static double draw_line(struct pen *pen, enum pen_style style, const char *const texts[COLUMNS],
	double grey, struct pen_place line)
{
	/* A figure takes a line of the same letters as an id: it makes no row higher. */
	int wanting = style == PEN_HEADER ? COLUMNS : TEXTS;
	bool dry = pen->dry;
	struct pen_size size;
	double height;

	pen->dry = true;
	size = draw_cells(pen, style, texts, wanting, &line);
	pen->dry = dry;
	height = size.height + 2 * PAD_Y;
	if (dry)
		return height;
	if (grey < PAPER)
		pen_fill(pen, line.x, line.y, line.width, height, grey);
	line.ascent = size.ascent;
	draw_cells(pen, style, texts, COLUMNS, &line);
	pen_fill(pen, line.x, line.y + height - RULE, line.width, RULE, RULE_INK);
	return height;
}

double table_head(struct pen *pen, double x, double y, double width)
{
	const char *texts[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		texts[i] = columns[i].label;
	return draw_line(
		pen, PEN_HEADER, texts, HEAD, (struct pen_place){x, y, width, 0, PEN_LEFT, 0});
}

double table_row(
	struct pen *pen, const struct document_user *user, double x, double y, double width)
{
	char figures[COLUMNS - TEXTS][FIGURE];
	const char *texts[COLUMNS] = {user->id, user->name, user->department};
	const int64_t days[] = {user->present, user->absent, user->late, user->early};

	for (int i = 0; i < COLUMNS - TEXTS - 1; i++)
		snprintf(figures[i], FIGURE, "%" PRId64, days[i]);
	snprintf(figures[COLUMNS - TEXTS - 1], FIGURE, "%.2f %%", user->percentage);
	for (int i = TEXTS; i < COLUMNS; i++)
		texts[i] = figures[i - TEXTS];
	return draw_line(
		pen, PEN_CELL, texts, PAPER, (struct pen_place){x, y, width, 0, PEN_LEFT, 0});
}
