#include "core/config_terminals.h"

#include <errno.h>
#include <stdlib.h>

#include "core/config_keys.h"
#include "core/rules.h"

#define AT(m) offsetof(struct config_terminal, m)

const struct config_key config_terminal_keys[CONFIG_TERMINAL_KEYS] = {
	{"terminal", "serial", CONFIG_TEXT, AT(serial), "", 0, 0, true,
		"its serial_number in the cloud; default the section's name"},
	{"terminal", "time_zone", CONFIG_TEXT, AT(time_zone), "", 0, 0, true,
		"IANA name of the zone of local times that it sends; default the site's"},
	{"terminal", "direction", CONFIG_DIRECTION, AT(direction), "", 0, DIRECTION_HOLD, true,
		"where it does not say which way a punch goes; default as in [punches]"},
	{"terminal", "double_tap", CONFIG_DURATION, AT(double_tap_ms), "", 0, CONFIG_WEEK_MS, true,
		"a second punch of the same user within this time is suppressed; default as its "
		"profile says, or [punches]"},
};

const struct config_key *config_terminal_key(const char *name)
{
	for (size_t i = 0; i < CONFIG_TERMINAL_KEYS; i++) {
		if (strcmp(config_terminal_keys[i].name, name) == 0)
			return &config_terminal_keys[i];
	}
	return NULL;
}

const struct config_origin *config_terminal_origin(
	const struct config_terminal *one, const char *name)
{
	return &one->origins[config_terminal_key(name) - config_terminal_keys];
}

static void terminal_free(struct config_terminal *one)
{
	if (!one)
		return;
	free(one->serial);
	free(one->time_zone);
	for (size_t i = 0; i < CONFIG_TERMINAL_KEYS; i++)
		free(one->origins[i].file);
	free(one);
}

static struct config_terminal *terminal_new(void)
{
	struct config_terminal *one = calloc(1, sizeof *one);

	if (!one)
		return NULL;
	one->direction = one->double_tap_ms = -1;
	one->serial = strdup("");
	one->time_zone = strdup("");
	if (one->serial && one->time_zone)
		return one;
	terminal_free(one);
	return NULL;
}

void config_terminals_init(struct config_terminals *t)
{
	/* Whoever writes the settings may choose what collides. */
	strmap_init(&t->by_name, 0);
}

void config_terminals_done(struct config_terminals *t)
{
	struct config_terminal *one;
	size_t pos = 0;

	while ((one = strmap_next(&t->by_name, &pos, NULL)))
		terminal_free(one);
	strmap_done(&t->by_name);
}

const struct config_terminal *config_terminals_find(
	const struct config_terminals *t, const char *name)
{
	return strmap_get(&t->by_name, name);
}

int config_terminals_make(
	struct config_terminals *t, const char *name, struct config_terminal **ret)
{
	*ret = strmap_get(&t->by_name, name);
	if (*ret)
		return 0;
	if (strmap_count(&t->by_name) >= CONFIG_TERMINALS_MAX)
		return -EDQUOT;
	*ret = terminal_new();
	if (!*ret)
		return -ENOMEM;
	if (strmap_put(&t->by_name, name, *ret, NULL) == 0)
		return 0;
	terminal_free(*ret);
	*ret = NULL;
	return -ENOMEM;
}

const struct config_terminal *config_terminals_next(
	const struct config_terminals *t, size_t *pos, const char **ret_name)
{
	return strmap_next(&t->by_name, pos, ret_name);
}

/* ---- printing */

static bool is_set(const struct config_terminal *one, const struct config_key *k)
{
	if (config_key_is_text(k))
		return (*config_key_text(one, k))[0] != '\0';
	return *(const int64_t *)((uintptr_t)one + k->offset) >= 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_one(const struct config_terminals *t, const char *name, struct buf *out,
	void (*print)(const char *name, const char *value, struct buf *out))
{
	const struct config_terminal *one = config_terminals_find(t, name);
	struct buf value;

	buf_init(&value, CONFIG_LINE_MAX);
	buf_addf(out, "\n[terminal \"%s\"]\n", name);
	for (size_t i = 0; i < CONFIG_TERMINAL_KEYS; i++) {
		const struct config_key *k = &config_terminal_keys[i];

		if (!is_set(one, k))
			continue;
		buf_clear(&value);
		config_key_print(one, k, &value);
		print(k->name, value.data, out);
	}
	buf_done(&value);
}

void config_terminals_print(const struct config_terminals *t, struct buf *out,
	void (*print)(const char *name, const char *value, struct buf *out))
{
	size_t count = strmap_count(&t->by_name), n = 0, pos = 0;
	const char **names = calloc(count + 1, sizeof *names);

	while (names && n < count && strmap_next(&t->by_name, &pos, &names[n]))
		n++;
	if (names)
		qsort(names, n, sizeof *names, by_text);
	for (size_t i = 0; i < n; i++)
		print_one(t, names[i], out, print);
	free(names);
}

void config_terminals_example(struct buf *out)
{
	static const char *const values[CONFIG_TERMINAL_KEYS] = {
		"BIO-FP-001", "Europe/Berlin", "check_in", "300s"};

	buf_add_str(out,
		"\n# One section a terminal that needs one; the name is what the terminal calls "
		"itself.\n#[terminal \"005a213b000b93cc\"]\n");
	for (size_t i = 0; i < CONFIG_TERMINAL_KEYS; i++) {
		const struct config_key *k = &config_terminal_keys[i];

		buf_addf(out, "# %s\n#%s = %s\n", k->help, k->name, values[i]);
	}
}
