/* users add: create somebody in the cloud, now or as soon as it is there. */
#include "ctl/doc.h"
#include "ctl/lobby.h"
#include "ctl/users.h"

#define OFFERS_MAX 5 /* of those in the lobby */
#define KIND_SIZE  16
#define WHO_CAP    1024

const char *users_link(const json_t *link, char ret_text[static USERS_LINK_SIZE])
{
	const char *device = doc_text(link, "device");

	ret_text[0] = '\0';
	if (json_is_object(link))
		snprintf(ret_text, USERS_LINK_SIZE, "%s:%.512s%s%.64s", doc_text(link, "kind"),
			doc_text(link, "value"), device[0] ? " at " : "", device);
	return ret_text;
}

/* ---- how it stands */

/* `phone: … (invalid_request, HTTP 422)`: the cloud's own words. */
static void add_error(struct buf *out, const json_t *error)
{
	const char *param = doc_text(error, "param"), *message = doc_text(error, "message");
	int64_t status;

	if (!error)
		return;
	buf_addf(out, "%s%s%s (%s", param, param[0] ? ": " : "",
		message[0] ? message : "no words came", doc_text(error, "code"));
	if (doc_number(error, "status", &status))
		buf_addf(out, ", HTTP %lld", (long long)status);
	buf_add_str(out, ")");
}

static void add_waiting(struct buf *out, const struct times *times, const json_t *one)
{
	static const struct {
		const char *word, *means;
	} waits[] = {{"answer", "it is on its way"},
		{"list", "it may be there: the cloud's list is read before it is tried again"},
		{"next_try", "it is tried again"}, {"turn", "it waits for its turn"},
		{"resume", "forwarding is paused: punchctl resume"}};
	const char *word = doc_text(one, "waits_for");
	char when[TIMES_TEXT_SIZE];

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		if (strcmp(word, waits[i].word) == 0)
			buf_add_str(out, waits[i].means);
	}
	times_ago(times, doc_text(one, "next_try"), when);
	if (strncmp(when, "in ", 3) == 0)
		buf_addf(out, " %s", when);
	if (doc_get(one, "error")) {
		buf_add_str(out, "; the last try: ");
		add_error(out, doc_get(one, "error"));
	}
}

void users_about(struct buf *out, const struct times *times, const json_t *one)
{
	const char *state = doc_text(one, "state"), *note = doc_text(one, "note");
	char link[USERS_LINK_SIZE];

	if (strcmp(state, "refused") == 0)
		add_error(out, doc_get(one, "error"));
	else if (doc_text(one, "waits_for")[0])
		add_waiting(out, times, one);
	else
		buf_add_str(out, doc_text(one, "user_id"));
	users_link(doc_get(one, "link"), link);
	if (link[0] && doc_text(one, "waits_for")[0])
		buf_addf(out, "; then %s", link);
	if (note[0])
		buf_addf(out, "%s%s", out->len ? "; " : "", note);
}

/* ---- offering a link */

static bool is_offer(const json_t *group)
{
	const char *who = doc_text(group, "who");

	return strcmp(doc_text(group, "reason"), "unknown_user") == 0 &&
		(strncmp(who, "pin:", 4) == 0 || strncmp(who, "card:", 5) == 0 ||
			strncmp(who, "slot:", 5) == 0);
}

/* A word for a shell, as it stands where that is harmless. */
static void add_word(struct buf *out, const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-.:/@+";

	if (word[0] && word[strspn(word, harmless)] == '\0') {
		buf_add_str(out, word);
		return;
	}
	buf_add_char(out, '\'');
	for (; *word; word++)
		buf_add_str(out, *word == '\'' ? "'\\''" : (const char[]){*word, '\0'});
	buf_add_char(out, '\'');
}

static void offer(const struct ctl *ctl, const json_t *group, const char *user_id)
{
	const char *who = doc_text(group, "who");
	const char *device = json_string_value(json_array_get(doc_get(group, "devices"), 0));
	char when[TIMES_TEXT_SIZE];
	struct buf line;

	buf_init(&line, WHO_CAP);
	buf_add_str(&line, "  punchctl link ");
	add_word(&line, who);
	buf_addf(&line, " %s", user_id);
	if (strncmp(who, "slot:", 5) == 0) {
		buf_add_str(&line, " --device ");
		add_word(&line, device ? device : "");
	}
	if (!buf_error(&line))
		ctl_say("%s    # %lld waiting, since %s at %s", line.data,
			(long long)doc_count(group, "count"),
			times_show(&ctl->times, doc_text(group, "since"), when),
			device ? device : "?");
	buf_done(&line);
}

