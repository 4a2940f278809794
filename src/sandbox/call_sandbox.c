/* What a test or a person asks of the sandbox itself, below /_sandbox/. */
#include <errno.h>

#include "base/jget.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/listing.h"
#include "sandbox/sandbox.h"
#include "sandbox/seed.h"

#define TEXT_MAX      65536 /* by this way a name may be as no sound cloud would have it */
#define ADMIN_KEY_MAX KEYS_TEXT_MAX

#define CLOCK_OFF_MAX_MS (400 * 86400000LL)

static void answer_nothing(struct exchange *x)
{
	answer_data(x, 200, json_object(), NULL);
}

/* ---- records */

static json_t *record_json(sqlite3_stmt *stmt)
{
	char id[32];

	snprintf(id, sizeof id, "att_%010lld", (long long)sqlite3_column_int64(stmt, 0));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:I}", "seq",
		(json_int_t)sqlite3_column_int64(stmt, 0), "id", id, "user_id", db_text(stmt, 1),
		"device_id", db_text(stmt, 2), "type", db_text(stmt, 3), "timestamp",
		directory_time(sqlite3_column_int64(stmt, 4)), "created_at",
		directory_time(sqlite3_column_int64(stmt, 5)), "idempotency_key",
		(const char *)sqlite3_column_text(stmt, 6), "posts",
		(json_int_t)sqlite3_column_int64(stmt, 7));
}

void call_sandbox_attendance(struct exchange *x)
{
	listing_answer(x, SQL_RECORD_PAGE, SQL_RECORD_COUNT, record_json);
}

/* ---- faults */

void call_sandbox_faults_list(struct exchange *x)
{
	answer_data(x, 200, faults_list(&x->sandbox->faults), NULL);
}

void call_sandbox_faults_add(struct exchange *x)
{
	json_t *body = exchange_json(x);
	const char *spec;
	char why[256];
	int r;

	if (body && exchange_take_text(x, body, "spec", 511, true, &spec)) {
		r = faults_add(&x->sandbox->faults, spec, why, sizeof why);
		if (r == -EINVAL)
			answer_error(x, 400, "invalid_request", "spec", "%s", why);
		else if (r < 0)
			answer_broken(x);
		else
			call_sandbox_faults_list(x);
	}
	json_decref(body);
}

void call_sandbox_faults_clear(struct exchange *x)
{
	faults_clear(&x->sandbox->faults);
	answer_nothing(x);
}

/* ---- the plan and the clock */

void call_sandbox_plan(struct exchange *x)
{
	json_t *body = exchange_json(x);
	int64_t limit;

	if (!body)
		return;
	if (jget_int(body, "limit", 1, OPTIONS_PLAN_MAX, &limit) == 1) {
		x->sandbox->keys.per_window = limit;
		answer_nothing(x);
	} else {
		answer_error(x, 400, "invalid_request", "limit",
			"limit must be a number from 1 to %d", OPTIONS_PLAN_MAX);
	}
	json_decref(body);
}

void call_sandbox_clock(struct exchange *x)
{
	json_t *body = exchange_json(x);
	int64_t off_ms;

	if (!body)
		return;
	if (jget_int(body, "off_ms", -CLOCK_OFF_MAX_MS, CLOCK_OFF_MAX_MS, &off_ms) == 1) {
		x->sandbox->clock_off_ms = off_ms;
		answer_nothing(x);
	} else {
		answer_error(x, 400, "invalid_request", "off_ms",
			"off_ms must be a number of milliseconds, 400 days at the most");
	}
	json_decref(body);
}

/* ---- API keys */

/* read_only is what rights were called when there were two of them. */
static int take_rights(const json_t *body, enum keys_rights *ret)
{
	const char *name = NULL;
	bool read_only = false;
	int r = jget_bool(body, "read_only", &read_only);

	if (r < 0)
		return r;
	*ret = read_only ? KEYS_READ : KEYS_ALL;
	r = jget_str(body, "rights", 1, 16, &name);
	return r == 1 ? keys_rights_parse(name, ret) : r;
}

static void add_key(struct exchange *x, const json_t *body, const char *key)
{
	enum keys_rights rights;
	int r = take_rights(body, &rights);

	if (r == 0)
		r = keys_add(&x->sandbox->keys, &x->sandbox->db, key, rights);
	if (r == -EINVAL)
		answer_error(x, 400, "invalid_request", "add",
			"a key is visible ASCII without blanks; rights are all, read or "
			"attendance; read_only is true or false");
	else if (r < 0)
		answer_broken(x);
	else
		answer_nothing(x);
}

static void remove_key(struct exchange *x, const char *key)
{
	int r = keys_remove(&x->sandbox->keys, &x->sandbox->db, key);

	if (r < 0)
		answer_broken(x);
	else if (r == 0)
		answer_error(x, 404, "not_found", "remove", "there is no such key");
	else
		answer_nothing(x);
}

void call_sandbox_keys(struct exchange *x)
{
	json_t *body = exchange_json(x);
	const char *add = NULL, *remove = NULL;

	if (body && exchange_take_text(x, body, "add", ADMIN_KEY_MAX, false, &add) &&
		exchange_take_text(x, body, "remove", ADMIN_KEY_MAX, false, &remove)) {
		if (!add == !remove)
			answer_error(x, 400, "invalid_request", "add", "either add or remove");
		else if (add)
			add_key(x, body, add);
		else
			remove_key(x, remove);
	}
	json_decref(body);
}

