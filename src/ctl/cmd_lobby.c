/* lobby: what is held, gathered by what it waits for. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/lobby.h"

#define KEY_CAP 4096

/* A slot is a number of one terminal; and where nobody is the cause, the terminal is what counts. */
static void key_of(struct buf *key, const json_t *group)
{
	const char *who = doc_text(group, "who");

	buf_clear(key);
	buf_addf(key, "%s %s", doc_text(group, "reason"), who);
	if (!who[0] || strncmp(who, "slot:", 5) == 0)
		buf_addf(key, " %s", doc_text(group, "device"));
}

static bool has_text(const json_t *array, const char *text)
{
	const json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		if (strcmp(json_string_value(value), text) == 0)
			return true;
	}
	return false;
}

/* Times are all of one form, so their texts compare as they do. */
static void merge(json_t *into, const json_t *group)
{
	const char *since = doc_text(group, "since"), *newest = doc_text(group, "newest");
	const char *device = doc_text(group, "device");
	json_t *devices = json_object_get(into, "devices");

	json_object_set_new(
		into, "count", json_integer(doc_count(into, "count") + doc_count(group, "count")));
	if (strcmp(since, doc_text(into, "since")) < 0)
		json_object_set_new(into, "since", json_string(since));
	if (strcmp(newest, doc_text(into, "newest")) > 0)
		json_object_set_new(into, "newest", json_string(newest));
	if (!has_text(devices, device))
		json_array_append_new(devices, json_string(device));
}

static json_t *copy_of(const json_t *group)
{
	return json_pack("{s:s, s:O?, s:[s], s:I, s:s, s:s}", "reason", doc_text(group, "reason"),
		"who", doc_get(group, "who"), "devices", doc_text(group, "device"), "count",
		(json_int_t)doc_count(group, "count"), "since", doc_text(group, "since"), "newest",
		doc_text(group, "newest"));
}

static void take_groups(json_t *groups, const json_t *data)
{
	const json_t *group;
	struct buf key;
	size_t i;

	buf_init(&key, KEY_CAP);
	json_array_foreach(data, i, group)
	{
		json_t *there;

		key_of(&key, group);
		there = json_object_get(groups, key.data);
		if (there)
			merge(there, group);
		else
			json_object_set_new(groups, key.data, copy_of(group));
	}
	buf_done(&key);
}

/* All pages into one object of groups. */
static int ask_lobby(struct ctl *ctl, json_t *groups)
{
	int64_t after = 0, next = 0;
	int r;

	do {
		struct answer a;
		char path[64];

		snprintf(path, sizeof path, after ? "/v1/lobby?after=%lld" : "/v1/lobby",
			(long long)after);
		r = ctl_get(ctl, path, &a);
		if (r == CTL_DONE) {
			take_groups(groups, doc_get(a.document, "data"));
			doc_number(a.document, "meta.next", &next);
		}
		answer_done(&a);
		if (r == CTL_DONE && next != 0 && next <= after) {
			ctl_complain("the pages of the lobby do not lead on: is that punchd?");
			r = CTL_AWAY;
		}
		after = next;
	} while (r == CTL_DONE && next > 0);
	return r;
}

/* Most first; then the oldest. */
static int by_count(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int64_t n = doc_count(x, "count"), m = doc_count(y, "count");

	return n != m ? (n < m ? 1 : -1) : strcmp(doc_text(x, "since"), doc_text(y, "since"));
}

/* A new array; NULL without memory. */
static json_t *sorted(json_t *groups)
{
	json_t **all = calloc(json_object_size(groups) + 1, sizeof(*all)), *list = json_array();
	json_t *group;
	const char *key;
	size_t n = 0;

	if (!all || !list) {
		free(all);
		json_decref(list);
		return NULL;
	}
	json_object_foreach(groups, key, group) all[n++] = group;
	qsort(all, n, sizeof(*all), by_count);
	for (size_t i = 0; i < n; i++)
		json_array_append(list, all[i]);
	free(all);
	return list;
}

static void add_devices(struct table *t, const json_t *devices)
{
	const char *first = json_string_value(json_array_get(devices, 0));

	if (json_array_size(devices) == 1)
		table_add(t, TINT_PLAIN, first);
	else
		table_addf(t, TINT_PLAIN, "%s and %zu more", first, json_array_size(devices) - 1);
}

static int draw(struct ctl *ctl, const json_t *list)
{
	static const char *const heads[] = {
		"WHO", "TERMINAL", "WAITS FOR", "PUNCHES", "SINCE", "NEWEST"};
	char when[TIMES_TEXT_SIZE];
	const json_t *group;
	struct table table;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	table_init(&table, sizeof heads / sizeof heads[0], heads);
	json_array_foreach(list, i, group)
	{
		table_add(&table, TINT_BOLD, doc_text(group, "who"));
		add_devices(&table, doc_get(group, "devices"));
		table_add(&table, TINT_PLAIN, doc_text(group, "reason"));
		table_addf(&table, TINT_PLAIN, "%lld", (long long)doc_count(group, "count"));
		table_add(&table, TINT_PLAIN,
			times_show(&ctl->times, doc_text(group, "since"), when));
		table_add(&table, TINT_PLAIN,
			times_show(&ctl->times, doc_text(group, "newest"), when));
	}
	if (json_array_size(list) == 0)
		buf_add_str(&out, "nothing waits\n");
	else if (table_draw(&table, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&table);
	return ctl_show(&out);
}

static int show(struct ctl *ctl, json_t *list)
{
	json_t *document;
	int r;

	if (!ctl->text[OPTION_JSON])
		return draw(ctl, list);
	document = json_pack("{s:O}", "data", list);
	r = ctl_show_value(ctl, document);
	json_decref(document);
	return r;
}

int lobby_ask(struct ctl *ctl, json_t **ret_list)
{
	json_t *groups = json_object();
	int r = ask_lobby(ctl, groups);

	*ret_list = r == CTL_DONE ? sorted(groups) : NULL;
	if (r == CTL_DONE && !*ret_list) {
		ctl_complain("%s", strerror(ENOMEM));
		r = CTL_REFUSED;
	}
	json_decref(groups);
	return r;
}

int run_lobby(struct ctl *ctl)
{
	json_t *list;
	int r = lobby_ask(ctl, &list);

	if (r == CTL_DONE)
		r = show(ctl, list);
	json_decref(list);
	return r;
}
