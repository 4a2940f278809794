#include "sandbox/idempotency.h"

#include <errno.h>

#include <openssl/evp.h>

#include "sandbox/answer.h"
#include "sandbox/sandbox.h"

/* What "the same body" means: the same call with the same bytes. */
static void make_digest(struct exchange *x)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx)
		return;
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	EVP_DigestUpdate(ctx, x->path, strlen(x->path) + 1);
	EVP_DigestUpdate(ctx, x->body, x->body_length);
	EVP_DigestFinal_ex(ctx, x->digest, NULL);
	EVP_MD_CTX_free(ctx);
}

/* A fault's skew only moves what is said. */
static int64_t server_ms(const struct exchange *x)
{
	return x->now_ms - x->plan.skew_ms;
}

/* What first came at this time or before is forgotten. */
static int64_t forgotten_ms(const struct sandbox *sandbox, int64_t now_ms)
{
	int64_t life_ms = sandbox->options->idempotency_life_ms;

	return life_ms > 0 ? now_ms - life_ms : INT64_MIN;
}

/* Count this POST under its key. */
static int count_key(struct exchange *x)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_IDEM_SEEN);

	if (stmt) {
		db_bind_text(stmt, 1, x->key);
		sqlite3_bind_int64(stmt, 2, server_ms(x));
		sqlite3_bind_int64(stmt, 3, forgotten_ms(x->sandbox, server_ms(x)));
	}
	return db_run(db, stmt);
}

/* Read the header: 1 there is a key, 0 none, negative: answered. */
static int read_key(struct exchange *x)
{
	const char *key = exchange_header(x, "Idempotency-Key");
	size_t n = key ? strlen(key) : 0;

	if (!key || strcmp(x->method, "POST") != 0)
		return 0;
	if (n == 0 || n > EXCHANGE_KEY_MAX) {
		answer_error(x, 400, "invalid_request", "Idempotency-Key",
			"the key must have 1 to %d characters", EXCHANGE_KEY_MAX);
		return -EINVAL;
	}
	memcpy(x->key, key, n + 1);
	if (count_key(x) < 0) {
		answer_broken(x);
		return -EIO;
	}
	return 1;
}

/* The stored answer to this key: 1 there was one and it is the answer now, 0 none. */
static int replay(struct exchange *x)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt = db_statement(db, SQL_IDEM_GET);
	int r;

	if (!stmt)
		return -EIO;
	db_bind_text(stmt, 1, x->key);
	r = db_step(db, stmt);
	if (r != 1)
		return r;
	if (sqlite3_column_type(stmt, 0) == SQLITE_NULL) {
		r = 0;
	} else if (sqlite3_column_bytes(stmt, 0) != EXCHANGE_DIGEST ||
		memcmp(sqlite3_column_blob(stmt, 0), x->digest, EXCHANGE_DIGEST) != 0) {
		x->sandbox->stats.key_reused++;
		answer_error(x, 422, "idempotency_key_reused", "Idempotency-Key",
			"this key came before with another body");
	} else {
		x->sandbox->stats.replayed++;
		x->status = sqlite3_column_int(stmt, 1);
		x->content_type = "application/json";
		buf_add_str(&x->out, db_text(stmt, 2));
	}
	sqlite3_reset(stmt);
	return r;
}

bool idempotency_gate(struct exchange *x)
{
	int r = read_key(x);

	if (r < 0)
		return false;
	if (r == 0 || x->plan.no_idempotency || !x->route)
		return true;
	make_digest(x);
	if (strmap_get(&x->sandbox->running, x->key)) {
		x->sandbox->stats.key_running++;
		answer_error(x, 409, "request_in_progress", "Idempotency-Key",
			"the first request with this key is still running");
		return false;
	}
	r = replay(x);
	if (r == 0 && strmap_put(&x->sandbox->running, x->key, x, NULL) == 0)
		x->holds_key = true;
	else if (r != 1)
		answer_broken(x);
	return r == 0 && x->holds_key;
}

void idempotency_count(struct exchange *x)
{
	read_key(x);
}

/* A failure of ours is not kept: the next try may do better. */
void idempotency_keep(struct exchange *x)
{
	struct db *db = &x->sandbox->db;
	sqlite3_stmt *stmt;

	if (!x->holds_key || x->status >= 500)
		return;
	stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_IDEM_ANSWER);
	if (stmt) {
		db_bind_text(stmt, 1, x->key);
		sqlite3_bind_blob(stmt, 2, x->digest, EXCHANGE_DIGEST, SQLITE_STATIC);
		sqlite3_bind_int(stmt, 3, x->status);
		sqlite3_bind_text(stmt, 4, x->out.data, (int)x->out.len, SQLITE_STATIC);
	}
	if (db_run(db, stmt) < 0)
		answer_broken(x);
}

void idempotency_release(struct exchange *x)
{
	if (x->holds_key)
		strmap_del(&x->sandbox->running, x->key);
	x->holds_key = false;
}

void idempotency_purge(struct sandbox *sandbox)
{
	struct db *db = &sandbox->db;
	sqlite3_stmt *stmt;

	if (sandbox->options->idempotency_life_ms == 0)
		return;
	stmt = db_write(db) < 0 ? NULL : db_statement(db, SQL_IDEM_PURGE);
	if (stmt)
		sqlite3_bind_int64(stmt, 1, forgotten_ms(sandbox, sandbox_now_ms(sandbox)));
	db_run(db, stmt);
}
