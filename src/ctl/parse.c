#include "ctl/parse.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ctl/pages.h"

#define TEXT_MAX 512

/* Arguments not yet read. */
struct words {
	char **next;
	bool no_options; /* behind `--` */
};

static int wrong_usage(const struct ctl *ctl)
{
	pages_usage(stderr, ctl->command);
	return CTL_USAGE;
}

/* ---- values */

static bool is_word(const char *words, const char *value)
{
	size_t length = strlen(value), n;

	for (; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == length && strncmp(words, value, n) == 0)
			return true;
	}
	return false;
}

static bool read_value(struct ctl *ctl, enum option option)
{
	const struct option_row *row = &ctl_options[option];
	const char *text = ctl->text[option];
	int64_t *number = &ctl->number[option];

	switch (row->kind) {
	case KIND_FLAG: return true;
	case KIND_TEXT:
	case KIND_HINT: return text[0] && strlen(text) <= TEXT_MAX && utf8_valid(text);
	case KIND_PATH: return text[0];
	case KIND_WORD: return is_word(row->words, text);
	case KIND_NUMBER:
		return units_parse_int(text, number) == 0 && *number >= row->min &&
			*number <= row->max;
	case KIND_DURATION:
		return units_parse_duration(text, number) == 0 && *number >= row->min &&
			*number <= row->max;
	case KIND_FROM: return times_read(&ctl->times, text, TIMES_FROM, number) == 0;
	case KIND_TO: return times_read(&ctl->times, text, TIMES_TO, number) == 0;
	}
	return false;
}

static const char *what_fits(enum option_kind kind)
{
	switch (kind) {
	case KIND_FLAG: return "nothing";
	case KIND_TEXT:
	case KIND_HINT: return "a text of 1 to 512 bytes";
	case KIND_PATH: return "a path";
	case KIND_WORD: return "one of these words";
	case KIND_NUMBER: return "a whole number that is in range";
	case KIND_DURATION: return "a duration that is in range, such as 500ms, 30s or 5m";
	case KIND_FROM:
	case KIND_TO: return "a time such as 2026-02-01T08:00:00Z, 2026-02-01, 2h or 7d";
	}
	return "";
}

/* Values are read when all options are known, since --utc decides what a date is. */
static int read_values(struct ctl *ctl)
{
	for (int o = OPTION_NONE + 1; o < OPTIONS_; o++) {
		const struct option_row *row = &ctl_options[o];

		if (!ctl->text[o] || read_value(ctl, (enum option)o))
			continue;
		ctl_complain("--%s takes %s%s%s, not \"%s\"", row->name, what_fits(row->kind),
			row->kind == KIND_WORD ? ": " : "",
			row->kind == KIND_WORD ? row->words : "", ctl->text[o]);
		return wrong_usage(ctl);
	}
	return CTL_DONE;
}

/* ---- words */

static int no_option(const struct ctl *ctl, const char *word)
{
	int length = (int)strcspn(word, "=");

	if (ctl->command)
		ctl_complain("%s has no option %.*s", ctl->command->name, length, word);
	else
		ctl_complain("there is no option %.*s before a command", length, word);
	return wrong_usage(ctl);
}

static int take_option(struct ctl *ctl, const char *word, struct words *words)
{
	const char *name = word + 2, *value = strchr(name, '=');
	enum option option = option_find(ctl->command, name, (int)strcspn(name, "="));
	bool flag = !ctl_options[option].argument;

	if (option == OPTION_NONE)
		return no_option(ctl, word);
	if (flag && value) {
		ctl_complain("--%s takes no value", ctl_options[option].name);
		return wrong_usage(ctl);
	}
	if (flag)
		value = "";
	else if (value)
		value++;
	else
		value = *words->next ? *words->next++ : NULL;
	if (!value) {
		ctl_complain(
			"--%s needs %s", ctl_options[option].name, ctl_options[option].argument);
		return wrong_usage(ctl);
	}
	ctl->text[option] = value;
	return CTL_DONE;
}

static int take_argument(struct ctl *ctl, const char *word)
{
	int n = 0, length;

	while (n < COMMAND_ARGUMENTS_MAX && ctl->arguments[n])
		n++;
	if (n == COMMAND_ARGUMENTS_MAX)
		ctl_complain("%s takes %d at most", ctl->command->name, n);
	else if (!command_argument(ctl->command, n, &length) && !command_repeats(ctl->command))
		ctl_complain("%s takes %s, not \"%s\" as well", ctl->command->name,
			ctl->command->argument, word);
	else if (!word[0] || strlen(word) > TEXT_MAX || !utf8_valid(word))
		ctl_complain("%s: a text of 1 to 512 bytes each", ctl->command->argument);
	else {
		ctl->arguments[n] = word;
		return CTL_DONE;
	}
	return wrong_usage(ctl);
}

static int take_plain(struct ctl *ctl, const char *word)
{
	if (!ctl->command) {
		ctl->command = command_find(word);
		if (ctl->command)
			return CTL_DONE;
		ctl_complain("there is no command \"%s\"", word);
	} else if (!ctl->command->argument) {
		ctl_complain("%s takes no \"%s\"", ctl->command->name, word);
	} else {
		return take_argument(ctl, word);
	}
	return wrong_usage(ctl);
}

static int take_word(struct ctl *ctl, const char *word, struct words *words)
{
	if (words->no_options || word[0] != '-')
		return take_plain(ctl, word);
	if (strcmp(word, "--") == 0) {
		words->no_options = true;
		return CTL_DONE;
	}
	if (strcmp(word, "-h") == 0)
		word = "--help";
	else if (strcmp(word, "-V") == 0)
		word = "--version";
	else if (strcmp(word, "-o") == 0)
		word = "--output";
	if (word[1] != '-')
		return no_option(ctl, word);
	return take_option(ctl, word, words);
}

static int check_complete(const struct ctl *ctl)
{
	const char *word;
	int length;

	if (!ctl->command) {
		ctl_complain("no command is given");
		return wrong_usage(ctl);
	}
	for (int n = 0; (word = command_argument(ctl->command, n, &length)); n++) {
		if (word[0] == '[' || ctl->arguments[n])
			continue;
		ctl_complain("%s needs %.*s", ctl->command->name, length, word);
		return wrong_usage(ctl);
	}
	return CTL_DONE;
}

int parse_arguments(int argc, char **argv, struct ctl *ctl)
{
	struct words words = {.next = argv + (argc > 0)};
	int r = CTL_DONE;

	while (r == CTL_DONE && *words.next) {
		const char *word = *words.next++;

		r = take_word(ctl, word, &words);
	}
	ctl->times.utc = ctl->text[OPTION_UTC] != NULL;
	if (r != CTL_DONE || ctl->text[OPTION_HELP] || ctl->text[OPTION_VERSION])
		return r;
	r = check_complete(ctl);
	return r == CTL_DONE ? read_values(ctl) : r;
}
