#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"

#define VALUE_MAX 256  /* bytes of one value that are shown */
#define LINE_MAX_ 4096 /* bytes of a line */

static enum log_level threshold = LOG_LEVEL_INFO;
static FILE *out;

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_stream(FILE *stream)
{
	out = stream;
}

int log_level_parse(const char *name, enum log_level *ret_level)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
		{"error", LOG_LEVEL_ERROR},
		{"warning", LOG_LEVEL_WARNING},
		{"info", LOG_LEVEL_INFO},
		{"debug", LOG_LEVEL_DEBUG},
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(name, names[i].name) == 0) {
			*ret_level = names[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

/*
 * One character, or one byte of what is none: journald shows a line that is not UTF-8, or has a
 * control character in it, as "[12B blob data]". Returns the bytes done.
 */
static size_t add_character(struct buf *line, const char *text, size_t n)
{
	size_t length = utf8_length(text, n);
	unsigned char c = (unsigned char)text[0];
	bool control = c < ' ' || c == 0x7f ||
		(length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0);

	if (length == 0 || control) {
		buf_addf(line, "\\x%02x", c);
		return 1;
	}
	if (c == '"' || c == '\\')
		buf_add_char(line, '\\');
	buf_add(line, text, length);
	return length;
}

static void add_escaped(struct buf *line, const char *text, size_t n)
{
	bool plain = n > 0;

	for (size_t i = 0; i < n && plain; i++)
		plain = is_plain((unsigned char)text[i]);
	if (plain) {
		buf_add(line, text, n);
		return;
	}
	buf_add_char(line, '"');
	for (size_t length; n > 0; text += length, n -= length)
		length = add_character(line, text, n);
	buf_add_char(line, '"');
}

/* How much of a value is shown: no character is torn. */
static size_t shown(const char *text, size_t n)
{
	size_t cut = VALUE_MAX;

	if (n <= VALUE_MAX)
		return n;
	while (cut > VALUE_MAX - 3 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

static void add_field(struct buf *line, const struct log_field *f)
{
	size_t n;

	buf_addf(line, " %s=", f->key);
	if (!f->text) {
		buf_addf(line, "%lld", (long long)f->value);
		return;
	}
	n = f->length == SIZE_MAX ? strlen(f->text) : f->length;
	add_escaped(line, f->text, shown(f->text, n));
	if (n > VALUE_MAX)
		buf_addf(line, "[%zu bytes]", n);
}

void log_put(enum log_level level, const char *token, const char *message,
	const struct log_field *fields)
{
	FILE *to = out ? out : stderr;
	struct buf line;

	if (level > threshold)
		return;
	buf_init(&line, LINE_MAX_);
	/* systemd sets JOURNAL_STREAM where stderr is its journal: sd-daemon(3). */
	if (to == stderr && getenv("JOURNAL_STREAM"))
		buf_addf(&line, "<%d>", (int)level);
	buf_addf(&line, "%s: %s", token, message);
	for (; fields->key; fields++)
		add_field(&line, fields);
	/* A line over the cap lost its last value; what is there still tells. */
	if (line.len > 0)
		fprintf(to, "%s\n", line.data);
	else
		fprintf(to, "%s: %s\n", token, message); /* no memory */
	fflush(to);
	buf_done(&line);
}
