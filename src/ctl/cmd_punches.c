/* punches: the list, page by page. */
#include <errno.h>

#include "base/time.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/punchrow.h"

#define LIMIT_DEFAULT 50
#define PAGE_MAX      500 /* what a page holds at most must fit CLIENT_ANSWER_MAX */

struct listing {
	struct ctl *ctl;
	struct table table;
	int64_t left;   /* punches still wanted */
	int64_t before; /* what the next page begins with, 0: the newest */
	bool first;     /* nothing is printed yet */
};

/* ---- asking */

static void add_filter(struct buf *path, const struct ctl *ctl)
{
	static const enum option filters[] = {OPTION_STATE, OPTION_REASON, OPTION_USER,
		OPTION_DEVICE, OPTION_FROM, OPTION_TO, OPTION_NONE};
	char text[TIME_TEXT_SIZE];

	for (const enum option *o = filters; *o; o++) {
		bool time = ctl_options[*o].kind == KIND_FROM || ctl_options[*o].kind == KIND_TO;

		if (ctl->text[*o])
			client_add_query(path, ctl_options[*o].name,
				time ? time_format_utc(ctl->number[*o], -1, text) : ctl->text[*o]);
	}
}

static int ask_page(struct listing *l, struct answer *ret_answer)
{
	struct buf path;
	char number[32];
	int r;

	buf_init(&path, 16384);
	buf_add_str(&path, "/v1/punches");
	add_filter(&path, l->ctl);
	snprintf(number, sizeof number, "%lld",
		(long long)(l->left < PAGE_MAX ? l->left : PAGE_MAX));
	client_add_query(&path, "limit", number);
	snprintf(number, sizeof number, "%lld", (long long)l->before);
	if (l->before > 0)
		client_add_query(&path, "before", number);
	r = ctl_get(l->ctl, path.data, ret_answer);
	buf_done(&path);
	if (r == CTL_DONE && !json_is_array(doc_get(ret_answer->document, "data"))) {
		ctl_complain("the answer holds no list of punches: is that punchd?");
		r = CTL_AWAY;
	}
	return r;
}

/* Go on behind a page, or end. Pages must lead from newer to older, or this would never end. */
static int move_on(struct listing *l, const struct answer *a)
{
	int64_t taken = (int64_t)json_array_size(doc_get(a->document, "data")), next;

	l->left = taken < l->left ? l->left - taken : 0;
	if (!doc_number(a->document, "meta.next", &next)) {
		l->left = 0;
		return CTL_DONE;
	}
	if (next <= 0 || (l->before > 0 && next >= l->before)) {
		ctl_complain("the pages of the list do not lead to older punches: is that punchd?");
		return CTL_AWAY;
	}
	l->before = next;
	return CTL_DONE;
}

/* ---- as a table */

static int show_rows(struct listing *l, const struct answer *a)
{
	const json_t *data = doc_get(a->document, "data"), *punch;
	struct buf out;
	struct paper paper = ctl_paper(l->ctl, &out);
	size_t i;

	json_array_foreach(data, i, punch) punchrow_add(&l->table, punch, &l->ctl->times,
		l->ctl->on_terminal ? PUNCHROW_LIST : PUNCHROW_WHOLE);
	if (l->first && json_array_size(data) == 0)
		buf_add_str(&out, "no punches\n");
	else if (table_draw(&l->table, &paper) < 0)
		out.error = -ENOMEM;
	return ctl_show(&out);
}

/* ---- as JSON: one page as it came; several as one document that is printed as they come, since
 * the list may be longer than memory */

static int show_json(struct listing *l, const struct answer *a)
{
	const json_t *data = doc_get(a->document, "data"), *punch;
	bool last = l->left == 0;
	size_t i;

	if (l->first && last)
		return ctl_show_json(l->ctl, a->body.data, a->body.len);
	if (l->first)
		fputs("{\"data\":[\n", stdout);
	json_array_foreach(data, i, punch)
	{
		int r;

		fputs(l->first && i == 0 ? "" : ",", stdout);
		r = ctl_show_value(l->ctl, punch);
		if (r != CTL_DONE)
			return r;
	}
	if (last) {
		fputs("],\"meta\":", stdout);
		ctl_show_value(l->ctl, doc_get(a->document, "meta"));
		fputs("}\n", stdout);
	}
	return CTL_DONE;
}

/* ---- */

static int list_page(struct listing *l)
{
	struct answer a;
	int r = ask_page(l, &a);

	if (r == CTL_DONE)
		r = move_on(l, &a);
	if (r == CTL_DONE)
		r = l->ctl->text[OPTION_JSON] ? show_json(l, &a) : show_rows(l, &a);
	l->first = false;
	answer_done(&a);
	return r;
}

int run_punches(struct ctl *ctl)
{
	struct listing l = {.ctl = ctl, .left = LIMIT_DEFAULT, .first = true};
	int r = CTL_DONE;

	if (ctl->text[OPTION_LIMIT])
		l.left = ctl->number[OPTION_LIMIT] ? ctl->number[OPTION_LIMIT] : INT64_MAX;
	table_init(&l.table, PUNCHROW_COLUMNS, punchrow_heads);
	while (r == CTL_DONE && l.left > 0)
		r = list_page(&l);
	table_done(&l.table);
	return r;
}
