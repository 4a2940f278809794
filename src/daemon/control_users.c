/*
 * POST /v1/users and /v1/users/pending: people who are to be made in the cloud. Whoever asks waits a
 * few seconds for the cloud's answer; what is not settled by then is told as queued, and goes on.
 */
#include <errno.h>
#include <pwd.h>

#include "base/hex.h"
#include "base/jget.h"
#include "base/log.h"
#include "core/links.h"
#include "daemon/control_private.h"
#include "daemon/view.h"

/* ---- reading what is asked for */

static bool knows_keys(struct call *call, const json_t *object, const char *keys)
{
	const char *key;
	char padded[64];
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		snprintf(padded, sizeof padded, " %.60s ", key);
		if (strstr(keys, padded) && !strchr(key, ' '))
			continue;
		control_fail(call, 400, "bad_request", "there is no %.40s here", key);
		return false;
	}
	return true;
}

/* A text; "" where there is none or null. NULL: something else, or one with a NUL. */
static const char *text_of(const json_t *object, const char *key)
{
	const char *text = "";

	if (!json_is_null(json_object_get(object, key)) &&
		jget_str(object, key, 0, SIZE_MAX, &text) < 0)
		return NULL;
	return text;
}

/* What is at fault, by the cloud's parameter names. */
struct faults {
	json_t *list; /* [{"param","message"}] */
};

static void add_fault(struct faults *f, const char *param, const char *message)
{
	json_array_append_new(f->list, json_pack("{s:s, s:s}", "param", param, "message", message));
}

static void take_text(struct faults *f, const struct newuser_person *person,
	enum newuser_field field, const char *text, char *to, size_t size)
{
	char words[NEWUSER_WORDS_SIZE];

	if (!newuser_field_good(person, field, words))
		add_fault(f, newuser_field_name(field), words);
	else
		punch_text_cut(to, size, text);
}

static void take_person(struct faults *f, const json_t *body, struct newuser *u)
{
	const char *texts[NEWUSER_FIELDS];
	struct newuser_person person;
	bool sound = true;

	for (int i = 0; i < NEWUSER_FIELDS; i++) {
		const char *param = newuser_field_name((enum newuser_field)i);
		char words[64];

		texts[i] = text_of(body, param);
		if (texts[i])
			continue;
		snprintf(words, sizeof words, "%s is no text", param);
		add_fault(f, param, words);
		sound = false;
	}
	if (!sound)
		return;
	person = (struct newuser_person){texts[NEWUSER_NAME], texts[NEWUSER_EMAIL],
		texts[NEWUSER_PHONE], texts[NEWUSER_DEPARTMENT]};
	take_text(f, &person, NEWUSER_NAME, person.name, u->name, sizeof u->name);
	take_text(f, &person, NEWUSER_EMAIL, person.email, u->email, sizeof u->email);
	take_text(f, &person, NEWUSER_PHONE, person.phone, u->phone, sizeof u->phone);
	take_text(f, &person, NEWUSER_DEPARTMENT, person.department, u->department,
		sizeof u->department);
}

/* The user's id is known when the link is made. */
static void take_link(struct faults *f, const json_t *link, struct newuser *u)
{
	const char *kind = text_of(link, "kind"), *value = text_of(link, "value");
	const char *device = text_of(link, "device"), *fault;
	struct user_link wanted = {.user_id = "", .name = "", .note = ""};

	if (!json_is_object(link) || !kind || !value || !device) {
		add_fault(f, "link", "link is an object: kind, value and device are texts");
		return;
	}
	if (user_kind_parse(kind, &wanted.kind) < 0) {
		add_fault(f, "link", "the kind is none of id, pin, card, slot, email and phone");
		return;
	}
	wanted.value = value;
	wanted.device = device;
	fault = links_fault(&wanted, u->link_value);
	if (fault) {
		add_fault(f, "link", fault);
		return;
	}
	u->wants_link = true;
	u->link_kind = wanted.kind;
	punch_text_cut(u->link_device, sizeof u->link_device, device);
}

