/* users: the cached list; and who is still to be created in the cloud: add, pending, cancel. */
#include <errno.h>

#include "ctl/commands.h"
#include "ctl/doc.h"
#include "ctl/users.h"

#define LIMIT_DEFAULT 50
#define PAGE_MAX      1000
#define PATH_CAP      4096
#define ABOUT_CAP     4096

/* ---- the list */

static void add_user(struct table *t, const json_t *user)
{
	bool gone = doc_true(user, "gone");

	table_add(t, TINT_PLAIN, doc_text(user, "id"));
	table_add(t, TINT_PLAIN, doc_text(user, "name"));
	table_add(t, TINT_PLAIN, doc_text(user, "email"));
	table_add(t, TINT_PLAIN, doc_text(user, "phone"));
	table_add(t, TINT_PLAIN, doc_text(user, "department"));
	table_add(t, gone ? TINT_WARN : TINT_PLAIN, gone ? "gone" : " ");
}

static int draw_users(struct ctl *ctl, const json_t *data)
{
	static const char *const heads[] = {"ID", "NAME", "EMAIL", "PHONE", "DEPARTMENT", ""};
	const json_t *user;
	struct table table;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	table_init(&table, sizeof heads / sizeof heads[0], heads);
	json_array_foreach(data, i, user) add_user(&table, user);
	if (json_array_size(data) == 0)
		paper_line(&paper, TINT_PLAIN, "no users");
	else if (table_draw(&table, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&table);
	return ctl_show(&out);
}

/* Ask for a document with a list in data. */
static int ask_list(struct ctl *ctl, const char *path, struct answer *ret_answer)
{
	int r = ctl_get(ctl, path, ret_answer);

	if (r == CTL_DONE && !json_is_array(doc_get(ret_answer->document, "data"))) {
		ctl_complain("the answer holds no list: is that punchd?");
		r = CTL_AWAY;
	}
	return r;
}

static int list_users(struct ctl *ctl)
{
	int64_t limit = ctl->text[OPTION_LIMIT] ? ctl->number[OPTION_LIMIT] : LIMIT_DEFAULT;
	struct answer a;
	struct buf path;
	char number[32];
	int r;

	buf_init(&path, PATH_CAP);
	buf_add_str(&path, "/v1/users");
	if (ctl->arguments[0])
		client_add_query(&path, "q", ctl->arguments[0]);
	snprintf(number, sizeof number, "%lld",
		(long long)(limit > 0 && limit < PAGE_MAX ? limit : PAGE_MAX));
	client_add_query(&path, "limit", number);
	r = ask_list(ctl, path.data, &a);
	buf_done(&path);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		r = draw_users(ctl, doc_get(a.document, "data"));
	if (r == CTL_DONE && !ctl->text[OPTION_JSON] && doc_get(a.document, "meta.next"))
		ctl_complain(
			"there are more: narrow the QUERY, or raise --limit (up to %d)", PAGE_MAX);
	answer_done(&a);
	return r;
}

/* ---- pending */

static enum tint tint_of(const char *state)
{
	if (strcmp(state, "refused") == 0)
		return TINT_BAD;
	return strcmp(state, "in_doubt") == 0 ? TINT_WARN : TINT_PLAIN;
}

static void add_pending(const struct ctl *ctl, struct table *t, const json_t *one)
{
	const char *state = doc_text(one, "state");
	char when[TIMES_TEXT_SIZE], who[DOC_WHO_SIZE];
	struct buf about;

	buf_init(&about, ABOUT_CAP);
	users_about(&about, &ctl->times, one);
	table_addf(t, TINT_BOLD, "%.*s", USERS_ID_SHOWN, doc_text(one, "id"));
	table_add(t, tint_of(state), state);
	table_add(t, TINT_PLAIN, doc_text(one, "name"));
	table_add(t, TINT_PLAIN, doc_text(one, "email"));
	table_add(t, TINT_PLAIN, doc_text(one, "phone"));
	table_add(t, TINT_PLAIN, times_show(&ctl->times, doc_text(one, "asked"), when));
	table_add(t, TINT_PLAIN, doc_who(one, "by", who));
	table_add(t, TINT_PLAIN, about.data);
	buf_done(&about);
}

static int draw_pending(struct ctl *ctl, const json_t *data)
{
	static const char *const heads[] = {
		"ID", "STATE", "NAME", "EMAIL", "PHONE", "ASKED", "BY", "ABOUT"};
	const json_t *one;
	struct table table;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	table_init(&table, sizeof heads / sizeof heads[0], heads);
	json_array_foreach(data, i, one) add_pending(ctl, &table, one);
	if (json_array_size(data) == 0)
		buf_add_str(&out, "nobody waits to be created\n");
	else if (table_draw(&table, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&table);
	return ctl_show(&out);
}

static int list_pending(struct ctl *ctl)
{
	struct answer a;
	int r = ask_list(
		ctl, ctl->text[OPTION_ALL] ? "/v1/users/pending?all=yes" : "/v1/users/pending", &a);

	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		r = draw_pending(ctl, doc_get(a.document, "data"));
	answer_done(&a);
	return r;
}

/* ---- cancel */

static void tell_cancelled(const struct ctl *ctl, const json_t *answer)
{
	const char *result = doc_text(answer, "data.result");

	if (strcmp(result, "told") == 0)
		ctl_say("%s was refused, and is listed no more", ctl->arguments[1]);
	else
		ctl_say("%s will not be created", ctl->arguments[1]);
	if (strcmp(result, "may_be_there") == 0)
		ctl_complain("it may have been sent: the cloud may have them all the same. Before "
			     "they are added again: punchctl sync --wait, then punchctl users");
}

static int cancel(struct ctl *ctl)
{
	const char *name = ctl->arguments[1];
	struct buf path;
	struct answer a;
	int r;

	buf_init(&path, PATH_CAP);
	buf_add_str(&path, "/v1/users/pending");
	client_add_query(&path, strchr(name, '@') ? "email" : "id", name);
	if (ctl->text[OPTION_FORCE])
		client_add_query(&path, "force", "yes");
	r = ctl_send(ctl, "DELETE", path.data, NULL, &a);
	buf_done(&path);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		tell_cancelled(ctl, a.document);
	answer_done(&a);
	return r;
}

/* ---- which */

static const struct {
	const char *word;
	int arguments; /* that it takes beside the word */
	int (*run)(struct ctl *ctl);
	const enum option options[8]; /* of users' own: those that make sense with it */
} words[] = {
	{"add", 0, users_add,
		{OPTION_NAME, OPTION_EMAIL, OPTION_PHONE, OPTION_DEPARTMENT, OPTION_LINK,
			OPTION_DEVICE}},
	{"pending", 0, list_pending, {OPTION_ALL}},
	{"cancel", 1, cancel, {OPTION_FORCE}},
	{NULL, 0, list_users, {OPTION_LIMIT}},
};

/* An option of another of users' words would be passed over in silence. */
static bool options_fit(const struct ctl *ctl, const enum option *taken, const char *word)
{
	for (const enum option *o = ctl->command->options; *o; o++) {
		const enum option *t = taken;

		while (*t && *t != *o)
			t++;
		if (!ctl->text[*o] || *t)
			continue;
		ctl_complain("users%s%s takes no --%s", word ? " " : "", word ? word : "",
			ctl_options[*o].name);
		return false;
	}
	return true;
}

int run_users(struct ctl *ctl)
{
	const char *first = ctl->arguments[0];
	size_t i = 0;
	int given = 0;

	while (words[i].word && (!first || strcmp(first, words[i].word) != 0))
		i++;
	while (ctl->arguments[given])
		given++;
	if (words[i].word && given != 1 + words[i].arguments) {
		ctl_complain(words[i].arguments ? "users %s needs an ID or an e-mail address"
						: "users %s takes options alone",
			words[i].word);
		return CTL_USAGE;
	}
	if (!words[i].word && given > 1) {
		ctl_complain("users takes one QUERY: put it into quotation marks");
		return CTL_USAGE;
	}
	return options_fit(ctl, words[i].options, words[i].word) ? words[i].run(ctl) : CTL_USAGE;
}
