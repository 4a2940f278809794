/* status and alarms: the status document, whole and in part. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/overview.h"

static int draw_status(struct ctl *ctl, const json_t *status)
{
	struct table parts, terminals;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);

	table_init(&parts, 2, NULL);
	table_init(&terminals, OVERVIEW_TERMINAL_COLUMNS, overview_terminal_heads);
	overview_head(&paper, status, &ctl->times);
	overview_rows(&parts, status, &ctl->times);
	if (table_draw(&parts, &paper) < 0)
		out.error = -ENOMEM;
	if (overview_terminals(&terminals, status, &ctl->times) > 0) {
		buf_add_char(&out, '\n');
		if (table_draw(&terminals, &paper) < 0)
			out.error = -ENOMEM;
	}
	table_done(&terminals);
	table_done(&parts);
	return ctl_show(&out);
}

int run_status(struct ctl *ctl)
{
	struct answer a;
	int r = ctl_get(ctl, "/v1/status", &a);

	if (r == CTL_DONE && !doc_text(a.document, "state")[0]) {
		ctl_complain("the answer tells no state: is that punchd?");
		r = CTL_AWAY;
	} else if (r == CTL_DONE) {
		r = ctl->text[OPTION_JSON] ? ctl_show_json(ctl, a.body.data, a.body.len)
					   : draw_status(ctl, a.document);
	}
	answer_done(&a);
	return r;
}

/* ---- alarms */

static int draw_alarms(struct ctl *ctl, const json_t *alarms)
{
	static const char *const heads[] = {"SEVERITY", "CODE", "SINCE", "MESSAGE"};
	struct table t;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	const json_t *alarm;
	char when[TIMES_TEXT_SIZE];
	size_t i;

	table_init(&t, 4, heads);
	json_array_foreach(alarms, i, alarm)
	{
		const char *severity = doc_text(alarm, "severity");

		table_add(&t, overview_severity_tint(severity), severity);
		table_add(&t, TINT_PLAIN, doc_text(alarm, "code"));
		table_add(&t, TINT_PLAIN, times_show(&ctl->times, doc_text(alarm, "since"), when));
		table_add(&t, TINT_PLAIN, doc_text(alarm, "message"));
	}
	if (i == 0)
		buf_add_str(&out, "no alarms\n");
	else if (table_draw(&t, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&t);
	return ctl_show(&out);
}

static int show_alarms_json(struct ctl *ctl, json_t *alarms)
{
	json_t *document = json_pack("{s:O}", "alarms", alarms);
	int r = ctl_show_value(ctl, document);

	json_decref(document);
	return r;
}

int run_alarms(struct ctl *ctl)
{
	struct answer a;
	int r = ctl_get(ctl, "/v1/status", &a);
	json_t *alarms = doc_get(a.document, "alarms");

	if (r == CTL_DONE && !json_is_array(alarms)) {
		ctl_complain("the status holds no list of alarms: is that punchd?");
		r = CTL_AWAY;
	} else if (r == CTL_DONE) {
		r = ctl->text[OPTION_JSON] ? show_alarms_json(ctl, alarms)
					   : draw_alarms(ctl, alarms);
	}
	answer_done(&a);
	return r;
}
