/* watch on a terminal: one page, drawn over and over. */
#include <errno.h>

#include "base/clock.h"
#include "ctl/doc.h"
#include "ctl/overview.h"
#include "ctl/punchrow.h"
#include "ctl/screen.h"
#include "ctl/watch.h"

#define PAGE_CAP (512 * 1024)
#define CELL_MAX 24
#define FOOT     "q ends"

/* A page while it is written. */
struct page {
	struct watch *watch;
	struct paper paper;
	size_t rows_left;
};

static void draw_table(struct page *p, struct table *t, size_t rows)
{
	if (table_draw(t, &p->paper) < 0)
		p->paper.out->error = -ENOMEM;
	p->rows_left -= rows < p->rows_left ? rows : p->rows_left;
}

static void draw_line(struct page *p, enum tint tint, const char *text)
{
	paper_line(&p->paper, tint, text);
	p->rows_left -= p->rows_left > 0;
}

static void draw_away(struct page *p)
{
	const struct watch *w = p->watch;
	char when[TIMES_TEXT_SIZE];
	struct buf text;

	buf_init(&text, PAGE_CAP);
	buf_addf(&text, "%s since %s: %s", w->status ? "punchd does not answer" : "no punchd",
		times_format(&w->ctl->times, w->away_since_s, when), w->words);
	draw_line(p, TINT_BAD, text.data);
	if (w->status)
		draw_line(p, TINT_FAINT, "below is what it said last");
	buf_done(&text);
}

static void draw_status(struct page *p)
{
	const struct watch *w = p->watch;
	struct table parts;

	table_init(&parts, 2, NULL);
	overview_rows(&parts, w->status, &w->ctl->times);
	draw_table(p, &parts, parts.count / 2);
	table_done(&parts);
}

static void draw_punches(struct page *p)
{
	const struct watch *w = p->watch;
	struct table t;
	const json_t *punch;
	size_t i;

	if (json_array_size(w->punches) == 0) {
		draw_line(p, TINT_FAINT, "no punches yet");
		return;
	}
	table_init(&t, PUNCHROW_COLUMNS, punchrow_heads);
	json_array_foreach(w->punches, i, punch)
	{
		if (i + 1 < p->rows_left)
			punchrow_add(&t, punch, &w->ctl->times, PUNCHROW_LIVE);
	}
	draw_table(p, &t, 1 + t.count / PUNCHROW_COLUMNS);
	table_done(&t);
}

static void write_page(struct page *p)
{
	const struct watch *w = p->watch;

	if (w->away) {
		draw_away(p);
	} else {
		overview_head(&p->paper, w->status, &w->ctl->times);
		p->rows_left--;
	}
	if (!w->status)
		return;
	draw_line(p, TINT_PLAIN, "");
	draw_status(p);
	draw_line(p, TINT_PLAIN, "");
	/* The foot's row is kept free. */
	if (p->rows_left > 2) {
		p->rows_left--;
		draw_punches(p);
		p->rows_left++;
	}
}

static int draw(struct watch *w)
{
	struct buf text;
	struct page p = {.watch = w, .paper = ctl_paper(w->ctl, &text)};
	size_t columns, rows;
	int r;

	screen_size(&columns, &rows);
	/* The last column stays empty: some terminals clear it with what lies behind it. */
	p.paper.width = columns > 1 ? columns - 1 : 1;
	p.paper.cell_max = CELL_MAX;
	p.rows_left = rows;
	write_page(&p);
	while (p.rows_left > 1)
		draw_line(&p, TINT_PLAIN, "");
	draw_line(&p, TINT_FAINT, FOOT);
	r = buf_error(&text) ? buf_error(&text) : screen_draw(&text, rows);
	buf_done(&text);
	return r;
}

static bool cancelled(void *screen)
{
	return screen_wait(screen, 0) == SCREEN_END;
}

/* Show it until the next look is due. Returns 0 or a negative errno. */
static int show(struct watch *w, struct screen *s)
{
	int64_t until_us = clock_now().mono_us + w->interval_ms * 1000;
	enum screen_event event;
	int r;

	do {
		r = draw(w);
		event = r == 0 ? screen_wait(s, until_us) : SCREEN_END;
	} while (event == SCREEN_SIZE);
	return r;
}

int watch_on_screen(struct watch *w)
{
	struct screen s;
	int r = screen_open(&s);

	if (r == 0) {
		w->ctl->client.cancelled = cancelled;
		w->ctl->client.arg = &s;
		do {
			watch_look(w);
			r = s.ended ? 0 : show(w, &s);
		} while (r == 0 && !s.ended && watch_goes_on(w));
		screen_close(&s);
	}
	if (r < 0)
		ctl_complain("the terminal: %s", strerror(-r));
	/* Whoever ends the view has seen whether punchd is there. */
	w->away = w->away && !s.ended;
	return r < 0 ? CTL_REFUSED : CTL_DONE;
}
