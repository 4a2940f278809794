/* Where the cloud's report and this gateway's own differ: person by person, figure by figure. */
#include <math.h>

#include "base/strmap.h"
#include "ctl/doc.h"
#include "ctl/report.h"

#define COLUMNS    5
#define VALUE_SIZE 64
#define HUNDREDTH  0.005 /* percentages have two places */

struct comparison {
	struct table table;
	json_t *list; /* for --json */
	size_t count;
	const char *id, *name; /* whose figures are looked at */
};

/* A value in a word; JSON null, and what is missing, as "". */
static const char *word_of(const json_t *value, char ret[static VALUE_SIZE])
{
	ret[0] = '\0';
	if (json_is_string(value))
		snprintf(ret, VALUE_SIZE, "%.60s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(ret, VALUE_SIZE, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(ret, VALUE_SIZE, "%.2f", json_real_value(value));
	return ret;
}

static bool same(const json_t *a, const json_t *b)
{
	bool a_none = !a || json_is_null(a), b_none = !b || json_is_null(b);

	if (a_none || b_none)
		return a_none && b_none;
	if (json_is_number(a) && json_is_number(b))
		return fabs(json_number_value(a) - json_number_value(b)) < HUNDREDTH;
	return json_equal(a, b);
}

static void differ(struct comparison *c, const char *field, const json_t *cloud, const json_t *own)
{
	char a[VALUE_SIZE], b[VALUE_SIZE];
	/* A copy: jansson takes a reference, and these are borrowed. */
	json_t *left = cloud ? json_deep_copy(cloud) : json_null();
	json_t *right = own ? json_deep_copy(own) : json_null();

	c->count++;
	json_array_append_new(c->list,
		json_pack("{s:s, s:s, s:o, s:o}", "id", c->id, "field", field, "cloud", left,
			"local", right));
	table_add(&c->table, TINT_PLAIN, c->id);
	table_add(&c->table, TINT_PLAIN, c->name);
	table_add(&c->table, TINT_PLAIN, field);
	table_add(&c->table, TINT_PLAIN, word_of(cloud, a));
	table_add(&c->table, TINT_PLAIN, word_of(own, b));
}

static void compare_fields(
	struct comparison *c, const json_t *cloud, const json_t *own, const char *const *fields)
{
	for (; *fields; fields++) {
		const json_t *a = doc_get(cloud, *fields), *b = doc_get(own, *fields);

		if (!same(a, b))
			differ(c, *fields, a, b);
	}
}

static void compare_user(struct comparison *c, const json_t *cloud, const json_t *own)
{
	static const char *const fields[] = {"name", "department", "attendance.present_days",
		"attendance.absent_days", "attendance.late_days", "attendance.early_departure_days",
		"attendance.attendance_percentage", NULL};
	const json_t *there = json_true();

	c->id = doc_text(cloud ? cloud : own, "id");
	c->name = doc_text(cloud ? cloud : own, "name");
	if (!cloud)
		differ(c, "is only in the local one", NULL, there);
	else if (!own)
		differ(c, "is only in the cloud's", there, NULL);
	else
		compare_fields(c, cloud, own, fields);
}

/* By id, in the order of the cloud's; then those whom it has not. Returns 0 or -ENOMEM. */
static int compare_users(struct comparison *c, const json_t *cloud, const json_t *own)
{
	struct strmap left;
	json_t *user;
	size_t i;
	int r = 0;

	strmap_init(&left, 0);
	json_array_foreach(json_object_get(own, "users"), i, user)
		r = r < 0 ? r : strmap_put(&left, doc_text(user, "id"), user, NULL);
	json_array_foreach(json_object_get(cloud, "users"), i, user)
		compare_user(c, user, strmap_del(&left, doc_text(user, "id")));
	json_array_foreach(json_object_get(own, "users"), i, user)
	{
		if (strmap_get(&left, doc_text(user, "id")))
			compare_user(c, NULL, user);
	}
	strmap_done(&left);
	return r;
}

static int compare(struct comparison *c, const json_t *cloud, const json_t *own)
{
	static const char *const fields[] = {"start_date", "end_date", "summary.total_users",
		"summary.total_days", "summary.working_days", "summary.average_attendance", NULL};

	c->id = "";
	c->name = "summary";
	compare_fields(c, cloud, own, fields);
	return compare_users(c, cloud, own);
}

static int show_json(struct ctl *ctl, const struct comparison *c, const json_t *own)
{
	json_t *completeness = json_object_get(own, "completeness");
	json_t *document = json_pack(
		"{s:O, s:O?}", "differences", c->list, "completeness", completeness);
	int r = ctl_show_value(ctl, document);

	json_decref(document);
	return r;
}

static int show(struct ctl *ctl, struct comparison *c, const json_t *own)
{
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	char line[128];

	if (c->count == 0) {
		paper_line(
			&paper, TINT_GOOD, "the cloud's report and this gateway's own are equal");
	} else {
		table_draw(&c->table, &paper);
		snprintf(line, sizeof line, "%zu differences", c->count);
		paper_line(&paper, TINT_BOLD, line);
	}
	report_say_completeness(ctl, &paper, own);
	return ctl_show(&out);
}

int report_compare(struct ctl *ctl, const struct report_ask *ask)
{
	static const char *const heads[COLUMNS] = {"ID", "NAME", "FIELD", "CLOUD", "LOCAL"};
	struct comparison c = {.list = json_array()};
	struct report_ask local = *ask;
	struct answer a, b = {.status = 0};
	const json_t *cloud, *own;
	int r;

	table_init(&c.table, COLUMNS, heads);
	local.local = true;
	r = report_document(ctl, ask, &a, &cloud);
	if (r == CTL_DONE)
		r = report_document(ctl, &local, &b, &own);
	if (r == CTL_DONE && compare(&c, cloud, own) < 0) {
		ctl_complain("out of memory");
		r = CTL_REFUSED;
	} else if (r == CTL_DONE) {
		r = ctl->text[OPTION_JSON] ? show_json(ctl, &c, own) : show(ctl, &c, own);
		r = r == CTL_DONE && c.count > 0 ? CTL_REFUSED : r;
	}
	answer_done(&a);
	answer_done(&b);
	table_done(&c.table);
	json_decref(c.list);
	return r;
}
