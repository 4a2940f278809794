/*
 * /v1/links: who is meant by what a terminal sends. A call is one transaction: all of its links are
 * made, or none. What waits is judged again right after it, and so is what is queued before it
 * freezes (JUDGING.md §7).
 */
#include <errno.h>
#include <pwd.h>

#include "base/jget.h"
#include "base/log.h"
#include "core/user.h"
#include "daemon/control_private.h"
#include "daemon/linking.h"
#include "daemon/view.h"

#define FAULTS_MAX 1000   /* that one answer tells */
#define BATCH_MAX  100000 /* links of one call: whom an enterprise has */

/* The links of one call, while they are looked at. */
struct batch {
	struct call *call;
	struct user_link *links; /* count of them; their texts are the request's, values below */
	char **values;           /* owned: normalised */
	size_t count;
	json_t *faults;    /* [{"index","message"}] */
	struct links seen; /* what this batch has so far, for finding what it says twice */
	bool known_only;   /* a user that the directory does not know is a fault */
	bool dry_run;
	int64_t changes[LINK_GONE + 1];
	int64_t unknown;
	char name[64]; /* of who makes them */
};

/* ---- GET */

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *link_json(const struct context *c, const struct user_link *l)
{
	const struct dir_user *user = directory_user(&c->directory, l->user_id);

	return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:{s:I, s:s}, s:s}", "kind",
		user_kind_name(l->kind), "value", l->value, "device", text_or_null(l->device),
		"user_id", l->user_id, "name", text_or_null(user ? user->name : ""), "at",
		view_time(l->at_us, false), "by", "uid", (json_int_t)l->uid, "name", l->name,
		"note", l->note);
}

static void add_link(struct buf *out, const struct context *c, const struct user_link *l, bool more)
{
	json_t *json = link_json(c, l);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	buf_add_str(out, more ? "," : "");
	if (text)
		buf_add_str(out, text);
	else
		out->error = -ENOMEM;
	free(text);
	json_decref(json);
}

static int by_name(const void *a, const void *b)
{
	const struct user_link *x = *(const struct user_link *const *)a;
	const struct user_link *y = *(const struct user_link *const *)b;
	int r = (int)x->kind - (int)y->kind;

	if (r == 0)
		r = strcmp(x->value, y->value);
	return r ? r : strcmp(x->device, y->device);
}

void control_links_get(struct call *call)
{
	const struct context *c = call->control->context;
	size_t count = links_count(&c->links), pos = 0;
	const struct user_link **sorted = calloc(count + 1, sizeof(*sorted)), *l;

	for (size_t i = 0; sorted && (l = links_next(&c->links, &pos)); i++)
		sorted[i] = l;
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), by_name);
	buf_add_str(&call->made, "{\"data\":[");
	for (size_t i = 0; sorted && i < count; i++)
		add_link(&call->made, c, sorted[i], i > 0);
	buf_add_str(&call->made, "]}");
	if (!sorted)
		call->made.error = -ENOMEM;
	free(sorted);
}

/* ---- reading */

static void __attribute__((format(printf, 3, 4)))
add_fault(struct batch *b, size_t index, const char *format, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	if (json_array_size(b->faults) < FAULTS_MAX)
		json_array_append_new(b->faults,
			json_pack("{s:I, s:s}", "index", (json_int_t)index, "message", message));
}

/* A text of an object; "" where there is none. NULL: it is something else. */
static const char *text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return "";
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return NULL;
	return json_string_value(value);
}

/* Returns NULL, or what is wrong with it. */
static const char *read_link(const json_t *object, struct user_link *l)
{
	const char *kind = text_of(object, "kind"), *note = text_of(object, "note");

	l->value = text_of(object, "value");
	l->device = text_of(object, "device");
	l->user_id = text_of(object, "user_id");
	if (!kind || !l->value || !l->device || !l->user_id || !note)
		return "kind, value, device, user_id and note are texts";
	if (note[0])
		l->note = note;
	if (user_kind_parse(kind, &l->kind) < 0)
		return "the kind is none of id, pin, card, slot, email and phone";
	return NULL;
}

