#include "core/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>

#include "base/utf8.h"
#include "core/config_keys.h"
#include "core/punch.h"

/* Where a key's value was read, for faults that show only at the end. */
struct config_origin {
	char *file; /* owned; NULL: the default stands */
	int line;
	bool refused; /* what stands there was at fault: the value is an earlier one */
};

/* One file on its way through libinih, which is given one checked line at a time. */
struct reading {
	struct config *config;
	struct buf *faults;
	const char *file;
	const char *at, *end;
	int line;
	char section[64];
	bool section_known;
	struct config_terminal *terminal; /* whose section it is; NULL: another one */
	int error;
};

/* Append a line to the faults. What it quotes is a person's: without control characters. */
static void __attribute__((format(printf, 4, 5)))
add_fault(struct buf *faults, const char *file, int line, const char *format, ...)
{
	size_t from = faults->len;
	va_list ap;

	if (file)
		buf_addf(faults, "%s:%d: ", file, line);
	va_start(ap, format);
	buf_vaddf(faults, format, ap);
	va_end(ap);
	for (size_t i = from; i < faults->len; i++) {
		if ((unsigned char)faults->data[i] < ' ' || faults->data[i] == 0x7f)
			faults->data[i] = '?';
	}
	buf_add_char(faults, '\n');
}

#define fault(r, ...) add_fault((r)->faults, (r)->file, (r)->line, __VA_ARGS__)

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
	for (const char *s = name; *s; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	}
	return name[0] && strlen(name) <= TERMINAL_MAX && utf8_valid(name);
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

