/* pause and resume: forwarding stops, and goes on. */
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"

static int tell(struct ctl *ctl, const struct answer *a)
{
	const char *since = doc_text(a->document, "data.paused.since");
	char when[TIMES_TEXT_SIZE], who[DOC_WHO_SIZE];

	if (ctl->text[OPTION_JSON])
		return ctl_show_json(ctl, a->body.data, a->body.len);
	if (since[0])
		ctl_say("forwarding is paused, by %s since %s: punches are taken and kept",
			doc_who(a->document, "data.paused.by", who),
			times_show(&ctl->times, since, when));
	else
		ctl_say("forwarding goes on");
	return CTL_DONE;
}

static int act(struct ctl *ctl, const char *path)
{
	struct answer a;
	int r = ctl_post(ctl, path, &a);

	if (r == CTL_DONE && !json_is_object(doc_get(a.document, "data"))) {
		ctl_complain("the answer does not tell what was done: is that punchd?");
		r = CTL_AWAY;
	} else if (r == CTL_DONE) {
		r = tell(ctl, &a);
	}
	answer_done(&a);
	return r;
}

int run_pause(struct ctl *ctl)
{
	return act(ctl, "/v1/pause");
}

int run_resume(struct ctl *ctl)
{
	return act(ctl, "/v1/resume");
}