static void refuse(struct call *call, const struct faults *f)
{
	const json_t *first = json_array_get(f->list, 0);

	control_fail(call, 400, "invalid_request", "%s",
		json_string_value(json_object_get(first, "message")));
	json_object_set(
		json_object_get(call->body, "error"), "param", json_object_get(first, "param"));
	json_object_set(json_object_get(call->body, "error"), "faults", f->list);
}

/* False, and answered, where it cannot be asked for. */
static bool read_body(struct call *call, const json_t *body, struct newuser *u)
{
	const json_t *link = json_object_get(body, "link");
	struct faults f = {.list = json_array()};
	bool good;

	if (!json_is_object(body)) {
		control_fail(call, 400, "bad_request", "the body is no JSON object");
		json_decref(f.list);
		return false;
	}
	good = knows_keys(call, body, " name email phone department link ") &&
		(!json_is_object(link) || knows_keys(call, link, " kind value device "));
	if (good) {
		take_person(&f, body, u);
		if (link && !json_is_null(link))
			take_link(&f, link, u);
		good = json_array_size(f.list) == 0;
		if (!good)
			refuse(call, &f);
	}
	json_decref(f.list);
	return good;
}

/* ---- how it stands */

/* Takes the references. */
static json_t *refusal_of(const char *code, json_t *message, json_t *param, json_t *data)
{
	return json_pack("{s:{s:s, s:o, s:o}, s:o}", "error", "code", code, "message", message,
		"param", param, "data", data);
}

/* What is answered of one who was asked for. */
static json_t *answer_of(const struct newpeople *np, const struct newperson *one, int *ret_status)
{
	const struct newuser *u = newperson_row(one);
	json_t *data = newpeople_one_json(np, one);

	switch (u->state) {
	case NEWUSER_CREATED: *ret_status = 201; break;
	case NEWUSER_ADOPTED: *ret_status = 200; break;
	case NEWUSER_REFUSED:
		*ret_status = u->error_status >= 400 && u->error_status <= 499 ? u->error_status
									       : 409;
		return refusal_of(u->error_code, view_words(u->error_message),
			view_words(u->error_param), data);
	case NEWUSER_CANCELLED:
		*ret_status = 409;
		return refusal_of(
			"cancelled", json_string("somebody has taken it back"), json_null(), data);
	case NEWUSER_WAITING: *ret_status = 202; break;
	}
	return json_pack("{s:o}", "data", data);
}

/* Somebody who waits for the cloud's answer. */
struct asker {
	const struct newpeople *np;
	struct http_later *later;
};

static void on_answered(void *arg, const struct newperson *one)
{
	struct asker *asker = arg;
	struct http_answer answer = {.status = 500, .content_type = "application/json"};
	json_t *body = one ? answer_of(asker->np, one, &answer.status) : NULL;

	if (one) {
		answer.body = body ? json_dumps(body, JSON_COMPACT) : NULL;
		answer.body_length = answer.body ? strlen(answer.body) : 0;
		http_later_answer(asker->later, &answer);
	}
	json_decref(body);
	free(asker);
}

/* ---- asking */

static const char *code_of(enum newpeople_obstacle obstacle)
{
	switch (obstacle) {
	case NEWPEOPLE_NONE: break;
	case NEWPEOPLE_KNOWN: return "already_exists";
	case NEWPEOPLE_WAITS: return "already_pending";
	case NEWPEOPLE_LINKED: return "already_linked";
	case NEWPEOPLE_TOO_MANY: return "too_many";
	}
	return "";
}

/* False, and answered, where something is in the way. */
static bool is_free(struct call *call, const struct newuser *u)
{
	char words[NEWUSER_WORDS_SIZE], id[NEWPEOPLE_ID_SIZE];
	enum newpeople_obstacle obstacle = newpeople_look_for(
		call->control->newpeople, u, words, id);

	if (obstacle == NEWPEOPLE_NONE && !call->control->context->disk_low)
		return true;
	if (obstacle == NEWPEOPLE_NONE) {
		control_fail(call, 503, "disk_low",
			"there is too little room on the disk: nothing was kept, make room first");
		return false;
	}
	control_fail(call, 409, code_of(obstacle), "%s", words);
	if (id[0])
		json_object_set_new(json_object_get(call->body, "error"), "id", json_string(id));
	return false;
}