static void enter_section(struct reading *r, const char *line)
{
	size_t n = strcspn(line + 1, "]");

	r->section_known = false;
	r->terminal = NULL;
	if (strncmp(line + 1, "terminal", 8) == 0 && strchr(" \t\"]", line[9])) {
		snprintf(r->section, sizeof r->section, "terminal");
		enter_terminal(r, line + 9);
		return;
	}
	snprintf(r->section, sizeof r->section, "%.*s", (int)n, line + 1);
	if (line[1 + n] != ']' || !nothing_follows(line + n + 2))
		fault(r, "a section ends with ] and nothing else");
	else if (!config_section_exists(r->section))
		fault(r, "there is no section [%s]", r->section);
	else
		r->section_known = true;
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
		fault(r, "neither a section nor a setting `key = value`");
		return false;
	}
	if (r->section[0] == '\0') {
		fault(r, "a setting before the first section");
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

	if (line == r->end)
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

static int note_origin(struct reading *r, const struct config_key *k, bool refused)
{
	struct config_origin *origin = &r->config->origins[k - config_keys];
	char *file = strdup(r->file);

	if (!file)
		return -ENOMEM;
	free(origin->file);
	*origin = (struct config_origin){.file = file, .line = r->line, .refused = refused};
	return 0;
}

static void refuse_value(struct reading *r, const struct config_key *k, const char *value)
{
	struct buf wanted;

	if (k->type == CONFIG_URL && strncmp(value, "http://", 7) == 0) {
		fault(r, "%s: the API is reached over https only, not `%s`", k->name, value);
		return;
	}
	buf_init(&wanted, 256);
	config_key_describe(k, &wanted);
	if (k->type == CONFIG_PROXY) /* it may hold a password, and faults are logged */
		fault(r, "%s: what stands there is not %s", k->name, wanted.data);
	else
		fault(r, "%s: `%s` is not %s", k->name, value, wanted.data);
	buf_done(&wanted);
}

/* Where a terminal's zone was read, for the fault that only the machine can tell. */
static int note_zone(struct reading *r)
{
	struct config_terminal *t = r->terminal;

	free(t->file);
	t->file = strdup(r->file);
	t->line = r->line;
	return t->file ? 0 : -ENOMEM;
}

/* libinih's handler; its own idea of the section is empty, since it never sees one. */
static int take_setting(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct config_key *k = r->terminal ? config_terminal_key(name)
						 : config_key_find(r->section, name);
	int result, noted = 0;

	(void)section;
	if (!k) {
		fault(r, "there is no key `%s` in [%s]", name, r->section);
		return 1;
	}
	result = config_key_set(r->terminal ? (void *)r->terminal : r->config, k, value);
	if (result < 0 && result != -ENOMEM)
		refuse_value(r, k, value);
	if (result != -ENOMEM)
		noted = !r->terminal                     ? note_origin(r, k, result < 0)
			: strcmp(name, "time_zone") == 0 ? note_zone(r)
							 : 0;
	if (result == -ENOMEM || noted < 0)
		r->error = -ENOMEM;
	return 1;
}

int config_read(struct config *c, const char *file, const char *text, size_t n, struct buf *faults)
{
	struct reading r = {
		.config = c, .faults = faults, .file = file, .at = text, .end = text + n};
	int failed = ini_parse_stream(next_line, &r, take_setting, &r);

	/* Nothing that next_line lets through is known to fail; were it so, it must not pass. */
	if (failed > 0)
		add_fault(faults, file, failed, "not to be read");
	/* A fault that found no room is one all the same. */
	return failed < 0 || buf_error(faults) == -ENOMEM ? -ENOMEM : r.error;
}

static const struct config_origin *origin_of(
	const struct config *c, const char *section, const char *name)
{
	return &c->origins[config_key_find(section, name) - config_keys];
}

void config_fault(const struct config *c, const char *section, const char *name, struct buf *faults,
	const char *format, ...)
{
	const struct config_origin *at = origin_of(c, section, name);
	char message[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	if (at->file)
		add_fault(faults, at->file, at->line, "%s: %s", name, message);
	else
		add_fault(faults, NULL, 0, "[%s] %s: %s", section, name, message);
}

/* The defaults agree, so a person set one of the two. */
static void check_retry(const struct config *c, struct buf *faults)
{
	const struct config_origin *min = origin_of(c, "api", "retry_min");

	if (c->api.retry_min_ms <= c->api.retry_max_ms || min->refused ||
		origin_of(c, "api", "retry_max")->refused)
		return;
	if (min->file)
		config_fault(c, "api", "retry_min", faults, "is longer than retry_max");
	else
		config_fault(c, "api", "retry_max", faults, "is shorter than retry_min");
}

/* A value that was refused contradicts nothing: its fault is told already. */
void config_check(const struct config *c, struct buf *faults)
{
	check_retry(c, faults);
	if (c->mqtt.password_file[0] && !c->mqtt.username[0] &&
		!origin_of(c, "mqtt", "username")->refused)
		config_fault(c, "mqtt", "password_file", faults,
			"without username: MQTT 3.1.1 has no such login");
	if (!c->mqtt.host[0])
		config_fault(c, "mqtt", "host", faults, "is empty");
	if (strpbrk(c->site.name, "/+#"))
		config_fault(c, "site", "name", faults, "is a level of a topic: without / + #");
}

/* ---- life and printing */

int config_init(struct config *c)
{
	*c = (struct config){.origins = NULL};
	config_terminals_init(&c->terminals);
	c->origins = calloc(config_keys_count, sizeof *c->origins);
	if (!c->origins)
		return -ENOMEM;
	for (size_t i = 0; i < config_keys_count; i++) {
		if (config_key_set(c, &config_keys[i], config_keys[i].fallback) < 0) {
			config_done(c);
			return -ENOMEM;
		}
	}
	return 0;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (c->origins)
			free(c->origins[i].file);
		if (config_key_is_text(k)) {
			free(*config_key_text(c, k));
			*config_key_text(c, k) = NULL;
		}
	}
	free(c->origins);
	c->origins = NULL;
	config_terminals_done(&c->terminals);
}

static void print_section(const struct config_key *k, const char **last, struct buf *out)
{
	if (*last && strcmp(*last, k->section) == 0)
		return;
	buf_addf(out, "%s[%s]\n", *last ? "\n" : "", k->section);
	*last = k->section;
}

/* Blanks around the `=` where they do no harm: before a leading `;` they would make a comment of
 * the value, and a line has a cap. */
static void print_setting(const char *name, const char *value, struct buf *out)
{
	bool roomy = value[0] != ';' && strlen(name) + 3 + strlen(value) <= CONFIG_LINE_MAX;

	buf_addf(out, roomy ? "%s = %s\n" : "%s=%s\n", name, value);
}

void config_print(const struct config *c, struct buf *out)
{
	const char *last = NULL;
	struct buf value;

	buf_init(&value, CONFIG_LINE_MAX);
	for (size_t i = 0; i < config_keys_count; i++) {
		print_section(&config_keys[i], &last, out);
		buf_clear(&value);
		config_key_print(c, &config_keys[i], &value);
		print_setting(config_keys[i].name, value.data, out);
	}
	buf_done(&value);
	config_terminals_print(&c->terminals, out, print_setting);
}

void config_example(struct buf *out)
{
	const char *last = NULL;

	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		print_section(k, &last, out);
		buf_addf(out, "# %s\n;%s = %s\n", k->help, k->name, k->fallback);
	}
	buf_add_str(out,
		"\n# One section a terminal that needs one; the name is what the terminal calls "
		"itself.\n"
		"#[terminal \"005a213b000b93cc\"]\n"
		"# its serial_number in the cloud, default the section's name\n"
		"#serial = BIO-FP-001\n"
		"# as in [site] and [punches]\n"
		"#time_zone = Europe/Berlin\n"
		"#direction = check_in\n"
		"#double_tap = 300s\n");
}

void config_restart_keys(const struct config *now, const struct config *wanted, struct buf *out)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (!k->live && !config_key_same(now, wanted, k))
			buf_addf(out, "%s[%s] %s", out->len ? " " : "", k->section, k->name);
	}
}

void config_take_live(struct config *now, struct config *wanted)
{
	struct config_terminals terminals = now->terminals;

	for (size_t i = 0; i < config_keys_count; i++) {
		struct config_origin origin = now->origins[i];

		if (!config_keys[i].live)
			continue;
		config_key_swap(now, wanted, &config_keys[i]);
		now->origins[i] = wanted->origins[i];
		wanted->origins[i] = origin;
	}
	now->terminals = wanted->terminals;
	wanted->terminals = terminals;
}
