/* Reading settings: lines, sections, values, and a fault for each that is none. */
#include "core/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>

#include "base/utf8.h"
#include "core/config_hint.h"
#include "core/config_keys.h"
#include "core/punch.h"

/* One file on its way through libinih, which is given one checked line at a time. */
struct reading {
	struct config *config;
	struct buf *faults;
	const char *file;
	const char *at, *end;
	int line;
	int number; /* of the file, in turn, from 1 */
	char section[64];
	bool section_known;
	struct config_terminal *terminal; /* whose section it is; NULL: another one */
	int error;
};

/* Bytes that are no UTF-8 and control characters, C1 too: a terminal may act on them. */
static void blank_out(char *s)
{
	while (*s) {
		size_t n = utf8_length(s, strlen(s));
		unsigned char first = (unsigned char)s[0];
		bool c1 = n == 2 && first == 0xc2 && (unsigned char)s[1] < 0xa0;

		if (n == 0 || first < ' ' || first == 0x7f || c1)
			memset(s, '?', n ? n : 1);
		s += n ? n : 1;
	}
}

void config_fault_at(struct buf *faults, const char *file, int line, const char *format, ...)
{
	size_t from = faults->len;
	va_list ap;

	if (file)
		buf_addf(faults, "%s:%d: ", file, line);
	va_start(ap, format);
	buf_vaddf(faults, format, ap);
	va_end(ap);
	if (faults->len > from)
		blank_out(faults->data + from);
	buf_add_char(faults, '\n');
	if (buf_error(faults) < 0 && faults->len > from) {
		faults->len = from; /* no half lines */
		faults->data[from] = '\0';
	}
}

#define fault(r, ...) config_fault_at((r)->faults, (r)->file, (r)->line, __VA_ARGS__)

#define HINT_MAX 256

/* ---- lines */

/* Nothing more on this line than blanks and, behind one, a comment. */
static bool nothing_follows(const char *rest)
{
	size_t blanks = strspn(rest, " \t");

	return rest[blanks] == '\0' || (blanks > 0 && rest[blanks] == ';');
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '\0' || *line == ';' || *line == '#';
}

/* Whether a `=` or `:` comes before a comment begins: libinih reports only the first without. */
static bool is_setting(const char *line)
{
	bool blank = false;

	for (const char *s = line; *s; s++) {
		if (*s == '=' || *s == ':')
			return true;
		if (*s == ';' && blank)
			return false;
		blank = isspace((unsigned char)*s);
	}
	return false;
}

static bool is_terminal_name(const char *name)
{
	return name[0] && strlen(name) <= TERMINAL_MAX && config_text_is_clean(name);
}

/* `[terminal "NAME"]`: at is behind the word. */
static void enter_terminal(struct reading *r, const char *at)
{
	char name[CONFIG_LINE_MAX + 1];
	size_t n;
	int made;

	at += strspn(at, " \t");
	n = at[0] == '"' ? strcspn(at + 1, "\"") : 0;
	if (n == 0 || at[1 + n] != '"' || at[2 + n] != ']' || !nothing_follows(at + n + 3)) {
		fault(r, "a terminal's section is written [terminal \"NAME\"]");
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)n, at + 1);
	if (!is_terminal_name(name)) {
		fault(r, "a terminal's name has 1 to %d bytes of UTF-8 without control characters",
			TERMINAL_MAX);
		return;
	}
	made = config_terminals_make(&r->config->terminals, name, &r->terminal);
	if (made == -ENOMEM)
		r->error = made;
	else if (made < 0)
		fault(r, "there may be %d sections of terminals at most", CONFIG_TERMINALS_MAX);
	r->section_known = made == 0;
}

static void refuse_section(struct reading *r)
{
	struct buf hint;

	buf_init(&hint, HINT_MAX);
	config_hint_section(r->section, &hint);
	fault(r, "there is no section [%s]%s", r->section, hint.data);
	buf_done(&hint);
}

/* Where only the ] is wrong, what follows is checked all the same. */
static void enter_section(struct reading *r, const char *line)
{
	size_t n = strcspn(line + 1, "]");
	bool ends = line[1 + n] == ']' && nothing_follows(line + n + 2);

	r->section_known = false;
	r->terminal = NULL;
	if (strncmp(line + 1, "terminal", 8) == 0 && strchr(" \t\"]", line[9])) {
		snprintf(r->section, sizeof r->section, "terminal");
		enter_terminal(r, line + 9);
		return;
	}
	if (!ends) {
		fault(r, "a section ends with ] and nothing else");
		n = strcspn(line + 1, "] \t");
	}
	snprintf(r->section, sizeof r->section, "%.*s", (int)n, line + 1);
	r->section_known = config_section_exists(r->section);
	if (ends && !r->section_known)
		refuse_section(r);
}

