/*
 * Texts and lines on a page. Pango chooses the fonts and shapes what is written, in any script; this
 * keeps it to the place that a text is given: it is wrapped, cut with an ellipsis where it takes more
 * lines than it may, and what would break the page (control characters, thousands of letters) is taken
 * out. Lengths are points of 1/72 inch, from the top left.
 */
#ifndef PUNCHD_REPORT_PEN_H
#define PUNCHD_REPORT_PEN_H

#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stddef.h>

enum pen_style {
	PEN_TITLE,
	PEN_SUBTITLE,
	PEN_FIGURE, /* the numbers of the summary */
	PEN_LABEL,  /* what stands below them */
	PEN_PLAIN,
	PEN_STRONG,
	PEN_HEADER,
	PEN_CELL,
	PEN_FOOT,
	PEN_STYLES
};

enum pen_align {
	PEN_BEGIN, /* where the text begins: one that runs from right to left at the right */
	PEN_LEFT,
	PEN_RIGHT
};

struct pen_place {
	double x, y, width;
	int lines; /* at most */
	enum pen_align align;
	double ascent; /* from y to the first line's baseline; 0: what the text itself wants */
};

struct pen_size {
	double height; /* from y to the end, with the ascent that was asked for */
	double ascent; /* that the text itself wants: scripts differ */
};

struct pen {
	cairo_t *cairo;
	PangoLayout *layout;
	PangoFontDescription *fonts[PEN_STYLES];
	bool dry;       /* measure, draw nothing */
	size_t unknown; /* letters so far for which there is no font, in what was drawn */
};

/* Returns 0, -ENOENT (no font at all is installed) or -ENOMEM. pen_done() is due in any case. */
int pen_init(struct pen *pen, cairo_surface_t *surface);
void pen_done(struct pen *pen);

struct pen_size pen_text(
	struct pen *pen, enum pen_style style, const struct pen_place *place, const char *text);

/* A filled rectangle; grey 0 is black, 1 is white. */
void pen_fill(struct pen *pen, double x, double y, double width, double height, double grey);

#endif