static bool is_unknown(const struct batch *b, const struct user_link *l)
{
	const struct context *c = b->call->control->context;

	return l->user_id[0] && !directory_user(&c->directory, l->user_id);
}

static void check_twice(struct batch *b, size_t index)
{
	const struct user_link *l = &b->links[index];
	const struct user_link *first = links_get(&b->seen, l->kind, l->value, l->device);

	if (first)
		add_fault(b, index, "%s:%s is there already, with %s", user_kind_name(l->kind),
			l->value, first->user_id);
	else
		links_apply(&b->seen, l);
}

static void check(struct batch *b, size_t index)
{
	struct user_link *l = &b->links[index];
	char value[USER_MAX + 1];
	const char *fault = links_fault(l, value);

	if (!fault && !(b->values[index] = strdup(value)))
		fault = strerror(ENOMEM);
	if (fault) {
		add_fault(b, index, "%s", fault);
		return;
	}
	l->value = b->values[index];
	if (b->links[index].user_id[0])
		check_twice(b, index);
	if (is_unknown(b, l)) {
		b->unknown++;
		/* Before the first complete pass nobody is known. */
		if (b->known_only && b->call->control->context->users_pass_ms != 0)
			add_fault(b, index, "no user %s is known", l->user_id);
	}
	b->changes[links_compare(&b->call->control->context->links, l)]++;
}

/* ---- making */

/* Who makes them. */
static void sign(struct batch *b)
{
	const struct call *call = b->call;
	const struct passwd *who = getpwuid(call->request->uid);

	snprintf(b->name, sizeof b->name, "%s", who ? who->pw_name : "");
	for (size_t i = 0; i < b->count; i++)
		b->links[i] = (struct user_link){.value = "",
			.device = "",
			.user_id = "",
			.at_us = loop_now(call->control->context->loop).wall_us,
			.uid = (uint32_t)call->request->uid,
			.name = b->name,
			.note = ""};
}

/* False, and answered, where there is no memory. */
static bool begin(struct batch *b, struct call *call, size_t count)
{
	*b = (struct batch){.call = call,
		.count = count,
		.links = calloc(count + 1, sizeof *b->links),
		.values = calloc(count + 1, sizeof *b->values),
		.faults = json_array()};
	links_init(&b->seen, loop_random(call->control->context->loop));
	if (b->links && b->values && b->faults) {
		sign(b);
		return true;
	}
	b->count = 0;
	control_fail(call, 500, "no_memory", "%s", strerror(ENOMEM));
	return false;
}

static void end(struct batch *b)
{
	for (size_t i = 0; b->values && i < b->count; i++)
		free(b->values[i]);
	links_done(&b->seen);
	json_decref(b->faults);
	free(b->values);
	free(b->links);
}

static int write_all(struct batch *b)
{
	struct context *c = b->call->control->context;
	int r = 0;

	for (size_t i = 0; i < b->count && r == 0; i++) {
		if (links_compare(&c->links, &b->links[i]) == LINK_SAME)
			continue;
		r = linking_add(c, &b->links[i]);
	}
	if (r == 0)
		r = rejudge_mark(c->store);
	if (r == 0)
		r = store_commit(c->store);
	if (r < 0)
		linking_roll_back(c);
	return r;
}

static void tell(struct batch *b)
{
	b->call->body = json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:b}}", "data", "new",
		(json_int_t)b->changes[LINK_NEW], "changed", (json_int_t)b->changes[LINK_CHANGED],
		"same", (json_int_t)b->changes[LINK_SAME], "gone",
		(json_int_t)b->changes[LINK_GONE], "unknown_users", (json_int_t)b->unknown,
		"dry_run", b->dry_run);
}