/* A key without its `=`, or something else altogether. */
static void refuse_line(struct reading *r, const char *line)
{
	char word[CONFIG_LINE_MAX + 1];

	snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " \t"), line);
	if (config_key_find(r->section, word) || (r->terminal && config_terminal_key(word)))
		fault(r, "there is no = behind `%s`", word);
	else
		fault(r, "neither a section nor a setting `key = value`");
}

/* A setting before the first section. */
static void refuse_homeless(struct reading *r, const char *line)
{
	char name[CONFIG_LINE_MAX + 1];
	struct buf hint;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " \t=:"), line);
	buf_init(&hint, HINT_MAX);
	config_hint_key("", name, &hint);
	fault(r, "a setting before the first section%s", hint.data);
	buf_done(&hint);
}

/* Whether libinih may see the line; else a fault is noted, or it is a section, which we keep. */
static bool check_line(struct reading *r, const char *line)
{
	if (is_comment(line))
		return false;
	if (*line == ' ' || *line == '\t') {
		fault(r, "an indented line: settings begin in the first column");
		return false;
	}
	if (*line == '[') {
		enter_section(r, line);
		return false;
	}
	if (!is_setting(line)) {
		refuse_line(r, line);
		return false;
	}
	if (r->section[0] == '\0') {
		refuse_homeless(r, line);
		return false;
	}
	return r->section_known;
}

/* Whether the bytes can be a line at all. */
static bool check_bytes(struct reading *r, const char *bytes, size_t n)
{
	if (memchr(bytes, '\0', n))
		fault(r, "a NUL byte");
	else if (n > CONFIG_LINE_MAX)
		fault(r, "a line of more than %d bytes", CONFIG_LINE_MAX);
	else
		return true;
	return false;
}

/* The reader that libinih calls for each line. An unwanted line is given as an empty one. */
static char *next_line(char *to, int size, void *stream)
{
	struct reading *r = stream;
	const char *line = r->at, *newline;
	size_t n;

	/* Where there is no room for more faults, nobody reads on. */
	if (line == r->end || buf_error(r->faults) < 0)
		return NULL;
	newline = memchr(line, '\n', (size_t)(r->end - line));
	n = (size_t)((newline ? newline : r->end) - line);
	r->at = newline ? newline + 1 : r->end;
	if (r->line++ == 0 && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3; /* a byte-order mark of some editor */
		n -= 3;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	to[0] = '\0';
	if (check_bytes(r, line, n)) {
		snprintf(to, (size_t)size, "%.*s", (int)n, line);
		if (!check_line(r, to))
			to[0] = '\0';
	}
	return to;
}

/* ---- settings */

static struct config_origin *origin_of(struct reading *r, const struct config_key *k)
{
	return r->terminal ? &r->terminal->origins[k - config_terminal_keys]
			   : &r->config->origins[k - config_keys];
}

/* Of a terminal only the zone can be at fault later; there may be thousands of them. */
static int note_origin(struct reading *r, const struct config_key *k, bool refused)
{
	struct config_origin *origin = origin_of(r, k);
	bool named = !r->terminal || strcmp(k->name, "time_zone") == 0;
	char *file = named ? strdup(r->file) : NULL;

	if (named && !file)
		return -ENOMEM;
	free(origin->file);
	*origin = (struct config_origin){
		.file = file, .line = r->line, .reading = r->number, .refused = refused};
	return 0;
}

/* As of a quotation mark of any kind, at either end. */
static bool is_quoted(const char *value)
{
	static const char *const marks[] = {"\"", "'", "`", "\u201c", "\u201d", "\u201e", "\u2018",
		"\u2019", "\u00ab", "\u00bb"};
	bool opens = false, closes = false;
	size_t length = strlen(value);

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		size_t n = strlen(marks[i]);

		opens = opens || strncmp(value, marks[i], n) == 0;
		closes = closes || (length > n && strcmp(value + length - n, marks[i]) == 0);
	}
	return opens && closes;
}

