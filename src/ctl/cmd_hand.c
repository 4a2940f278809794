/* release, retry, discard, amend: what a person does to punches. */
#include <errno.h>
#include <unistd.h>

#include "base/time.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"

#define PATH_CAP    16384
#define COUNT_LIMIT 500 /* so many are counted before it is asked whether to go on */
#define ID_SHOWN    16

static const enum option filters[] = {OPTION_STATE, OPTION_REASON, OPTION_USER, OPTION_DEVICE,
	OPTION_FROM, OPTION_TO, OPTION_NONE};

static bool is_time(enum option o)
{
	return ctl_options[o].kind == KIND_FROM || ctl_options[o].kind == KIND_TO;
}

static const char *filter_text(
	const struct ctl *ctl, enum option o, char time[static TIME_TEXT_SIZE])
{
	return is_time(o) ? time_format_utc(ctl->number[o], -1, time) : ctl->text[o];
}

static bool any_filter(const struct ctl *ctl)
{
	for (const enum option *o = filters; *o; o++) {
		if (ctl->text[*o])
			return true;
	}
	return false;
}

/* ---- asking back */

/* Whether somebody at a terminal says yes; elsewhere nobody is asked. */
static bool agrees(const char *verb, const char *what)
{
	int c, first;

	if (!isatty(STDIN_FILENO))
		return true;
	fprintf(stderr, "%s %s? [y/N] ", verb, what);
	fflush(stderr);
	first = c = getchar();
	while (c != '\n' && c != EOF)
		c = getchar();
	if (first == 'y' || first == 'Y')
		return true;
	ctl_complain("nothing was changed");
	return false;
}

/* ---- one by one */

/* `3f2a… is queued`, with what holds it. */
static void tell_one(const json_t *punch)
{
	const char *reason = doc_text(punch, "reason");

	ctl_say("%.*s is %s%s%s", ID_SHOWN, doc_text(punch, "id"), doc_text(punch, "state"),
		reason[0] ? ", " : "", reason);
}

static int post(struct ctl *ctl, const char *id, const char *verb, const json_t *body)
{
	struct answer a;
	struct buf path;
	int r;

	buf_init(&path, PATH_CAP);
	buf_add_str(&path, "/v1/punches/");
	client_add_part(&path, id);
	buf_addf(&path, "/%s", verb);
	r = ctl_send(ctl, "POST", path.data, body, &a);
	buf_done(&path);
	if (r == CTL_DONE && ctl->text[OPTION_JSON]) {
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	} else if (r == CTL_DONE) {
		tell_one(doc_get(a.document, "data"));
		if (doc_text(a.document, "warning")[0])
			ctl_complain("%s", doc_text(a.document, "warning"));
	}
	answer_done(&a);
	return r;
}

/* What is refused does not keep the others. */
static int act_on_ids(struct ctl *ctl, const char *verb)
{
	json_t *body = json_pack("{s:s*}", "note", ctl->text[OPTION_NOTE]);
	int worst = CTL_DONE;

	for (int i = 0; i < COMMAND_ARGUMENTS_MAX && ctl->arguments[i] && worst != CTL_AWAY; i++) {
		int r = post(ctl, ctl->arguments[i], verb, body);

		if (r > worst)
			worst = r;
	}
	json_decref(body);
	return worst;
}

/* ---- many */

struct bulk {
	struct ctl *ctl;
	const char *verb;
	int64_t changed, refused, in_doubt;
	json_t *refusals;
};

/* How many there are, in words: `37 punches`, `500 punches or more`. 0 in *ret_count: none. */
static int count(struct ctl *ctl, char *ret_words, size_t size, size_t *ret_count)
{
	char time[TIME_TEXT_SIZE];
	struct answer a;
	struct buf path;
	int64_t next;
	int r;

	buf_init(&path, PATH_CAP);
	buf_add_str(&path, "/v1/punches");
	for (const enum option *o = filters; *o; o++) {
		if (ctl->text[*o])
			client_add_query(&path, ctl_options[*o].name, filter_text(ctl, *o, time));
	}
	buf_addf(&path, "&limit=%d", COUNT_LIMIT);
	r = ctl_get(ctl, path.data, &a);
	buf_done(&path);
	*ret_count = json_array_size(doc_get(a.document, "data"));
	snprintf(ret_words, size, "%zu punch%s%s", *ret_count, *ret_count == 1 ? "" : "es",
		doc_number(a.document, "meta.next", &next) ? " or more" : "");
	/* Nothing in the first rows that were looked at: there may be some further on. */
	if (*ret_count == 0 && doc_number(a.document, "meta.next", &next))
		*ret_count = 1;
	answer_done(&a);
	return r;
}

static json_t *bulk_body(const struct bulk *b, int64_t before)
{
	const struct ctl *ctl = b->ctl;
	char time[TIME_TEXT_SIZE], number[32];
	json_t *body = json_object();

	for (const enum option *o = filters; *o; o++) {
		if (ctl->text[*o])
			json_object_set_new(body, ctl_options[*o].name,
				json_string(filter_text(ctl, *o, time)));
	}
	if (ctl->text[OPTION_NOTE])
		json_object_set_new(body, "note", json_string(ctl->text[OPTION_NOTE]));
	snprintf(number, sizeof number, "%lld", (long long)before);
	if (before > 0)
		json_object_set_new(body, "before", json_string(number));
	return body;
}

