/* trace: one punch and its history. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/overview.h"

#define VALUE_CAP (128 * 1024)

/* ---- any value, on one line: `text`, `7`, `yes`, `key=value …` */

static void add_value(struct buf *out, const json_t *value);

static void add_members(struct buf *out, const json_t *object, const char *const *without)
{
	const char *key, *gap = "";
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *skip = without;

		while (*skip && strcmp(*skip, key) != 0)
			skip++;
		if (*skip || json_is_null(value))
			continue;
		buf_addf(out, "%s%s=", gap, key);
		add_value(out, value);
		gap = " ";
	}
}

static void add_elements(struct buf *out, const json_t *array)
{
	const json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		buf_add_str(out, i ? ", " : "");
		add_value(out, value);
	}
}

static void add_value(struct buf *out, const json_t *value)
{
	static const char *const nothing[] = {NULL};

	switch (json_typeof(value)) {
	case JSON_OBJECT: add_members(out, value, nothing); break;
	case JSON_ARRAY: add_elements(out, value); break;
	case JSON_STRING: buf_add(out, json_string_value(value), json_string_length(value)); break;
	case JSON_INTEGER: buf_addf(out, "%lld", (long long)json_integer_value(value)); break;
	case JSON_REAL: buf_addf(out, "%g", json_real_value(value)); break;
	case JSON_TRUE: buf_add_str(out, "yes"); break;
	case JSON_FALSE: buf_add_str(out, "no"); break;
	case JSON_NULL: break;
	}
}

/* ---- the punch */

static bool is_time(const char *key)
{
	return strcmp(key, "time") == 0 || strcmp(key, "received") == 0;
}

static void add_punch(struct table *t, const json_t *punch, const struct times *times)
{
	const char *key;
	char when[TIMES_TEXT_SIZE];
	json_t *value;
	struct buf text;

	buf_init(&text, VALUE_CAP);
	json_object_foreach((json_t *)punch, key, value)
	{
		enum tint tint = TINT_PLAIN;

		if (strcmp(key, "trace") == 0)
			continue;
		buf_clear(&text);
		if (is_time(key) && json_is_string(value))
			buf_add_str(&text, times_show(times, json_string_value(value), when));
		else
			add_value(&text, value);
		if (strcmp(key, "state") == 0)
			tint = overview_punch_tint(text.data);
		table_add(t, TINT_BOLD, key);
		table_add_bytes(t, tint, text.data, text.len);
	}
	buf_done(&text);
}

static void add_trace(struct table *t, const json_t *trace, const struct times *times)
{
	static const char *const shown[] = {"at", "event", NULL};
	char when[TIMES_TEXT_SIZE];
	const json_t *entry;
	struct buf text;
	size_t i;

	buf_init(&text, VALUE_CAP);
	json_array_foreach(trace, i, entry)
	{
		buf_clear(&text);
		add_members(&text, entry, shown);
		table_add(t, TINT_PLAIN, times_show(times, doc_text(entry, "at"), when));
		table_add(t, TINT_BOLD, doc_text(entry, "event"));
		table_add_bytes(t, TINT_PLAIN, text.data, text.len);
	}
	buf_done(&text);
}

static int draw(struct ctl *ctl, const json_t *punch)
{
	static const char *const heads[] = {"AT", "EVENT", "WHAT"};
	struct table facts, trace;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);

	table_init(&facts, 2, NULL);
	table_init(&trace, 3, heads);
	add_punch(&facts, punch, &ctl->times);
	add_trace(&trace, doc_get(punch, "trace"), &ctl->times);
	if (table_draw(&facts, &paper) < 0)
		out.error = -ENOMEM;
	buf_add_char(&out, '\n');
	if (table_draw(&trace, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&trace);
	table_done(&facts);
	return ctl_show(&out);
}

int run_trace(struct ctl *ctl)
{
	struct answer a;
	struct buf path;
	int r;

	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/punches/");
	client_add_part(&path, ctl->arguments[0]);
	r = ctl_get(ctl, path.data, &a);
	buf_done(&path);
	if (r == CTL_DONE && !json_is_object(doc_get(a.document, "data"))) {
		ctl_complain("the answer holds no punch: is that punchd?");
		r = CTL_AWAY;
	} else if (r == CTL_DONE) {
		r = ctl->text[OPTION_JSON] ? ctl_show_json(ctl, a.body.data, a.body.len)
					   : draw(ctl, doc_get(a.document, "data"));
	}
	answer_done(&a);
	return r;
}
