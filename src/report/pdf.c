#include "report/pdf.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "report/head.h"
#include "report/pen.h"
#include "report/table.h"
#include "report/words.h"

#define MARGIN      36
#define FOOT_HEIGHT 20 /* above the lower margin */
#define RUNNING     18 /* height of the line on top of the second page and all after it */
#define TITLE       512

const struct pdf_paper pdf_papers[] = {
	{"a4", 595.276, 841.890},
	{"letter", 612, 792},
	{0},
};

struct making {
	const struct document *document;
	const struct pdf_paper *paper;
	struct pen pen;
	double width;   /* between the margins */
	double bottom;  /* of the table */
	float *heights; /* of each row */
	int pages;
};

static cairo_status_t add_bytes(void *arg, const unsigned char *bytes, unsigned int n)
{
	struct buf *out = arg;

	buf_add(out, bytes, n);
	return buf_error(out) < 0 ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* ---- what is on each page */

static double begin_page(struct making *m, int page)
{
	struct pen_place at = {MARGIN, MARGIN, m->width, 1, PEN_LEFT, 0};
	char period[HEAD_PERIOD], line[HEAD_PERIOD + 32];

	if (page == 1)
		return head_draw(&m->pen, m->document, MARGIN, MARGIN, m->width);
	snprintf(line, sizeof line, "Attendance report, %s", head_period(m->document, period));
	at.width = m->width / 2;
	pen_text(&m->pen, PEN_FOOT, &at, line);
	at.x += m->width / 2;
	at.align = PEN_RIGHT;
	pen_text(&m->pen, PEN_FOOT, &at, m->document->department);
	return MARGIN + RUNNING;
}

static void end_page(struct making *m, int page)
{
	const struct document *d = m->document;
	double y = m->paper->height - MARGIN - FOOT_HEIGHT / 2.0;
	struct pen_place left = {MARGIN, y, m->width * 0.8, 1, PEN_LEFT, 0};
	struct pen_place right = {MARGIN + m->width * 0.8, y, m->width * 0.2, 1, PEN_RIGHT, 0};
	char line[2 * WORDS_LINE], time[WORDS_LINE];

	if (d->generated_at[0])
		snprintf(line, sizeof line, "%.200s%sgenerated %.100s", d->report_id,
			d->report_id[0] ? ", " : "", words_time(d->generated_at, time));
	else
		snprintf(line, sizeof line, "%.200s", d->report_id);
	pen_text(&m->pen, PEN_FOOT, &left, line);
	snprintf(line, sizeof line, "Page %d of %d", page, m->pages);
	pen_text(&m->pen, PEN_FOOT, &right, line);
	if (!m->pen.dry)
		cairo_show_page(m->pen.cairo);
}

/* All pages, drawn or with pen.dry only counted. Returns how many. */
static int draw_pages(struct making *m)
{
	const struct document *d = m->document;
	int page = 1;
	double y = begin_page(m, page);

	y += table_head(&m->pen, MARGIN, y, m->width);
	for (size_t i = 0; i < d->count; i++) {
		if (y + (double)m->heights[i] > m->bottom) {
			end_page(m, page);
			y = begin_page(m, ++page);
			y += table_head(&m->pen, MARGIN, y, m->width);
		}
		if (!m->pen.dry)
			table_row(&m->pen, &d->users[i], MARGIN, y, m->width);
		y += (double)m->heights[i];
	}
	if (d->count == 0) {
		struct pen_place at = {MARGIN, y + 6, m->width, 1, PEN_LEFT, 0};

		pen_text(&m->pen, PEN_PLAIN, &at, "Nobody is in this report.");
	}
	end_page(m, page);
	return page;
}

/* Heights of all rows, and by them how many pages there are. */
static int measure(struct making *m)
{
	const struct document *d = m->document;

	m->heights = calloc(d->count + 1, sizeof *m->heights);
	if (!m->heights)
		return -ENOMEM;
	m->pen.dry = true;
	for (size_t i = 0; i < d->count; i++)
		m->heights[i] = (float)table_row(&m->pen, &d->users[i], 0, 0, m->width);
	m->pages = draw_pages(m);
	m->pen.dry = false;
	return 0;
}

/* ---- the file */

static void set_metadata(cairo_surface_t *surface, const struct document *d)
{
	char title[TITLE], period[HEAD_PERIOD], date[TIME_TEXT_SIZE] = "";
	int64_t made;

	snprintf(title, sizeof title, "Attendance report, %s%s%.300s", head_period(d, period),
		d->department[0] ? ", " : "", d->department);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
	cairo_pdf_surface_set_metadata(
		surface, CAIRO_PDF_METADATA_CREATOR, "punch-report-pdf " PACKAGE_VERSION);
	/* cairo 1.16 would put the time of now. */
	if (time_parse_rfc3339(d->generated_at, &made) == 0)
		time_format_utc(made, -1, date);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
}

int pdf_make(const struct document *d, const struct pdf_paper *paper, struct buf *out,
	size_t *ret_unknown)
{
	struct making m = {.document = d,
		.paper = paper,
		.width = paper->width - 2 * MARGIN,
		.bottom = paper->height - MARGIN - FOOT_HEIGHT};
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
		add_bytes, out, paper->width, paper->height);
	int r;

	set_metadata(surface, d);
	r = pen_init(&m.pen, surface);
	if (r == 0)
		r = measure(&m);
	if (r == 0)
		draw_pages(&m);
	*ret_unknown = m.pen.unknown;
	pen_done(&m.pen);
	cairo_surface_finish(surface);
	if (r == 0 && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
		r = buf_error(out) < 0 ? buf_error(out) : -EIO;
	cairo_surface_destroy(surface);
	free(m.heights);
	return r;
}