/* What must not be shown: it may hold a secret, and faults are logged. */
static bool is_private(const struct config_key *k, const char *value)
{
	switch (k->type) {
	case CONFIG_PROXY:
	case CONFIG_SECRET: return true;
	case CONFIG_URL: return strpbrk(value, "@?#") != NULL;
	case CONFIG_HOST: return strchr(value, '@') != NULL;
	case CONFIG_INT:
	case CONFIG_DURATION:
	case CONFIG_SIZE:
	case CONFIG_CLOCK:
	case CONFIG_TIME:
	case CONFIG_PLAN:
	case CONFIG_BOOL:
	case CONFIG_LEVEL:
	case CONFIG_ANSWER:
	case CONFIG_DIRECTION:
	case CONFIG_DOUBT:
	case CONFIG_WEEK:
	case CONFIG_TEXT:
	case CONFIG_NAME:
	case CONFIG_ABSOLUTE:
	case CONFIG_FILE:
	case CONFIG_PREFIX:
	case CONFIG_PINS:
	case CONFIG_LISTEN:
	case CONFIG_HEADER:
	case CONFIG_HOLIDAYS: break;
	}
	return false;
}

static void describe(const struct config_key *k, struct buf *out)
{
	const char *example = config_key_example(k);

	config_key_describe(k, out);
	if (example)
		buf_addf(out, ", as %s", example);
}

static void refuse_value(struct reading *r, const struct config_key *k, const char *value)
{
	struct buf wanted;

	buf_init(&wanted, 2 * HINT_MAX);
	describe(k, &wanted);
	config_hint_value(k, value, &wanted);
	if (value[0] == '\0')
		fault(r, "%s: it is empty, not %s", k->name, wanted.data);
	else if (is_private(k, value))
		fault(r, "%s: what stands there is not %s", k->name, wanted.data);
	else if (k->type == CONFIG_URL && strncmp(value, "http://", 7) == 0)
		fault(r, "%s: the API is reached over https only, not `%s`", k->name, value);
	else
		fault(r, "%s: `%s` is not %s", k->name, value, wanted.data);
	buf_done(&wanted);
}

static void refuse_key(struct reading *r, const char *name)
{
	struct buf hint;

	buf_init(&hint, HINT_MAX);
	config_hint_key(r->section, name, &hint);
	fault(r, "there is no key `%s` in [%s]%s", name, r->section, hint.data);
	buf_done(&hint);
}

/* Returns 0, also with a fault, or -ENOMEM. */
static int take_value(struct reading *r, const struct config_key *k, const char *value)
{
	const struct config_origin *before = origin_of(r, k);
	int result = -EINVAL;

	if (before->reading == r->number) {
		fault(r, "%s: it is set in line %d already", k->name, before->line);
		return 0;
	}
	if (is_quoted(value))
		fault(r, "%s: a value stands without quotation marks", k->name);
	else
		result = config_key_set(r->terminal ? (void *)r->terminal : r->config, k, value);
	if (result == -ENOMEM)
		return result;
	if (result < 0 && !is_quoted(value))
		refuse_value(r, k, value);
	return note_origin(r, k, result < 0);
}

/* libinih's handler; its own idea of the section is empty, since it never sees one. */
static int take_setting(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct config_key *k = r->terminal ? config_terminal_key(name)
						 : config_key_find(r->section, name);

	(void)section;
	if (!k)
		refuse_key(r, name);
	else if (take_value(r, k, value) < 0)
		r->error = -ENOMEM;
	return 1;
}

/* As some editors save: by its mark, or since every other byte of its first letters is NUL. */
static bool is_utf16(const char *text, size_t n)
{
	if (n < 2)
		return false;
	return memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
		(text[0] == '\0') != (text[1] == '\0');
}

int config_read(struct config *c, const char *file, const char *text, size_t n, struct buf *faults)
{
	struct reading r = {.config = c,
		.faults = faults,
		.file = file,
		.at = text,
		.end = text + n,
		.number = ++c->readings};
	int failed;

	if (is_utf16(text, n)) {
		config_fault_at(faults, file, 1, "the file is UTF-16: save it as UTF-8");
		return buf_error(faults) == -ENOMEM ? -ENOMEM : 0;
	}
	failed = ini_parse_stream(next_line, &r, take_setting, &r);
	/* Nothing that next_line lets through is known to fail; were it so, it must not pass. */
	if (failed > 0)
		config_fault_at(faults, file, failed, "not to be read");
	/* A fault that found no room is one all the same. */
	return failed < 0 || buf_error(faults) == -ENOMEM ? -ENOMEM : r.error;
}