/* Somebody is new, and punches of somebody unknown wait: they may be theirs. */
static void offer_links(struct ctl *ctl, const char *user_id)
{
	const json_t *group;
	json_t *list;
	size_t i, offers = 0;

	if (lobby_ask(ctl, &list) != CTL_DONE)
		return;
	json_array_foreach(list, i, group)
	{
		if (!is_offer(group))
			continue;
		if (offers++ == 0)
			ctl_say("Punches of people who are not known wait. Where they are theirs:");
		if (offers <= OFFERS_MAX)
			offer(ctl, group, user_id);
	}
	if (offers > OFFERS_MAX)
		ctl_say("  and %zu more: punchctl lobby", offers - OFFERS_MAX);
	json_decref(list);
}

/* ---- telling */

static void tell_waiting(const struct ctl *ctl, const json_t *one)
{
	struct buf about;

	buf_init(&about, WHO_CAP);
	users_about(&about, &ctl->times, one);
	ctl_say("queued: %s is kept by punchd, which goes on (punchctl users pending shows %.*s)",
		doc_text(one, "name"), USERS_ID_SHOWN, doc_text(one, "id"));
	if (about.len > 0)
		ctl_say("%s", about.data);
	buf_done(&about);
}

/* Whose answer was lost, and who is in the list now, was made by it, or by somebody else. */
static const char *how(const json_t *one, bool created)
{
	if (created)
		return "was created in the cloud";
	return doc_get(one, "sent") ? "is in the cloud: its answer was lost, its list has them"
				    : "was in the cloud already, and is the one";
}

static void tell_there(struct ctl *ctl, const json_t *one, bool created)
{
	const char *id = doc_text(one, "user_id"), *note = doc_text(one, "note");
	char link[USERS_LINK_SIZE];

	ctl_say("%s %s: %s <%s>", id, how(one, created), doc_text(one, "name"),
		doc_text(one, "email"));
	users_link(doc_get(one, "link"), link);
	if (note[0])
		ctl_complain("%s", note);
	if (link[0] && !strstr(note, "not linked"))
		ctl_say("%s is %s", link, id);
	else
		offer_links(ctl, id);
}

/* ctl_send has said the first of them. */
static void tell_refused(const struct ctl *ctl, const json_t *answer)
{
	const json_t *faults = doc_get(answer, "error.faults");
	const char *id = doc_text(answer, "error.id"), *param = doc_text(answer, "error.param");

	for (size_t i = 1; i < json_array_size(faults); i++)
		ctl_complain("%s", doc_text(json_array_get(faults, i), "message"));
	if (strcmp(doc_text(answer, "data.state"), "refused") == 0)
		ctl_complain("these are the cloud's words%s%s: nobody was created",
			param[0] ? " on --" : "", param);
	if (strcmp(doc_text(answer, "error.code"), "already_exists") == 0 && id[0] &&
		ctl->text[OPTION_LINK])
		ctl_complain("if it is them: punchctl link %s %s", ctl->text[OPTION_LINK], id);
}

/* ---- asking */

/* {"kind","value","device"} of KIND:VALUE; NULL, and said, where it is none. */
static json_t *link_of(const struct ctl *ctl)
{
	const char *word = ctl->text[OPTION_LINK], *colon = strchr(word, ':');

	if (!colon || colon == word || colon - word >= KIND_SIZE || colon[1] == '\0') {
		ctl_complain("\"%s\" is not KIND:VALUE, such as pin:1001 or card:04A2B3C4", word);
		return NULL;
	}
	return json_pack("{s:s%, s:s, s:s*}", "kind", word, (size_t)(colon - word), "value",
		colon + 1, "device", ctl->text[OPTION_DEVICE]);
}

/* NULL, and said, where something is missing. */
static json_t *body_of(const struct ctl *ctl)
{
	json_t *link = NULL;

	if (!ctl->text[OPTION_NAME] || !ctl->text[OPTION_EMAIL] || !ctl->text[OPTION_PHONE]) {
		ctl_complain("users add needs --name, --email and --phone");
		return NULL;
	}
	if (ctl->text[OPTION_DEVICE] && !ctl->text[OPTION_LINK]) {
		ctl_complain("--device says where a --link holds: there is none");
		return NULL;
	}
	if (ctl->text[OPTION_LINK]) {
		link = link_of(ctl);
		if (!link)
			return NULL;
	}
	return json_pack("{s:s, s:s, s:s, s:s*, s:o*}", "name", ctl->text[OPTION_NAME], "email",
		ctl->text[OPTION_EMAIL], "phone", ctl->text[OPTION_PHONE], "department",
		ctl->text[OPTION_DEPARTMENT], "link", link);
}

int users_add(struct ctl *ctl)
{
	json_t *body = body_of(ctl);
	struct answer a;
	int r;

	if (!body)
		return CTL_USAGE;
	r = ctl_send(ctl, "POST", "/v1/users", body, &a);
	json_decref(body);
	if (r == CTL_REFUSED)
		tell_refused(ctl, a.document);
	else if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE && a.status == 202)
		tell_waiting(ctl, doc_get(a.document, "data"));
	else if (r == CTL_DONE)
		tell_there(ctl, doc_get(a.document, "data"), a.status == 201);
	answer_done(&a);
	return r;
}
