/* What people read of the table: the shipped file, and the list of keys in punchd.conf(5). */
#include <ctype.h>

#include "core/config_keys.h"

/* ---- the shipped file */

/* Whether what it may hold is not as good as said by its help. */
static bool has_choice(const struct config_key *k)
{
	return k->type == CONFIG_INT || k->type == CONFIG_DURATION || k->type == CONFIG_SIZE ||
		k->type == CONFIG_CLOCK || (k->type >= CONFIG_PLAN && k->type <= CONFIG_DOUBT);
}

static void example_key(const struct config_key *k, struct buf *out)
{
	buf_addf(out, "# %s", k->help);
	if (has_choice(k)) {
		buf_add_str(out, " (");
		config_key_describe(k, out);
		buf_add_char(out, ')');
	}
	buf_addf(out, "\n;%s =%s%s\n", k->name, k->fallback[0] ? " " : "", k->fallback);
}

void config_example(struct buf *out)
{
	const char *section = "";

	buf_add_str(out,
		"# punchd's settings: punchd.conf(5) explains them. Every key is shown with its "
		"default, commented\n"
		"# out with a semicolon; only the API key itself must be given, in the file that "
		"key_file names.\n"
		"# Files in conf.d beside this one are read after it, in name order, and win.\n"
		"#\n"
		"# punchd -t checks, systemctl reload punchd takes most changes over.\n");
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(section, k->section) != 0)
			buf_addf(out, "\n[%s]\n", k->section);
		section = k->section;
		example_key(k, out);
	}
	config_terminals_example(out);
}

/* ---- the man page */

#define PAGE_COLUMNS 80

/* A word of ASCII, with what mdoc would take for an escape. */
static void add_word(const char *word, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '\\')
			buf_add_str(out, "\\e");
		else
			buf_add_char(out, word[i]);
	}
}

/* Broken into lines, with a full stop. */
static void add_sentence(const char *text, struct buf *out)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > 0 && column + 1 + n >= PAGE_COLUMNS) {
			buf_add_char(out, '\n');
			column = 0;
		} else if (column > 0) {
			buf_add_char(out, ' ');
			column++;
		}
		add_word(text, n, out);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_add_str(out, ".\n");
}

bool config_page_item(size_t i, struct buf *ret_mark, struct buf *out)
{
	const struct config_key *k;
	struct buf words;

	if (i >= config_keys_count + CONFIG_TERMINAL_KEYS)
		return false;
	k = i < config_keys_count ? &config_keys[i] : &config_terminal_keys[i - config_keys_count];
	buf_addf(ret_mark, "[%s] %s", k->section, k->name);
	buf_addf(out, ".It Ic %s", k->name);
	if (i < config_keys_count)
		buf_addf(out, " No =%s%s", k->fallback[0] ? " " : "", k->fallback);
	buf_add_char(out, '\n');
	buf_init(&words, 512);
	buf_addf(&words, "%c%s", toupper((unsigned char)k->help[0]), k->help + 1);
	add_sentence(words.data, out);
	buf_clear(&words);
	config_key_describe(k, &words);
	buf_addf(out, ".Em %s :\n", k->live ? "Live" : "Restart");
	add_sentence(words.data, out);
	buf_done(&words);
	return true;
}
