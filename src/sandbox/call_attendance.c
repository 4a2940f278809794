/*
 * POST /attendance.
 *
 * A field that is missing or no text: 400. A type or timestamp that is a text but no such thing:
 * 422. A user or device that nobody knows: 404. Each names its param.
 */
#include <errno.h>

#include "base/time.h"
#include "sandbox/answer.h"
#include "sandbox/directory.h"
#include "sandbox/sandbox.h"

#define ID_MAX 64

struct record {
	const char *user_id, *device_id, *type;
	int64_t at_s;
};

static bool take_timestamp(struct exchange *x, const json_t *body, struct record *record)
{
	const char *text = NULL;

	record->at_s = x->now_ms / 1000;
	if (!exchange_take_text(x, body, "timestamp", TIME_TEXT_SIZE * 2, false, &text))
		return false;
	if (!text || time_parse_rfc3339(text, &record->at_s) == 0)
		return true;
	answer_error(x, 422, "invalid_request", "timestamp",
		"timestamp must be ISO 8601 with an offset, such as 2023-01-15T10:30:00Z");
	return false;
}

static bool take_record(struct exchange *x, const json_t *body, struct record *record)
{
	if (!exchange_take_text(x, body, "user_id", ID_MAX, true, &record->user_id) ||
		!exchange_take_text(x, body, "device_id", ID_MAX, true, &record->device_id) ||
		!exchange_take_text(x, body, "type", ID_MAX, true, &record->type))
		return false;
	if (strcmp(record->type, "check_in") != 0 && strcmp(record->type, "check_out") != 0) {
		answer_error(
			x, 422, "invalid_request", "type", "type must be check_in or check_out");
		return false;
	}
	return take_timestamp(x, body, record);
}

/* found: 1, 0, or negative for a broken file. */
static bool check_known(struct exchange *x, int found, const char *param, const char *id)
{
	if (found < 0)
		answer_broken(x);
	else if (found == 0)
		answer_error(x, 404, "not_found", param, "there is no %s %s", param, id);
	return found == 1;
}

static int insert(struct exchange *x, const struct record *record, int64_t *ret_seq)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_RECORD_ADD);

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, record->user_id);
	db_bind_text(stmt, 2, record->device_id);
	db_bind_text(stmt, 3, record->type);
	sqlite3_bind_int64(stmt, 4, record->at_s);
	sqlite3_bind_int64(stmt, 5, x->now_ms / 1000);
	db_bind_text(stmt, 6, x->key[0] ? x->key : NULL);
	if (db_run(db, stmt) < 0)
		return -EIO;
	*ret_seq = sqlite3_last_insert_rowid(db->sqlite);
	return directory_device_seen(db, record->device_id, x->now_ms / 1000);
}

static void add(struct exchange *x, const struct record *record)
{
	char id[32];
	int64_t seq;
	json_t *data;

	if (insert(x, record, &seq) < 0) {
		answer_broken(x);
		return;
	}
	snprintf(id, sizeof id, "att_%010lld", (long long)seq);
	data = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "id", id, "user_id", record->user_id,
		"device_id", record->device_id, "type", record->type, "timestamp",
		directory_time(record->at_s), "created_at", directory_time(x->now_ms / 1000));
	exchange_event(x, "attendance.created", json_incref(data));
	answer_data(x, 201, data, NULL);
}

void call_attendance_add(struct exchange *x)
{
	struct db *db = &x->sandbox->db;
	struct record record = {0};
	json_t *body = exchange_json(x);

	if (body && take_record(x, body, &record) &&
		check_known(x, directory_user_get(db, record.user_id, NULL, NULL), "user_id",
			record.user_id) &&
		check_known(x, directory_device_get(db, record.device_id, NULL, NULL), "device_id",
			record.device_id))
		add(x, &record);
	json_decref(body);
}
