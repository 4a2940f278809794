#include "base/mdoc.h"

#include <ctype.h>
#include <string.h>

#include "base/utf8.h"

#define LINE_MAX_COLUMNS 78

/* The code point of a character that utf8_length has found good. */
static unsigned code_point(const char *at, size_t n)
{
	static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned code = (unsigned char)at[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return code;
}

/* One character. dash: a dash here is that of an option, and not a hyphen. Returns its bytes. */
static size_t put_character(FILE *out, const char *at, bool dash)
{
	size_t n = utf8_length(at, strlen(at));

	if (n > 1)
		fprintf(out, "\\[u%04X]", code_point(at, n));
	else if (*at == '\\')
		fputs("\\e", out);
	else if (*at == '-' && dash)
		fputs("\\-", out);
	else
		fputc(*at, out);
	return n > 1 ? n : 1;
}

static void put_word(FILE *out, const char *word, size_t length)
{
	bool dash = true;

	for (size_t at = 0; at < length;) {
		dash = dash && word[at] == '-';
		at += put_character(out, word + at, dash);
	}
}

static void put_text_word(
	FILE *out, const char *word, size_t length, bool first_of_line, bool first_of_all)
{
	if (first_of_line && (*word == '.' || *word == '\''))
		fputs("\\&", out);
	if (first_of_all && islower((unsigned char)*word)) {
		fputc(toupper((unsigned char)*word), out);
		word++;
		length--;
	}
	put_word(out, word, length);
}

void mdoc_text(FILE *out, const char *text)
{
	size_t column = 0;
	char last = '\0';

	for (const char *at = text; *at;) {
		size_t n = strcspn(at, " ");
		bool broken = column > 0 && (last == '.' || column + 1 + n > LINE_MAX_COLUMNS);

		if (column > 0)
			fputc(broken ? '\n' : ' ', out);
		column = broken || column == 0 ? n : column + 1 + n;
		put_text_word(out, at, n, column == n, at == text);
		last = n > 0 ? at[n - 1] : last;
		at += n + (at[n] == ' ');
	}
	fputs(last == '.' ? "\n" : ".\n", out);
}

void mdoc_word(FILE *out, const char *word)
{
	put_word(out, word, strlen(word));
}

void mdoc_option(FILE *out, const char *name, const char *argument)
{
	fprintf(out, ".It Fl -%s%s", name, argument ? " Ar " : "");
	for (const char *at = argument ? argument : ""; *at;) {
		char small[2] = {(char)tolower((unsigned char)*at)};
		bool ascii = (unsigned char)*at < 0x80;

		at += put_character(out, ascii ? small : at, false);
	}
	fputs("\n", out);
}

void mdoc_preset(FILE *out, const char *preset)
{
	if (!preset)
		return;
	fputs("Default: ", out);
	mdoc_word(out, preset);
	fputs(".\n", out);
}
