#include "report/pen.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define LETTERS_MAX 400 /* more than any place here can show */

static const struct {
	double size;
	bool bold;
	double grey;
} styles[PEN_STYLES] = {
	[PEN_TITLE] = {20, true, 0.1},
	[PEN_SUBTITLE] = {10.5, false, 0.25},
	[PEN_FIGURE] = {16, true, 0.1},
	[PEN_LABEL] = {8, false, 0.4},
	[PEN_PLAIN] = {8.5, false, 0.15},
	[PEN_STRONG] = {8.5, true, 0.15},
	[PEN_HEADER] = {8, true, 0.2},
	[PEN_CELL] = {8.5, false, 0.1},
	[PEN_FOOT] = {7.5, false, 0.4},
};

/* One look for the scripts of most names; for the others, and without these, what the system gives. */
static const char families[] = "Noto Sans, Noto Sans Arabic, Noto Sans Hebrew, Sans";

/* Without any font installed Pango goes on, and draws nothing but boxes. */
static bool any_font(PangoLayout *layout)
{
	pango_layout_set_text(layout, "Attendance 0", -1);
	return pango_layout_get_unknown_glyphs_count(layout) == 0;
}

/* In an id that is broken they would seem to belong to it. */
static void forbid_hyphens(PangoLayout *layout)
{
	PangoAttrList *list = pango_attr_list_new();

	pango_attr_list_insert(list, pango_attr_insert_hyphens_new(FALSE));
	pango_layout_set_attributes(layout, list);
	pango_attr_list_unref(list);
}

int pen_init(struct pen *pen, cairo_surface_t *surface)
{
	PangoContext *context;

	*pen = (struct pen){.cairo = cairo_create(surface)};
	if (cairo_status(pen->cairo) != CAIRO_STATUS_SUCCESS)
		return -ENOMEM;
	pen->layout = pango_cairo_create_layout(pen->cairo);
	context = pango_layout_get_context(pen->layout);
	pango_cairo_context_set_resolution(context, 72);
	/* Which of the Han forms is chosen must not depend on who runs it. */
	pango_context_set_language(context, pango_language_from_string("en"));
	pango_layout_set_wrap(pen->layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_ellipsize(pen->layout, PANGO_ELLIPSIZE_END);
	forbid_hyphens(pen->layout);
	for (int i = 0; i < PEN_STYLES; i++) {
		PangoFontDescription *font = pango_font_description_from_string(families);

		pango_font_description_set_absolute_size(font, styles[i].size * PANGO_SCALE);
		pango_font_description_set_weight(
			font, styles[i].bold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
		pen->fonts[i] = font;
	}
	return any_font(pen->layout) ? 0 : -ENOENT;
}

void pen_done(struct pen *pen)
{
	for (int i = 0; i < PEN_STYLES; i++)
		pango_font_description_free(pen->fonts[i]);
	if (pen->layout)
		g_object_unref(pen->layout);
	cairo_destroy(pen->cairo);
	*pen = (struct pen){0};
}

/* C0, DEL, C1, and the separators of lines and paragraphs: each would begin a line, or show a box. */
static bool is_control(const char *at, size_t n)
{
	const unsigned char *c = (const unsigned char *)at;

	return (n == 1 && (c[0] < 0x20 || c[0] == 0x7f)) ||
		(n == 2 && c[0] == 0xc2 && c[1] < 0xa0) ||
		(n == 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9));
}

static void clean(const char *text, char *ret)
{
	size_t left = strlen(text), n;

	for (int letters = 0; letters < LETTERS_MAX && left > 0; letters++) {
		n = utf8_length(text, left);
		if (n == 0)
			break;
		if (is_control(text, n)) {
			*ret++ = ' ';
		} else {
			memcpy(ret, text, n);
			ret += n;
		}
		text += n;
		left -= n;
	}
	*ret = '\0';
}

/* Pango turns left and right round for a text that runs from right to left. */
static PangoAlignment alignment(enum pen_align align, PangoLayout *layout)
{
	bool right_to_left = pango_layout_get_direction(layout, 0) == PANGO_DIRECTION_RTL;

	switch (align) {
	case PEN_BEGIN: return PANGO_ALIGN_LEFT;
	case PEN_LEFT: return right_to_left ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT;
	case PEN_RIGHT: return right_to_left ? PANGO_ALIGN_LEFT : PANGO_ALIGN_RIGHT;
	}
	return PANGO_ALIGN_LEFT;
}

struct pen_size pen_text(
	struct pen *pen, enum pen_style style, const struct pen_place *place, const char *text)
{
	char cleaned[LETTERS_MAX * 4 + 1];
	double grey = styles[style].grey, ascent, shift;
	int height;

	clean(text, cleaned);
	pango_layout_set_font_description(pen->layout, pen->fonts[style]);
	pango_layout_set_width(pen->layout, (int)(place->width * PANGO_SCALE));
	pango_layout_set_height(pen->layout, -place->lines);
	pango_layout_set_text(pen->layout, cleaned, -1);
	pango_layout_set_alignment(pen->layout, alignment(place->align, pen->layout));
	pango_layout_get_size(pen->layout, NULL, &height);
	ascent = (double)pango_layout_get_baseline(pen->layout) / PANGO_SCALE;
	shift = place->ascent > 0 ? place->ascent - ascent : 0;
	if (!pen->dry) {
		pen->unknown += (size_t)pango_layout_get_unknown_glyphs_count(pen->layout);
		cairo_set_source_rgb(pen->cairo, grey, grey, grey);
		cairo_move_to(pen->cairo, place->x, place->y + shift);
		pango_cairo_show_layout(pen->cairo, pen->layout);
	}
	return (struct pen_size){(double)height / PANGO_SCALE + shift, ascent};
}

void pen_fill(struct pen *pen, double x, double y, double width, double height, double grey)
{
	if (pen->dry)
		return;
	cairo_set_source_rgb(pen->cairo, grey, grey, grey);
	cairo_rectangle(pen->cairo, x, y, width, height);
	cairo_fill(pen->cairo);
}
