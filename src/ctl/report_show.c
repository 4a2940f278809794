/* A report for eyes. */
#include <errno.h>

#include "ctl/doc.h"
#include "ctl/report.h"

#define DOCUMENT_MAX (256UL * 1024 * 1024)
#define COLUMNS      8
#define WAIT_MS      (15 * 60000) /* for its turn, and for the cloud to compute it */

int report_document(struct ctl *ctl, const struct report_ask *ask, struct answer *ret_answer,
	const json_t **ret_data)
{
	struct buf path;
	int r;

	ctl->client.answer_max = DOCUMENT_MAX;
	report_path(ctl, ask, true, &path);
	r = client_ask(
		&ctl->client, "GET", path.data, NULL, ctl_limit_ms(ctl, WAIT_MS), ret_answer);
	buf_done(&path);
	r = report_fetched(ctl, r, ret_answer);
	*ret_data = doc_get(ret_answer->document, "data");
	if (r == CTL_DONE && !json_is_array(json_object_get(*ret_data, "users"))) {
		ctl_complain("what came is no report: is that punchd on %s?", ctl->client.socket);
		r = CTL_REFUSED;
	}
	return r;
}

/* ---- how complete it is */

static void say_count(struct buf *line, const json_t *c, const char *key, const char *words)
{
	int64_t n = doc_count(c, key);

	if (n > 0)
		buf_addf(line, "%s%lld %s", line->len ? ", " : "", (long long)n, words);
}

static void say_silent(const struct ctl *ctl, const struct paper *paper, const json_t *c)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(c, "silent_terminals"), i, one)
	{
		const char *since = doc_text(one, "since");
		char time[TIMES_TEXT_SIZE], line[256];

		snprintf(line, sizeof line, "terminal %.64s is silent %s%s",
			doc_text(one, "serial"),
			since[0] ? "since " : "since before punchd started",
			times_show(&ctl->times, since, time));
		paper_line(paper, TINT_WARN, line);
	}
}

void report_say_completeness(const struct ctl *ctl, const struct paper *paper, const json_t *data)
{
	const json_t *c = json_object_get(data, "completeness");
	const char *synced = doc_text(c, "users_synced_at"), *from = doc_text(c, "complete_from");
	char time[TIMES_TEXT_SIZE], line[256];
	struct buf counts;

	if (!json_is_object(c))
		return;
	buf_init(&counts, 1024);
	say_count(&counts, c, "held", "held and not counted");
	say_count(&counts, c, "parked", "parked and not counted");
	say_count(&counts, c, "unlisted", "of people who are not in the list, not counted");
	say_count(&counts, c, "queued", "counted and not in the cloud yet");
	say_count(&counts, c, "in_doubt", "in doubt");
	snprintf(line, sizeof line, "punches of the period: %.200s",
		counts.len ? counts.data : "all are counted and delivered");
	paper_line(paper, counts.len ? TINT_WARN : TINT_PLAIN, line);
	buf_done(&counts);
	if (from[0]) {
		snprintf(line, sizeof line,
			"days before %.10s may lack punches: punchd was not there yet, or does not "
			"keep them any more",
			from);
		paper_line(paper, TINT_WARN, line);
	}
	say_silent(ctl, paper, c);
	snprintf(line, sizeof line, "people as of %s",
		synced[0] ? times_show(&ctl->times, synced, time)
			  : "never: sync has not worked yet");
	paper_line(paper, TINT_PLAIN, line);
}

/* ---- the table */

static void add_user(struct table *t, const json_t *user)
{
	static const char *const figures[] = {"attendance.present_days", "attendance.absent_days",
		"attendance.late_days", "attendance.early_departure_days"};

	table_add(t, TINT_PLAIN, doc_text(user, "id"));
	table_add(t, TINT_PLAIN, doc_text(user, "name"));
	table_add(t, TINT_PLAIN, doc_text(user, "department"));
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
		table_addf(t, TINT_PLAIN, "%lld", (long long)doc_count(user, figures[i]));
	table_addf(t, TINT_PLAIN, "%.2f %%",
		json_number_value(doc_get(user, "attendance.attendance_percentage")));
}

static int show(struct ctl *ctl, const json_t *data)
{
	static const char *const heads[COLUMNS] = {
		"ID", "NAME", "DEPARTMENT", "PRESENT", "ABSENT", "LATE", "EARLY", "ATTENDANCE"};
	struct table t;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	char line[256];
	json_t *user;
	size_t i;

	snprintf(line, sizeof line,
		"%.10s to %.10s: %lld working days of %lld, %lld people, %.2f %%",
		doc_text(data, "start_date"), doc_text(data, "end_date"),
		(long long)doc_count(data, "summary.working_days"),
		(long long)doc_count(data, "summary.total_days"),
		(long long)doc_count(data, "summary.total_users"),
		json_number_value(doc_get(data, "summary.average_attendance")));
	paper_line(&paper, TINT_BOLD, line);
	table_init(&t, COLUMNS, heads);
	json_array_foreach(json_object_get(data, "users"), i, user) add_user(&t, user);
	if (table_draw(&t, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&t);
	report_say_completeness(ctl, &paper, data);
	return ctl_show(&out);
}

int report_as_table(struct ctl *ctl, const struct report_ask *ask)
{
	struct answer a;
	const json_t *data;
	int r = report_document(ctl, ask, &a, &data);

	if (r == CTL_DONE)
		r = show(ctl, data);
	answer_done(&a);
	return r;
}
