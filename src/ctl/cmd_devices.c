/* devices: what the cloud has, what punchd saw, and what the one lacks of the other. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/overview.h"

#define ABOUT_CAP 1024

/* Joins what there is to say. */
static void __attribute__((format(printf, 2, 3))) add_word(struct buf *out, const char *format, ...)
{
	va_list ap;

	buf_add_str(out, out->len ? "; " : "");
	va_start(ap, format);
	buf_vaddf(out, format, ap);
	va_end(ap);
}

/* `as 005a…, 005b…`: where terminals call themselves otherwise than the cloud does. */
static void add_names(struct buf *out, const json_t *device)
{
	const json_t *names = doc_get(device, "terminals"), *name;
	const char *serial = doc_text(device, "serial"), *before = "as ";
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (!json_is_string(name) || strcmp(json_string_value(name), serial) == 0)
			continue;
		if (before[0] == 'a' && out->len)
			buf_add_str(out, "; ");
		buf_addf(out, "%s%s", before, json_string_value(name));
		before = ", ";
	}
}

static void add_about(struct buf *out, const struct ctl *ctl, const json_t *device)
{
	const char *last_sync = doc_text(device, "last_sync");
	char when[TIMES_TEXT_SIZE];
	int64_t pending;

	if (!doc_true(device, "known"))
		add_word(out,
			"unknown to the cloud: register a device with this serial number "
			"there");
	else if (doc_true(device, "gone"))
		add_word(out, "gone from the cloud's list");
	else if (!doc_true(device, "seen"))
		add_word(out, "no terminal ever came by this serial number");
	add_names(out, device);
	if (doc_number(device, "pending", &pending) && pending > 0)
		add_word(out, "keeps %lld punches", (long long)pending);
	if (last_sync[0])
		add_word(out, "in the cloud's eyes %s", times_ago(&ctl->times, last_sync, when));
}

static void add_held(struct table *t, const json_t *device)
{
	int64_t held = doc_count(device, "held");

	if (held > 0)
		table_addf(t, TINT_WARN, "%lld", (long long)held);
	else
		table_add(t, TINT_PLAIN, NULL);
}

static void add_online(struct table *t, const json_t *device)
{
	const json_t *online = doc_get(device, "online");

	table_add(t, json_is_false(online) ? TINT_WARN : TINT_PLAIN,
		!online                        ? NULL
			: json_is_true(online) ? "yes"
					       : "no");
}

static void add_device(const struct ctl *ctl, struct table *t, const json_t *device)
{
	const char *status = doc_text(device, "status");
	bool fine = doc_true(device, "known") && !doc_true(device, "gone");
	char when[TIMES_TEXT_SIZE];
	struct buf about;

	buf_init(&about, ABOUT_CAP);
	add_about(&about, ctl, device);
	table_add(t, fine ? TINT_BOLD : TINT_WARN, doc_text(device, "serial"));
	table_add(t, TINT_PLAIN, doc_text(device, "device_id"));
	table_add(t, TINT_PLAIN, doc_text(device, "name"));
	table_add(t, TINT_PLAIN, doc_text(device, "type"));
	table_add(t, strcmp(status, "active") == 0 ? TINT_PLAIN : TINT_WARN, status);
	table_add(t, TINT_PLAIN, doc_text(device, "location"));
	add_online(t, device);
	table_add(t, TINT_PLAIN, times_show(&ctl->times, doc_text(device, "last_seen"), when));
	table_add(t, TINT_PLAIN, times_show(&ctl->times, doc_text(device, "last_punch"), when));
	overview_skew(t, device);
	add_held(t, device);
	table_add(t, fine ? TINT_PLAIN : TINT_WARN, about.data);
	buf_done(&about);
}

static int draw(struct ctl *ctl, const json_t *data)
{
	static const char *const heads[] = {"SERIAL", "ID", "NAME", "TYPE", "STATUS", "LOCATION",
		"ONLINE", "LAST SEEN", "LAST PUNCH", "CLOCK OFF", "HELD", "ABOUT"};
	const json_t *device;
	struct table table;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	table_init(&table, sizeof heads / sizeof heads[0], heads);
	json_array_foreach(data, i, device) add_device(ctl, &table, device);
	if (json_array_size(data) == 0)
		paper_line(&paper, TINT_PLAIN, "no devices");
	else if (table_draw(&table, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&table);
	return ctl_show(&out);
}

int run_devices(struct ctl *ctl)
{
	struct answer a;
	int r = ctl_get(ctl, "/v1/devices", &a);

	if (r == CTL_DONE && !json_is_array(doc_get(a.document, "data"))) {
		ctl_complain("the answer holds no list: is that punchd?");
		r = CTL_AWAY;
	} else if (r == CTL_DONE && ctl->text[OPTION_JSON]) {
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	} else if (r == CTL_DONE) {
		r = draw(ctl, doc_get(a.document, "data"));
		if (doc_true(a.document, "meta.held_more"))
			ctl_complain("more is held than was counted here: punchctl lobby has it "
				     "all");
	}
	answer_done(&a);
	return r;
}
