/* users, devices: the cached directory. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"

#define LIMIT_DEFAULT 50
#define PAGE_MAX      1000

static const char *const user_heads[] = {"ID", "NAME", "EMAIL", "PHONE", "DEPARTMENT", ""};
static const char *const device_heads[] = {
	"SERIAL", "ID", "NAME", "STATUS", "LOCATION", "ONLINE", "LAST PUNCH", ""};
#define USER_COLUMNS   (sizeof user_heads / sizeof user_heads[0])
#define DEVICE_COLUMNS (sizeof device_heads / sizeof device_heads[0])

static void add_gone(struct table *t, const json_t *entry)
{
	bool gone = doc_true(entry, "gone");

	table_add(t, gone ? TINT_WARN : TINT_PLAIN, gone ? "gone" : " ");
}

static void add_user(struct ctl *ctl, struct table *t, const json_t *user)
{
	(void)ctl;
	table_add(t, TINT_PLAIN, doc_text(user, "id"));
	table_add(t, TINT_PLAIN, doc_text(user, "name"));
	table_add(t, TINT_PLAIN, doc_text(user, "email"));
	table_add(t, TINT_PLAIN, doc_text(user, "phone"));
	table_add(t, TINT_PLAIN, doc_text(user, "department"));
	add_gone(t, user);
}

static void add_device(struct ctl *ctl, struct table *t, const json_t *device)
{
	const char *status = doc_text(device, "status");
	char when[TIMES_TEXT_SIZE];

	table_add(t, TINT_PLAIN, doc_text(device, "serial"));
	table_add(t, TINT_PLAIN, doc_text(device, "device_id"));
	table_add(t, TINT_PLAIN, doc_text(device, "name"));
	table_add(t, strcmp(status, "active") == 0 ? TINT_PLAIN : TINT_WARN, status);
	table_add(t, TINT_PLAIN, doc_text(device, "location"));
	if (doc_get(device, "online"))
		table_add(t, TINT_PLAIN, doc_true(device, "online") ? "yes" : "no");
	else
		table_add(t, TINT_PLAIN, NULL);
	table_add(t, TINT_PLAIN, times_show(&ctl->times, doc_text(device, "last_punch"), when));
	add_gone(t, device);
}

static int show_table(struct ctl *ctl, struct table *t, const json_t *data, const char *none,
	void (*add)(struct ctl *ctl, struct table *t, const json_t *entry))
{
	const json_t *entry;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	json_array_foreach(data, i, entry) add(ctl, t, entry);
	if (json_array_size(data) == 0)
		paper_line(&paper, TINT_PLAIN, none);
	else if (table_draw(t, &paper) < 0)
		out.error = -ENOMEM;
	return ctl_show(&out);
}

static int ask(struct ctl *ctl, const char *path, struct answer *ret_answer)
{
	int r = ctl_get(ctl, path, ret_answer);

	if (r == CTL_DONE && !json_is_array(doc_get(ret_answer->document, "data"))) {
		ctl_complain("the answer holds no list: is that punchd?");
		r = CTL_AWAY;
	}
	return r;
}

int run_users(struct ctl *ctl)
{
	int64_t limit = ctl->text[OPTION_LIMIT] ? ctl->number[OPTION_LIMIT] : LIMIT_DEFAULT;
	struct table table;
	struct answer a;
	struct buf path;
	char number[32];
	int r;

	buf_init(&path, 4096);
	buf_add_str(&path, "/v1/users");
	if (ctl->arguments[0])
		client_add_query(&path, "q", ctl->arguments[0]);
	snprintf(number, sizeof number, "%lld",
		(long long)(limit > 0 && limit < PAGE_MAX ? limit : PAGE_MAX));
	client_add_query(&path, "limit", number);
	r = ask(ctl, path.data, &a);
	buf_done(&path);
	table_init(&table, USER_COLUMNS, user_heads);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		r = show_table(ctl, &table, doc_get(a.document, "data"), "no users", add_user);
	if (r == CTL_DONE && !ctl->text[OPTION_JSON] && doc_get(a.document, "meta.next"))
		ctl_complain(
			"there are more: narrow the QUERY, or raise --limit (up to %d)", PAGE_MAX);
	table_done(&table);
	answer_done(&a);
	return r;
}

int run_devices(struct ctl *ctl)
{
	struct table table;
	struct answer a;
	int r = ask(ctl, "/v1/devices", &a);

	table_init(&table, DEVICE_COLUMNS, device_heads);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		r = show_table(ctl, &table, doc_get(a.document, "data"), "no devices", add_device);
	table_done(&table);
	answer_done(&a);
	return r;
}
