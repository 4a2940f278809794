/* GET and POST /users, GET /devices. */
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/sandbox.h"

#define PAGE_DEFAULT 20
#define PAGE_MAX     100
#define TEXT_MAX     200

void call_users_list(struct exchange *x)
{
	int64_t limit = PAGE_DEFAULT, offset = 0, total;
	json_t *list;

	if (!exchange_query_int(x, "limit", 1, INT32_MAX, &limit) ||
		!exchange_query_int(x, "offset", 0, INT32_MAX, &offset))
		return;
	limit = limit > PAGE_MAX ? PAGE_MAX : limit;
	if (directory_users(&x->sandbox->db, limit, offset, x->plan.shuffle, &list, &total) < 0) {
		answer_broken(x);
		return;
	}
	answer_data(x, 200, list,
		json_pack("{s:I, s:I, s:I}", "total", (json_int_t)total, "limit", (json_int_t)limit,
			"offset", (json_int_t)offset));
}

static bool email_good(const char *email)
{
	const char *at = strchr(email, '@');

	for (const char *p = email; *p; p++) {
		if (*p == ' ' || (*p > 0 && *p < ' '))
			return false;
	}
	return at && at != email && at[1] && !strchr(at + 1, '@');
}

/* E.164: a plus, then 7 to 15 digits, the first not 0. */
static bool phone_good(const char *phone)
{
	size_t digits = phone[0] == '+' ? strspn(phone + 1, "0123456789") : 0;

	return digits >= 7 && digits <= 15 && phone[1] != '0' && phone[digits + 1] == '\0';
}

static bool take_user(struct exchange *x, const json_t *body, struct directory_user *user)
{
	if (!exchange_take_text(x, body, "name", TEXT_MAX, true, &user->name) ||
		!exchange_take_text(x, body, "email", TEXT_MAX, true, &user->email) ||
		!exchange_take_text(x, body, "phone", TEXT_MAX, true, &user->phone) ||
		!exchange_take_text(x, body, "department", TEXT_MAX, false, &user->department))
		return false;
	if (!email_good(user->email))
		answer_error(
			x, 422, "invalid_request", "email", "email must look like name@domain");
	else if (!phone_good(user->phone))
		answer_error(x, 422, "invalid_request", "phone",
			"phone must be in E.164, such as +919876543210");
	return x->status == 0;
}

/* No two people share an address or a number; those that were removed have none. */
static bool check_new(struct exchange *x, const char *name, enum db_sql which, const char *text)
{
	int r = x->plan.no_unique ? 0 : directory_user_has(&x->sandbox->db, which, text);

	if (r < 0)
		answer_broken(x);
	else if (r == 1)
		answer_error(x, 409, "already_exists", name, "there is a user with this %s already",
			name);
	return r == 0;
}

static void add(struct exchange *x, struct directory_user *user)
{
	struct db *db = &x->sandbox->db;
	char id[32];
	json_t *data;

	user->id = id;
	if (!check_new(x, "email", SQL_USER_BY_EMAIL, user->email) ||
		!check_new(x, "phone", SQL_USER_BY_PHONE, user->phone))
		return;
	if (directory_next_user_id(db, id) < 0 ||
		directory_user_add(db, user, x->now_ms / 1000) < 0 ||
		directory_user_get(db, id, &data, NULL) != 1) {
		answer_broken(x);
		return;
	}
	exchange_event(x, "user.created", json_incref(data));
	answer_data(x, 201, data, NULL);
}

void call_users_add(struct exchange *x)
{
	struct directory_user user = {0};
	json_t *body = exchange_json(x);

	if (body && take_user(x, body, &user))
		add(x, &user);
	json_decref(body);
}

void call_devices_list(struct exchange *x)
{
	json_t *list;

	if (directory_devices(&x->sandbox->db, &list) < 0)
		answer_broken(x);
	else
		answer_data(x, 200, list, NULL);
}
