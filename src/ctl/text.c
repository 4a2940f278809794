#include "ctl/text.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#include "base/utf8.h"

void text_init(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
}

/* The character in a whole UTF-8 sequence. */
static uint32_t decode(const char *bytes, size_t length)
{
	const uint8_t *p = (const uint8_t *)bytes;
	uint32_t c = length == 1 ? p[0] : p[0] & (0x7fU >> length);

	for (size_t i = 1; i < length; i++)
		c = c << 6 | (p[i] & 0x3fU);
	return c;
}

/* What changes how its neighbours look, or hides. The joiners U+200C and U+200D are part of how
 * Persian and Indian names are written, and stay. */
static bool deceives(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{0x0000, 0x001f},   /* controls */
		{0x007f, 0x009f},   /* delete, and controls that many terminals obey like escape */
		{0x2028, 0x202e},   /* line ends, and what turns the direction */
		{0x2060, 0x206f},   /* invisible, and isolates */
		{0xfeff, 0xfeff},   /* a byte order mark */
		{0xfff9, 0xfffb},   /* annotations */
		{0xe0000, 0xe0fff}, /* tags */
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

static void add_escape(struct buf *out, uint32_t c)
{
	switch (c) {
	case '\n': buf_add_str(out, "\\n"); return;
	case '\r': buf_add_str(out, "\\r"); return;
	case '\t': buf_add_str(out, "\\t"); return;
	default: break;
	}
	if (c < 0x80)
		buf_addf(out, "\\x%02x", (unsigned)c);
	else
		buf_addf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
}

void text_add_safe(struct buf *out, const char *bytes, size_t n)
{
	for (size_t length; n > 0; bytes += length, n -= length) {
		uint32_t c;

		length = utf8_length(bytes, n);
		if (length == 0) {
			buf_addf(out, "\\x%02x", (unsigned char)bytes[0]);
			length = 1;
			continue;
		}
		c = decode(bytes, length);
		if (deceives(c) || wcwidth((wchar_t)c) < 0)
			add_escape(out, c);
		else
			buf_add(out, bytes, length);
	}
}

size_t text_fit(const char *safe, size_t n, size_t max, size_t *ret_width)
{
	size_t at = 0, width = 0;

	while (at < n) {
		size_t length = utf8_length(safe + at, n - at);
		int columns = length ? wcwidth((wchar_t)decode(safe + at, length)) : 1;

		if (columns > 0 && (size_t)columns > max - width)
			break;
		width += columns > 0 ? (size_t)columns : 0;
		at += length ? length : 1;
	}
	*ret_width = width;
	return at;
}

size_t text_width(const char *safe, size_t n)
{
	size_t width;

	text_fit(safe, n, SIZE_MAX, &width);
	return width;
}

/* JSON allows these characters inside strings alone, but for the line ends and tabs between its
 * tokens, which are ASCII and harmless. */
void text_add_json(struct buf *out, const char *json, size_t n)
{
	for (size_t length; n > 0; json += length, n -= length) {
		uint32_t c;

		length = utf8_length(json, n);
		c = length ? decode(json, length) : 0;
		if (length == 0)
			length = 1;
		if (c < 0x7f || !deceives(c))
			buf_add(out, json, length);
		else if (c <= 0xffff)
			buf_addf(out, "\\u%04x", (unsigned)c);
		else
			buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
				(unsigned)(0xdc00 + (c & 0x3ff)));
	}
}