void call_sandbox_forget(struct exchange *x)
{
	struct db *db = &x->sandbox->db;

	if (db_write(db) < 0 || db_run(db, db_statement(db, SQL_IDEM_FORGET)) < 0)
		answer_broken(x);
	else
		answer_nothing(x);
}

/* ---- users and devices */

/* What the body does not say stays as it is in old, which may be NULL: then as in made_up. */
static bool take_or_keep(struct exchange *x, const json_t *body, const json_t *old,
	const char *name, const char *made_up, const char **ret)
{
	const char *kept = json_string_value(json_object_get(old, name));

	*ret = old ? kept : made_up;
	return exchange_take_text(x, body, name, TEXT_MAX, false, ret);
}

static bool take_user(
	struct exchange *x, const json_t *body, const json_t *old, struct directory_user *user)
{
	static struct seed_user seed;
	static char email[96], phone[32];
	int64_t n;

	if (db_number(&x->sandbox->db, SQL_USER_NEXT, &n) < 0) {
		answer_broken(x);
		return false;
	}
	seed_user(1, &seed);
	snprintf(email, sizeof email, "%s@example.com", user->id);
	snprintf(phone, sizeof phone, "+91%010lld", 8000000000LL + (long long)n);
	return take_or_keep(x, body, old, "name", seed.name, &user->name) &&
		take_or_keep(x, body, old, "email", email, &user->email) &&
		take_or_keep(x, body, old, "phone", phone, &user->phone) &&
		take_or_keep(x, body, old, "department", NULL, &user->department);
}

static void put_user(struct exchange *x, const json_t *body, const char *id)
{
	struct db *db = &x->sandbox->db;
	struct directory_user user = {.id = id};
	json_t *old = NULL, *data = NULL;
	bool gone = false;
	int r = directory_user_get(db, id, &old, &gone);

	if (r >= 0 && take_user(x, body, old, &user)) {
		r = old ? directory_user_change(db, &user, x->now_ms / 1000)
			: directory_user_add(db, &user, x->now_ms / 1000);
		if (r == 0)
			r = directory_user_get(db, id, &data, NULL);
	}
	if (data) {
		exchange_event(
			x, old && !gone ? "user.updated" : "user.created", json_incref(data));
		answer_data(x, 200, data, NULL);
	} else if (r < 0) {
		answer_broken(x);
	}
	json_decref(old);
}

void call_sandbox_users_put(struct exchange *x)
{
	json_t *body = exchange_json(x);
	const char *id = NULL;
	char next[32];

	if (body && exchange_take_text(x, body, "id", 64, false, &id)) {
		if (!id && directory_next_user_id(&x->sandbox->db, next) < 0)
			answer_broken(x);
		else
			put_user(x, body, id ? id : next);
	}
	json_decref(body);
}

static void answer_removed(struct exchange *x, int removed)
{
	if (removed < 0)
		answer_broken(x);
	else if (removed == 0)
		answer_error(x, 404, "not_found", "id", "there is no %s", x->rest);
	else
		answer_nothing(x);
}

void call_sandbox_users_remove(struct exchange *x)
{
	answer_removed(x, directory_user_remove(&x->sandbox->db, x->rest));
}

static bool take_device(
	struct exchange *x, const json_t *body, const json_t *old, struct directory_device *device)
{
	return take_or_keep(x, body, old, "name", "Terminal", &device->name) &&
		take_or_keep(x, body, old, "type", "fingerprint", &device->type) &&
		take_or_keep(x, body, old, "status", "active", &device->status) &&
		take_or_keep(x, body, old, "location", NULL, &device->location);
}

static bool status_differs(const json_t *old, const json_t *data)
{
	return old && !json_equal(json_object_get(old, "status"), json_object_get(data, "status"));
}

static void put_device(struct exchange *x, const json_t *body, const char *serial)
{
	struct db *db = &x->sandbox->db;
	struct directory_device device = {.serial = serial};
	json_t *old = NULL, *data = NULL;
	char next[32];
	bool gone;
	int r = directory_device_by_serial(db, serial, &old, &gone);

	if (r == 0)
		r = directory_next_device_id(db, next);
	device.id = old ? json_string_value(json_object_get(old, "id")) : next;
	if (r >= 0 && take_device(x, body, old, &device)) {
		r = old ? directory_device_change(db, &device, x->now_ms / 1000)
			: directory_device_add(db, &device, x->now_ms / 1000);
		if (r == 0)
			r = directory_device_get(db, device.id, &data, NULL);
	}
	if (data && status_differs(old, data))
		exchange_event(x, "device.status_changed", json_incref(data));
	if (data)
		answer_data(x, 200, data, NULL);
	else if (r < 0)
		answer_broken(x);
	json_decref(old);
}

void call_sandbox_devices_put(struct exchange *x)
{
	json_t *body = exchange_json(x);
	const char *serial;

	if (body && exchange_take_text(x, body, "serial_number", 64, true, &serial))
		put_device(x, body, serial);
	json_decref(body);
}

void call_sandbox_devices_remove(struct exchange *x)
{
	answer_removed(x, directory_device_remove(&x->sandbox->db, x->rest));
}
