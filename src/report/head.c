#include "report/head.h"

#include <inttypes.h>
#include <stdio.h>

#include "report/words.h"

#define GAP     10
#define TILES   4
#define BAR     2.5 /* the stroke at the left of what is said about completeness */
#define INDENT  10
#define FIGURES 32

const char *head_period(const struct document *d, char ret[static HEAD_PERIOD])
{
	snprintf(ret, HEAD_PERIOD, "%s to %s", d->start_date, d->end_date);
	return ret;
}

static double draw_title(struct pen *pen, const struct document *d, struct pen_place at)
{
	char period[HEAD_PERIOD];

	at.lines = 2;
	at.y += pen_text(pen, PEN_TITLE, &at, "Attendance report").height;
	at.y += pen_text(pen, PEN_SUBTITLE, &at, head_period(d, period)).height;
	/* A line of its own, so that a name that runs from right to left does not mix with the period. */
	if (d->department[0]) {
		at.y += 1;
		at.y += pen_text(pen, PEN_SUBTITLE, &at, d->department).height;
	}
	return at.y + GAP;
}

static double draw_tile(struct pen *pen, struct pen_place at, const char *figure, const char *label)
{
	at.lines = 1;
	at.y += pen_text(pen, PEN_FIGURE, &at, figure).height;
	return at.y + pen_text(pen, PEN_LABEL, &at, label).height;
}

static double draw_summary(struct pen *pen, const struct document *d, struct pen_place at)
{
	static const char *const labels[TILES] = {
		"people", "days", "working days", "average attendance"};
	char figures[TILES][FIGURES];
	double width = at.width / TILES, end = at.y;

	snprintf(figures[0], FIGURES, "%" PRId64, d->total_users);
	snprintf(figures[1], FIGURES, "%" PRId64, d->total_days);
	snprintf(figures[2], FIGURES, "%" PRId64, d->working_days);
	snprintf(figures[3], FIGURES, "%.2f %%", d->average);
	for (int i = 0; i < TILES; i++) {
		struct pen_place tile = {at.x + i * width, at.y, width - GAP, 1, PEN_LEFT, 0};

		end = draw_tile(pen, tile, figures[i], labels[i]);
	}
	return end + GAP;
}

struct saying {
	struct pen *pen;
	struct pen_place at;
};

static void draw_line(void *arg, const char *line)
{
	struct saying *s = arg;

	s->at.y += pen_text(s->pen, PEN_PLAIN, &s->at, line).height;
}

static double draw_completeness(struct pen *pen, const struct document *d, struct pen_place at)
{
	struct saying s = {pen, {at.x + INDENT, at.y, at.width - INDENT, 3, PEN_LEFT, 0}};

	s.at.y += pen_text(pen, PEN_STRONG, &s.at, "How complete this is").height;
	words_completeness(d, draw_line, &s);
	pen_fill(pen, at.x, at.y, BAR, s.at.y - at.y, 0.6);
	return s.at.y + GAP;
}

double head_draw(struct pen *pen, const struct document *d, double x, double y, double width)
{
	struct pen_place at = {x, y, width, 1, PEN_LEFT, 0};

	at.y = draw_title(pen, d, at);
	at.y = draw_summary(pen, d, at);
	if (d->completeness.told)
		at.y = draw_completeness(pen, d, at);
	return at.y;
}