static void ask(struct call *call, struct newuser *u)
{
	struct newpeople *np = call->control->newpeople;
	const struct passwd *who = getpwuid(call->request->uid);
	struct asker *asker = calloc(1, sizeof *asker);
	const struct newperson *one;
	char id[2 * WIRE_KEY_SIZE + 1];
	int r;

	u->asked_us = loop_now(call->control->context->loop).wall_us;
	u->uid = (uint32_t)call->request->uid;
	punch_text_cut(u->who, sizeof u->who, who ? who->pw_name : "");
	r = asker ? newpeople_ask(np, u, on_answered, asker, &one) : -ENOMEM;
	if (r < 0) {
		free(asker);
		control_fail(call, 500, "store_failed", "nothing was kept: %s", strerror(-r));
		return;
	}
	log_info("newuser", "a user to be made in the cloud was asked for",
		LOG_S("id", hex_encode(newperson_row(one)->key, WIRE_KEY_SIZE, id)),
		LOG_I("uid", call->request->uid));
	*asker = (struct asker){.np = np, .later = http_later(call->request)};
	call->later = true;
}

void control_users_post(struct call *call)
{
	json_t *body = json_loadb(call->request->body, call->request->body_length,
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	struct newuser u = {.id = 0};

	if (read_body(call, body, &u) && is_free(call, &u))
		ask(call, &u);
	json_decref(body);
}

/* ---- those that wait */

void control_users_pending_get(struct call *call)
{
	bool all;
	json_t *list;
	int r;

	if (!control_query_yes(call, "all", &all))
		return;
	list = newpeople_json(call->control->newpeople, all, &r);
	if (list)
		call->body = json_pack("{s:o}", "data", list);
	else
		control_fail_store(call, r);
}

/* The one that is meant. False, and answered, where there is none. */
static bool find(struct call *call, struct newperson **ret_one)
{
	const char *id = control_query(call, "id"), *email = control_query(call, "email");
	const char *name = id ? id : email;
	int r;

	if (!name || (id && email)) {
		control_fail(call, 400, "bad_request", "give an id or an email: which one?");
		return false;
	}
	r = newpeople_find(call->control->newpeople, name, ret_one);
	if (r == 0)
		control_fail(call, 404, "not_found", "nobody waits by %.200s", name);
	else if (r < 0)
		control_fail(call, 409, "not_unique",
			"several wait by %.200s: give the id, or more digits of it", name);
	return r > 0;
}

static void tell_cancelled(struct call *call, enum newpeople_cancelled done, const char *id)
{
	const char *result = "cancelled";

	switch (done) {
	case NEWPEOPLE_CANCELLED: break;
	case NEWPEOPLE_MAY_BE_THERE: result = "may_be_there"; break;
	case NEWPEOPLE_TOLD: result = "told"; break;
	case NEWPEOPLE_IN_DOUBT:
		control_fail(call, 409, "in_doubt",
			"it may have been sent, so the cloud may have them: punchd reads the "
			"cloud's list to know. With force it is given up all the same");
		return;
	}
	log_info("newuser", "a user that was to be made was taken back", LOG_S("id", id),
		LOG_S("result", result), LOG_I("uid", call->request->uid));
	call->body = json_pack("{s:{s:s, s:s}}", "data", "id", id, "result", result);
}

void control_users_pending_delete(struct call *call)
{
	struct newperson *one;
	char id[2 * WIRE_KEY_SIZE + 1];
	bool force;
	int r;

	if (!control_query_yes(call, "force", &force) || !find(call, &one))
		return;
	hex_encode(newperson_row(one)->key, WIRE_KEY_SIZE, id);
	r = newpeople_cancel(call->control->newpeople, one, force);
	if (r < 0)
		control_fail(call, 500, "store_failed", "nothing was changed: %s", strerror(-r));
	else
		tell_cancelled(call, (enum newpeople_cancelled)r, id);
}