static void make(struct batch *b)
{
	struct control *control = b->call->control;
	int r;

	r = write_all(b);
	if (r == -EDQUOT) {
		control_fail(b->call, 409, "too_many", "there may be %d links at most", LINKS_MAX);
	} else if (r < 0) {
		context_store_failed(control->context, r, "changing links");
		control_fail(b->call, 500, "store_failed", "nothing was changed: %s", strerror(-r));
	} else {
		log_info("links", "links were changed: what waits is judged again",
			LOG_I("new", b->changes[LINK_NEW]),
			LOG_I("changed", b->changes[LINK_CHANGED]),
			LOG_I("gone", b->changes[LINK_GONE]), LOG_I("uid", b->call->request->uid));
		rejudge_start(control->rejudge, REJUDGE_PEOPLE);
		tell(b);
	}
}

static void refuse(struct batch *b)
{
	size_t faults = json_array_size(b->faults);

	control_fail(b->call, 400, "bad_links", "%s%s",
		json_string_value(json_object_get(json_array_get(b->faults, 0), "message")),
		faults > 1 ? ", and more is at fault: nothing was changed" : "");
	json_object_set(json_object_get(b->call->body, "error"), "faults", b->faults);
}

/* ---- PUT */

static const json_t *element(const json_t *body, const json_t *many, size_t index)
{
	return many ? json_array_get(many, index) : body;
}

static void read_all(struct batch *b, const json_t *body, const json_t *many)
{
	for (size_t i = 0; i < b->count; i++) {
		const char *note = text_of(body, "note"), *fault;

		b->links[i].note = note ? note : "";
		fault = read_link(element(body, many, i), &b->links[i]);
		if (!fault && !b->links[i].user_id[0])
			fault = "no user_id is given";
		if (fault)
			add_fault(b, i, "%s", fault);
		else
			check(b, i);
	}
}

static void put_all(struct call *call, const json_t *body)
{
	const json_t *many = json_object_get(body, "links");
	struct batch b;

	if (many && !json_is_array(many)) {
		control_fail(call, 400, "bad_request", "links is no array");
		return;
	}
	if (json_array_size(many) > BATCH_MAX) {
		control_fail(call, 400, "too_many", "%d links at most in one call", BATCH_MAX);
		return;
	}
	if (begin(&b, call, many ? json_array_size(many) : 1)) {
		b.dry_run = json_is_true(json_object_get(body, "dry_run"));
		b.known_only = json_is_true(json_object_get(body, "known_users"));
		read_all(&b, body, many);
		if (json_array_size(b.faults) > 0)
			refuse(&b);
		else if (b.dry_run)
			tell(&b);
		else
			make(&b);
	}
	end(&b);
}

void control_links_put(struct call *call)
{
	json_t *body = json_loadb(call->request->body, call->request->body_length,
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	if (json_is_object(body))
		put_all(call, body);
	else
		control_fail(call, 400, "bad_request", "the body is no JSON object");
	json_decref(body);
}

/* ---- DELETE */

static const char *query_or_empty(const struct call *call, const char *key)
{
	const char *value = control_query(call, key);

	return value ? value : "";
}

static void delete_one(struct batch *b)
{
	struct call *call = b->call;
	struct user_link *l = &b->links[0];

	l->value = query_or_empty(call, "value");
	l->device = query_or_empty(call, "device");
	l->note = query_or_empty(call, "note");
	if (user_kind_parse(query_or_empty(call, "kind"), &l->kind) < 0) {
		control_fail(call, 400, "bad_request",
			"the kind is none of id, pin, card, slot, email and phone");
		return;
	}
	check(b, 0);
	if (json_array_size(b->faults) > 0)
		refuse(b);
	else if (b->changes[LINK_GONE] == 0)
		control_fail(call, 404, "not_found", "%s:%.100s is not linked %s%.64s",
			user_kind_name(l->kind), l->value,
			l->device[0] ? "at " : "for all terminals", l->device);
	else
		make(b);
}

void control_links_delete(struct call *call)
{
	struct batch b;

	if (begin(&b, call, 1))
		delete_one(&b);
	end(&b);
}
