#include "daemon/devices.h"

#include <errno.h>

#include "daemon/view.h"
#include "store/store_lobby.h"

/* One line: a device of the cloud's list, or a serial number that it lacks. */
struct line {
	const struct dir_device *device; /* NULL: none */
	json_t *names;                   /* owned: what terminals of it call themselves */
	int64_t held;
	int64_t held_for_device; /* of these, because the device is unknown or not active */
};

struct table {
	struct context *context;
	struct strmap lines; /* by serial */
	int error;
};

static struct line *line_of(struct table *t, const char *serial)
{
	struct line *line = strmap_get(&t->lines, serial);

	if (line || t->error < 0)
		return line;
	line = calloc(1, sizeof *line);
	if (line)
		line->names = json_array();
	if (!line || !line->names || strmap_put(&t->lines, serial, line, NULL) < 0) {
		if (line)
			json_decref(line->names);
		free(line);
		t->error = -ENOMEM;
		return NULL;
	}
	line->device = directory_device(&t->context->directory, serial);
	return line;
}

static bool has_name(const struct line *line, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(line->names, i, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* The line of a terminal, by what it calls itself. */
static struct line *line_of_terminal(struct table *t, const char *name)
{
	struct line *line = line_of(t, context_rules(t->context, name).serial);

	if (line && !has_name(line, name))
		json_array_append_new(line->names, view_words(name));
	return line;
}

static int add_held(void *arg, const struct store_group *g)
{
	struct table *t = arg;
	struct line *line = line_of_terminal(t, g->terminal);

	if (!line)
		return t->error;
	line->held += g->count;
	if (g->reason == REASON_UNKNOWN_DEVICE || g->reason == REASON_INACTIVE_DEVICE)
		line->held_for_device += g->count;
	return 0;
}

static void gather(struct table *t, struct terminals *terminals, bool *ret_more)
{
	const struct directory *d = &t->context->directory;
	const char *name;
	size_t pos = 0;
	int64_t next = 0;
	int r;

	for (const struct dir_device *v = directory_next_device(d, NULL); v;
		v = directory_next_device(d, v))
		line_of(t, v->serial);
	while ((name = terminals_next(terminals, &pos)))
		line_of_terminal(t, name);
	r = t->error < 0 ? t->error : store_lobby_read(t->context->store, 0, add_held, t, &next);
	if (r < 0)
		t->error = r;
	*ret_more = next > 0;
}

/* ---- as JSON */

static const struct dir_device nobody = {"", "", "", "", "", "", ""};

static json_t *line_json(
	struct context *c, struct terminals *t, const char *serial, const struct line *line)
{
	const struct dir_device *v = line->device ? line->device : &nobody;
	json_t *json = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:O, s:I, "
		"s:I}",
		"serial", view_words(serial), "device_id", view_words(v->id), "name",
		view_words(v->name), "type", view_words(v->type), "status", view_words(v->status),
		"location", view_words(v->location), "last_sync",
		view_words(line->device ? directory_device_last_sync(v) : ""), "updated_at",
		view_words(v->updated_at), "known", line->device != NULL, "gone",
		line->device && directory_device_gone(v), "seen", terminals_in_use(t, serial),
		"terminals", line->names, "held", (json_int_t)line->held, "held_for_device",
		(json_int_t)line->held_for_device);

	if (json)
		terminals_seen(t, c, serial, json);
	return json;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted(struct table *table, struct terminals *t)
{
	size_t count = strmap_count(&table->lines), n = 0, pos = 0;
	const char **serials = calloc(count + 1, sizeof *serials);
	json_t *list = json_array();

	if (!serials || !list)
		table->error = -ENOMEM;
	while (serials && n < count && strmap_next(&table->lines, &pos, &serials[n]))
		n++;
	if (serials)
		qsort(serials, n, sizeof *serials, by_text);
	for (size_t i = 0; i < n && list; i++)
		json_array_append_new(list,
			line_json(table->context, t, serials[i],
				strmap_get(&table->lines, serials[i])));
	free(serials);
	return list;
}

json_t *devices_json(struct context *c, struct terminals *t, bool *ret_more, int *ret_error)
{
	struct table table = {.context = c};
	json_t *list = NULL;
	struct line *line;
	size_t pos = 0;

	strmap_init(&table.lines, loop_random(c->loop));
	gather(&table, t, ret_more);
	if (table.error == 0)
		list = sorted(&table, t);
	while ((line = strmap_next(&table.lines, &pos, NULL))) {
		json_decref(line->names);
		free(line);
	}
	strmap_done(&table.lines);
	*ret_error = table.error;
	if (table.error == 0)
		return list;
	json_decref(list);
	return NULL;
}
