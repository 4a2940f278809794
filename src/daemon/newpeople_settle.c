/* What becomes of one who was asked for: on disk with all that belongs to it, then in memory. */
#include <errno.h>

#include "base/hex.h"
#include "base/jget.h"
#include "base/log.h"
#include "daemon/entry.h"
#include "daemon/linking.h"
#include "daemon/newpeople_private.h"
#include "daemon/rejudge.h"
#include "store/store_newuser.h"

static int failed(struct newperson *one, int error, const char *what)
{
	struct context *c = one->np->context;

	linking_roll_back(c);
	return context_store_failed(c, error, what);
}

int newpeople_store(struct newperson *one, const struct newuser *wanted)
{
	struct store *s = one->np->context->store;
	int r = store_newuser_update(s, wanted);

	if (r == 0)
		r = store_commit(s);
	if (r < 0)
		return failed(one, r, "keeping what became of a user to be made");
	one->u = *wanted;
	return 0;
}

/* ---- the note, and the log */

static void __attribute__((format(printf, 2, 3)))
add_note(struct newuser *u, const char *format, ...)
{
	char words[NEWUSER_NOTE_MAX + 1], both[2 * NEWUSER_NOTE_MAX + 4];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof words, format, ap);
	va_end(ap);
	snprintf(both, sizeof both, "%s%s%s", u->note, u->note[0] && words[0] ? "; " : "", words);
	punch_text_cut(u->note, sizeof u->note, both);
}

static void tell_log(const struct newuser *u, bool linked)
{
	char id[2 * WIRE_KEY_SIZE + 1];

	log_info("newuser",
		u->state == NEWUSER_ADOPTED
			? "a user that was to be made is in the cloud's list: nothing more is sent"
			: "a user was made in the cloud",
		LOG_S("id", hex_encode(u->key, sizeof u->key, id)), LOG_S("user", u->user_id),
		LOG_S("linked", linked ? "yes" : "no"), LOG_I("asked_by", u->uid));
}

/* ---- the link */

/* In the open transaction. Returns whether it was made, or an error. */
static int make_link(struct context *c, struct newuser *u)
{
	const struct user_link wanted = {.kind = u->link_kind,
		.value = u->link_value,
		.device = u->link_device,
		.user_id = u->user_id,
		.at_us = u->settled_us,
		.uid = u->uid,
		.name = u->who,
		.note = "asked for with the user"};
	const struct user_link *there;
	int r;

	if (!u->wants_link)
		return 0;
	there = links_get(&c->links, wanted.kind, wanted.value, wanted.device);
	if (there && strcmp(there->user_id, wanted.user_id) == 0)
		return 0;
	if (there) {
		add_note(u, "not linked: %s:%.64s is %s by now", user_kind_name(wanted.kind),
			wanted.value, there->user_id);
		return 0;
	}
	if (links_count(&c->links) >= LINKS_MAX) {
		add_note(u, "not linked: there may be %d links at most", LINKS_MAX);
		return 0;
	}
	r = linking_add(c, &wanted);
	if (r == 0)
		r = rejudge_mark(c->store);
	return r < 0 ? r : 1;
}

/* ---- the directory */

/* As the cloud says it; what it leaves out is as it was asked for. A new reference. */
static json_t *as_listed(const struct newuser *u, const json_t *data)
{
	const struct newuser_person person = newuser_person(u);
	const char *const fields[][2] = {{"name", person.name}, {"email", person.email},
		{"phone", person.phone}, {"department", person.department}};
	json_t *user = json_is_object(data) ? json_copy((json_t *)(uintptr_t)data) : json_object();

	for (size_t i = 0; user && i < sizeof fields / sizeof fields[0]; i++) {
		if (!json_object_get(user, fields[i][0]))
			json_object_set_new(user, fields[i][0], json_string(fields[i][1]));
	}
	if (user)
		json_object_set_new(user, "id", json_string(u->user_id));
	return user;
}

static int store_entry(struct context *c, const struct entry *e)
{
	int r = entry_store(c, e, entry_compare(c, e));

	if (r == 0 && entry_moves_people(c, e))
		r = rejudge_mark(c->store);
	return r;
}

/* Commits with it what is in the open transaction. Where memory lacks it then, the list brings it. */
static int put_into_directory(struct context *c, const struct newuser *u, const json_t *data)
{
	json_t *user = as_listed(u, data);
	struct entry entry;
	bool sound = user && entry_read(DIR_USERS, user, &entry);
	int r = sound ? store_entry(c, &entry) : user ? 0 : -ENOMEM;

	if (r == 0)
		r = store_commit(c->store);
	if (r == 0 && sound)
		directory_tell_user(&c->directory, &entry.user, loop_now(c->loop).mono_us);
	json_decref(user);
	return r;
}

