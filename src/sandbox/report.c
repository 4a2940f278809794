#include "sandbox/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No zone is further from UTC than 26 hours. */
#define MARGIN_S (2 * REPORT_DAY_S)

/* Days since 1970 → 0 Monday … 6 Sunday; 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t day)
{
	return ((day + 3) % 7 + 7) % 7;
}

static bool is_working(const struct report *r, int64_t index)
{
	return r->rules->works[weekday(r->first_day + index)];
}

int report_init(struct report *r, const struct report_rules *rules, int64_t first_day, int64_t days)
{
	*r = (struct report){.rules = rules, .first_day = first_day, .days = days};
	r->each = calloc((size_t)days, sizeof *r->each);
	for (int64_t i = 0; i < days; i++)
		r->working += is_working(r, i);
	return r->each ? 0 : -ENOMEM;
}

void report_done(struct report *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->users[i].id);
		free(r->users[i].name);
		free(r->users[i].department);
	}
	free(r->users);
	free(r->each);
	*r = (struct report){0};
}

/* ---- who is in it */

static struct report_user *add(struct report *r)
{
	if (r->count == r->size) {
		size_t size = r->size ? 2 * r->size : 64;
		struct report_user *users = reallocarray(r->users, size, sizeof *users);

		if (!users)
			return NULL;
		r->users = users;
		r->size = size;
	}
	r->users[r->count] = (struct report_user){0};
	return &r->users[r->count++];
}

static int add_user(struct report *r, sqlite3_stmt *stmt)
{
	struct report_user *user = add(r);

	if (!user)
		return -ENOMEM;
	user->id = strdup(db_text(stmt, 0));
	user->name = strdup(db_text(stmt, 1));
	if (sqlite3_column_type(stmt, 2) == SQLITE_NULL)
		return user->id && user->name ? 0 : -ENOMEM;
	user->department = strdup(db_text(stmt, 2));
	return user->id && user->name && user->department ? 0 : -ENOMEM;
}

int report_list(struct report *r, struct db *db, const char *user_id, const char *department)
{
	sqlite3_stmt *stmt = db_statement(db, SQL_USER_EACH);
	int result;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, user_id);
	db_bind_text(stmt, 2, department);
	while ((result = db_step(db, stmt)) == 1) {
		result = add_user(r, stmt);
		if (result < 0)
			break;
	}
	sqlite3_reset(stmt);
	return result;
}

/* ---- counting */

static void note(struct report *r, int64_t at_s, bool is_in)
{
	int64_t local_s = at_s + (r->rules->zone ? zone_offset_at(r->rules->zone, at_s) : 0);
	int32_t second = (int32_t)((local_s % REPORT_DAY_S + REPORT_DAY_S) % REPORT_DAY_S);
	int64_t index = (local_s - second) / REPORT_DAY_S - r->first_day;
	struct report_day *day;

	if (index < 0 || index >= r->days)
		return;
	day = &r->each[index];
	if (is_in && (day->first_in < 0 || second < day->first_in))
		day->first_in = second;
	if (!is_in && second > day->last_out)
		day->last_out = second;
}

static void sum_up(struct report *r, struct report_user *user)
{
	for (int64_t i = 0; i < r->days; i++) {
		const struct report_day *day = &r->each[i];

		if (day->first_in < 0 || !is_working(r, i))
			continue;
		user->present++;
		user->late += day->first_in > r->rules->late_after_s;
		user->early += day->last_out >= 0 && day->last_out < r->rules->early_before_s;
	}
	r->present += user->present;
}

int report_count_next(struct report *r, struct db *db)
{
	struct report_user *user;
	sqlite3_stmt *stmt;
	int result;

	if (r->counted == r->count)
		return 0;
	user = &r->users[r->counted];
	stmt = db_statement(db, SQL_RECORDS_OF);
	if (!stmt)
		return -EIO;
	for (int64_t i = 0; i < r->days; i++)
		r->each[i] = (struct report_day){-1, -1};
	db_bind_text(stmt, 1, user->id);
	sqlite3_bind_int64(stmt, 2, r->first_day * REPORT_DAY_S - MARGIN_S);
	sqlite3_bind_int64(stmt, 3, (r->first_day + r->days) * REPORT_DAY_S + MARGIN_S);
	while ((result = db_step(db, stmt)) == 1)
		note(r, sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1) != 0);
	if (result < 0)
		return result;
	sum_up(r, user);
	r->counted++;
	return 1;
}

int64_t report_percentage(int64_t part, int64_t whole)
{
	return whole == 0 ? 0 : (2 * part * 10000 + whole) / (2 * whole);
}

int64_t report_average(const struct report *r)
{
	return report_percentage(r->present, r->working * (int64_t)r->count);
}