/* A piece of them; *before moves on, 0 behind the last. */
static int act_on_some(struct bulk *b, int64_t *before)
{
	json_t *body = bulk_body(b, *before);
	struct answer a;
	char path[64];
	int64_t next = 0;
	int r;

	snprintf(path, sizeof path, "/v1/punches/%s", b->verb);
	r = ctl_send(b->ctl, "POST", path, body, &a);
	json_decref(body);
	if (r == CTL_DONE) {
		b->changed += doc_count(a.document, "data.changed");
		b->refused += doc_count(a.document, "data.refused");
		b->in_doubt += doc_count(a.document, "data.in_doubt");
		json_array_extend(b->refusals, doc_get(a.document, "data.refusals"));
		if (doc_number(a.document, "meta.next", &next) && *before > 0 && next >= *before) {
			ctl_complain("the answers do not lead to older punches: is that punchd?");
			r = CTL_AWAY;
		}
	}
	*before = next;
	answer_done(&a);
	return r;
}

static void tell_many(const struct bulk *b)
{
	const json_t *refusal;
	size_t i;

	ctl_say("%lld changed, %lld refused", (long long)b->changed, (long long)b->refused);
	json_array_foreach(b->refusals, i, refusal)
	{
		if (i < 10)
			ctl_complain("%.*s: %s", ID_SHOWN, doc_text(refusal, "id"),
				doc_text(refusal, "message"));
	}
	if (b->in_doubt > 0)
		ctl_complain("%lld of them may have been sent: look for them in the cloud",
			(long long)b->in_doubt);
}

static int act_on_all(struct bulk *b)
{
	int64_t before = 0;
	int r;

	do {
		r = act_on_some(b, &before);
		if (isatty(STDERR_FILENO) && before > 0)
			fprintf(stderr, "\r%lld changed\r", (long long)b->changed);
	} while (r == CTL_DONE && before > 0);
	if (b->ctl->text[OPTION_JSON]) {
		json_t *sum = json_pack("{s:{s:I, s:I, s:I, s:O}}", "data", "changed",
			(json_int_t)b->changed, "refused", (json_int_t)b->refused, "in_doubt",
			(json_int_t)b->in_doubt, "refusals", b->refusals);

		ctl_show_value(b->ctl, sum);
		json_decref(sum);
	} else if (r == CTL_DONE || b->changed > 0) {
		tell_many(b);
	}
	return r == CTL_DONE && b->changed == 0 ? CTL_REFUSED : r;
}

static int act_on_many(struct ctl *ctl, const char *verb)
{
	struct bulk b = {.ctl = ctl, .verb = verb, .refusals = json_array()};
	char words[64];
	size_t n = 0;
	int r = count(ctl, words, sizeof words, &n);

	if (r == CTL_DONE && n == 0) {
		ctl_complain("there is no such punch");
		r = CTL_REFUSED;
	} else if (r == CTL_DONE) {
		r = agrees(verb, words) ? act_on_all(&b) : CTL_REFUSED;
	}
	json_decref(b.refusals);
	return r;
}

static int act(struct ctl *ctl, const char *verb, bool asks)
{
	bool many = any_filter(ctl);

	if (many == (ctl->arguments[0] != NULL)) {
		ctl_complain("%s takes either IDs, or --state, --reason, --user, --device, --from "
			     "or --to",
			verb);
		return CTL_USAGE;
	}
	if (many)
		return act_on_many(ctl, verb);
	return !asks || agrees(verb, ctl->arguments[1] ? "these punches" : "this punch")
		? act_on_ids(ctl, verb)
		: CTL_REFUSED;
}

int run_release(struct ctl *ctl)
{
	return act(ctl, "release", false);
}

int run_retry(struct ctl *ctl)
{
	return act(ctl, "retry", false);
}

int run_discard(struct ctl *ctl)
{
	return act(ctl, "discard", true);
}

/* ---- amend */

int run_amend(struct ctl *ctl)
{
	bool received = ctl->text[OPTION_RECEIVED] != NULL;
	char time[TIME_TEXT_SIZE];
	json_t *body;
	int r;

	if (!ctl->text[OPTION_NOTE] || (received && ctl->text[OPTION_TIME]) ||
		(!received && !ctl->text[OPTION_TIME] && !ctl->text[OPTION_TYPE] &&
			!ctl->text[OPTION_USER])) {
		ctl_complain("amend needs --note, and --type, --user, --time or --received");
		return CTL_USAGE;
	}
	body = json_pack("{s:s*, s:s*, s:s*, s:s}", "type", ctl->text[OPTION_TYPE], "time",
		received ? "received"
			: ctl->text[OPTION_TIME]
			? time_format_utc(ctl->number[OPTION_TIME], -1, time)
			: NULL,
		"user_id", ctl->text[OPTION_USER], "note", ctl->text[OPTION_NOTE]);
	r = post(ctl, ctl->arguments[0], "amend", body);
	json_decref(body);
	return r;
}