/* ---- the ends */

/* Settled, told and out of memory. */
static void end(struct newperson *one, const struct newuser *settled)
{
	one->u = *settled;
	newpeople_answer(one);
	if (settled->state != NEWUSER_REFUSED || settled->told)
		newpeople_forget(one);
}

/* The cloud has them, and we could not write it: the list will show them. */
static void find_again(struct newperson *one)
{
	one->in_doubt = true;
	one->doubt_us = newpeople_now_us(one->np);
	one->not_before_us = one->quiet_us = one->doubt_us + CLOCK_US_PER_S;
}

static struct newuser settled(const struct newperson *one, enum newuser_state state)
{
	struct newuser u = one->u;

	u.state = state;
	u.settled_us = loop_now(one->np->context->loop).wall_us;
	u.told = one->answered != NULL;
	if (state != NEWUSER_REFUSED) {
		u.error_status = 0;
		u.error_code[0] = u.error_message[0] = u.error_param[0] = '\0';
	}
	return u;
}

/* They are in the cloud: the row, the link, and the directory where data tells of them. */
static void made(struct newperson *one, struct newuser *u, const json_t *data, bool in_directory)
{
	struct newpeople *np = one->np;
	struct context *c = np->context;
	int linked = make_link(c, u), r = linked < 0 ? linked : store_newuser_update(c->store, u);

	if (r == 0)
		r = in_directory ? store_commit(c->store) : put_into_directory(c, u, data);
	if (r < 0) {
		failed(one, r, "keeping that a user was made");
		find_again(one);
		return;
	}
	tell_log(u, linked > 0);
	end(one, u);
	np->on.changed(np->on.arg, true);
}

static void note_differences(struct newuser *u, const char *name, const char *department)
{
	const struct newuser_person person = newuser_person(u);
	char words[NEWUSER_WORDS_SIZE];

	newuser_differences(&person, name, department, words);
	add_note(u, "%.300s", words);
}

void newpeople_created(struct newperson *one, const char *user_id, const json_t *data)
{
	struct newuser u = settled(one, NEWUSER_CREATED);

	punch_text_cut(u.user_id, sizeof u.user_id, user_id);
	if (one->u.state == NEWUSER_CANCELLED) {
		u.wants_link = false;
		punch_text_cut(u.note, sizeof u.note, "it was taken back too late");
	}
	if (json_is_object(data))
		note_differences(&u,
			json_object_get(data, "name") ? jget_str_or_empty(data, "name") : u.name,
			json_object_get(data, "department") ? jget_str_or_empty(data, "department")
							    : u.department);
	made(one, &u, data, false);
}

void newpeople_adopted(struct newperson *one, const struct dir_user *user)
{
	struct newuser u = settled(one, NEWUSER_ADOPTED);

	punch_text_cut(u.user_id, sizeof u.user_id, user->id);
	note_differences(&u, user->name, user->department);
	made(one, &u, NULL, true);
}

static void refuse(struct newperson *one, struct newuser *u)
{
	struct newpeople *np = one->np;
	char id[2 * WIRE_KEY_SIZE + 1];

	if (newpeople_store(one, u) < 0) {
		one->not_before_us = newpeople_now_us(np) + CLOCK_US_PER_S;
		return;
	}
	log_warn("newuser",
		"a user could not be made in the cloud: punchctl users pending says why, users "
		"cancel takes it off that list",
		LOG_S("id", hex_encode(u->key, sizeof u->key, id)), LOG_S("code", u->error_code),
		LOG_S("param", u->error_param), LOG_I("status", u->error_status),
		LOG_I("asked_by", u->uid));
	end(one, u);
}

void newpeople_refused(struct newperson *one)
{
	struct newuser u = settled(one, NEWUSER_REFUSED);

	refuse(one, &u);
}

void newpeople_clashed(
	struct newperson *one, const struct dir_user *user, enum newuser_likeness likeness)
{
	struct newuser u = settled(one, NEWUSER_REFUSED);
	bool by_email = likeness == NEWUSER_SAME_EMAIL;

	punch_text_cut(u.error_code, sizeof u.error_code, "already_exists");
	punch_text_cut(u.error_param, sizeof u.error_param, by_email ? "email" : "phone");
	snprintf(u.error_message, sizeof u.error_message,
		"%s in the cloud has this %s, and another %s", user->id,
		by_email ? "e-mail address" : "phone number",
		by_email ? "phone number" : "e-mail address");
	refuse(one, &u);
}
