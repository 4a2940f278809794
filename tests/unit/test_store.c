/* store: opening, locking, transactions, what a file must be, what it remembers. */
#include "store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/identity.h"
#include "store/schema.h"
#include "store/store_private.h"

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

static void text_is(sqlite3 *db, const char *sql, const char *should)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(stmt, 0), should);
	sqlite3_finalize(stmt);
}

static void make_database(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- what the guarantee stands on */

static void test_settings_after_reopening(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);

	fixture_add_all(s, 0, 3);
	s = fixture_open(f);
	text_is(s->db, "PRAGMA journal_mode", "wal");
	assert_int_equal(number(s->db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(s->db, "PRAGMA page_size"), SCHEMA_PAGE_SIZE);
	assert_int_equal(number(s->db, "PRAGMA auto_vacuum"), 0);
	assert_int_equal(number(s->db, "PRAGMA wal_autocheckpoint"), 0);
	assert_int_equal(number(s->db, "PRAGMA secure_delete"), 1);
	assert_int_equal(number(s->db, "PRAGMA trusted_schema"), 0);
	assert_int_equal(number(s->db, "PRAGMA cell_size_check"), 1);
	assert_int_equal(number(s->db, "PRAGMA mmap_size"), 0);
	assert_int_equal(number(s->db, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
	assert_int_equal(number(s->db, "PRAGMA user_version"), schema_version());
	assert_int_equal(s->page_size, SCHEMA_PAGE_SIZE);
}

static void test_defensive(void **state)
{
	struct store *s = fixture_open(*state);
	int on = 0;

	assert_int_equal(sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on), SQLITE_OK);
	assert_int_equal(on, 1);
	assert_int_equal(
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &on), SQLITE_OK);
	assert_int_equal(on, 0);
}

static void test_files_are_private(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	struct fixture *f = *state;
	struct stat st;

	fixture_add_all(fixture_open(f), 0, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(stat(fixture_name(f, suffixes[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void test_table_refuses_what_cannot_be(void **state)
{
	static const char *const bad[] = {
		"UPDATE punch SET state = 6",
		"UPDATE punch SET state = 'held'",
		"UPDATE punch SET state = 0, time = NULL",
		"UPDATE punch SET user_kind = 6",
		"UPDATE punch SET type = 3",
		"UPDATE punch SET identity = x'00'",
		"UPDATE punch SET user = NULL",
		"INSERT INTO purged VALUES (6, 1)",
		"INSERT INTO meta VALUES ('a', 'b')",
	};
	struct store *s = fixture_open(*state);

	fixture_add_all(s, 0, 1);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(
			sqlite3_exec(s->db, bad[i], NULL, NULL, NULL) & 0xff, SQLITE_CONSTRAINT);
}

static void test_numbers_in_statements_are_the_vocabularys(void **state)
{
	(void)state;
	/* store_sql.c, schema.c and store_mend.c write these as numbers. */
	assert_int_equal(PUNCH_QUEUED, 0);
	assert_int_equal(PUNCH_HELD, 1);
	assert_int_equal(PUNCH_DELIVERED, 2);
	assert_int_equal(PUNCH_SUPPRESSED, 3);
	assert_int_equal(PUNCH_PARKED, 4);
	assert_int_equal(PUNCH_DISCARDED, 5);
	assert_int_equal(REASON_RESTORED, 1);
	assert_int_equal(REASON_MALFORMED, 30);
	assert_int_equal(REASON_TOO_LARGE, 32);
	assert_int_equal(REASON_CRASHED, 33);
	assert_int_equal(FLAG_IN_DOUBT, 8);
	assert_int_equal(FLAG_TRUSTED, 64);
	assert_int_equal(FLAG_RESTORED, 256);
}

/* ---- who may open what */

static void test_second_opening_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	char words[STORE_WORDS_MAX] = "";

	fixture_open(f);
	assert_int_equal(store_open(f->path, &other, words), -EBUSY);
	assert_null(other);
	assert_string_equal(words, "another punchd is using it");
	fixture_close(f);
	assert_int_equal(store_open(f->path, &other, words), 0);
	store_close(other);
}

static void test_second_process_is_refused(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	fixture_open(f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char words[STORE_WORDS_MAX];
		struct store *s;

		_exit(store_open(f->path, &s, words) == -EBUSY ? 7 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void test_another_program_holds_the_file(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db;

	fixture_add_all(fixture_open(f), 0, 1);
	fixture_close(f);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL,
				 NULL, NULL),
		SQLITE_OK);
	assert_int_equal(fixture_open_fails(f), -EBUSY);
	assert_string_equal(f->words, "database is locked");
	sqlite3_close(db);
	fixture_open(f);
}

static void test_newer_version_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char words[STORE_WORDS_MAX];
	uint8_t *before, *after;
	size_t n, m;

	fixture_add_all(fixture_open(f), 0, 3);
	fixture_close(f);
	make_database(
		f->path, "ALTER TABLE punch ADD COLUMN more TEXT; PRAGMA user_version = 1000");
	before = file_bytes(f->path, &n);
	assert_int_equal(fixture_open_fails(f), -EPROTONOSUPPORT);
	snprintf(words, sizeof words,
		"it was made by a newer punchd (format 1000, this one knows %d)", schema_version());
	assert_string_equal(f->words, words);
	after = file_bytes(f->path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void test_foreign_database_is_left_alone(void **state)
{
	static const char *const foreign[] = {
		"CREATE TABLE recipe (id INTEGER PRIMARY KEY)",
		"PRAGMA application_id = 12345",
		"PRAGMA user_version = 1",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		uint8_t *before, *after;
		size_t n, m;

		unlink(f->path);
		make_database(f->path, foreign[i]);
		before = file_bytes(f->path, &n);
		assert_int_equal(fixture_open_fails(f), -EMEDIUMTYPE);
		assert_string_equal(f->words, "it is a database, but not one of punchd");
		after = file_bytes(f->path, &m);
		assert_int_equal(n, m);
		assert_memory_equal(before, after, n);
		free(before);
		free(after);
	}
}

static void test_foreign_file_is_left_alone(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n";
	struct fixture *f = *state;
	char big[5000];
	uint8_t *after;
	size_t n;

	file_put(f->path, text, sizeof text - 1);
	assert_int_equal(fixture_open_fails(f), -EMEDIUMTYPE);
	assert_string_equal(f->words, "it is no database");
	memset(big, 'x', sizeof big);
	file_put(f->path, big, sizeof big);
	assert_int_equal(fixture_open_fails(f), -EMEDIUMTYPE);
	after = file_bytes(f->path, &n);
	assert_int_equal(n, sizeof big);
	assert_memory_equal(after, big, n);
	free(after);
}

static void test_what_is_no_file(void **state)
{
	struct fixture *f = *state;
	char name[sizeof f->path];

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(fixture_open_fails(f), -EMEDIUMTYPE);
	assert_string_equal(f->words, "it is no regular file");
	rmdir(f->path);
	assert_int_equal(symlink("/dev/null", f->path), 0);
	assert_int_equal(fixture_open_fails(f), -ELOOP);
	unlink(f->path);
	memcpy(name, f->path, sizeof name);
	assert_true(snprintf(f->path, sizeof f->path, "%s/none/punchd.db", f->folder) > 0);
	assert_int_equal(fixture_open_fails(f), -ENOENT);
	assert_true(snprintf(f->path, sizeof f->path, "%s/", f->folder) > 0);
	assert_int_equal(fixture_open_fails(f), -EINVAL);
	memcpy(f->path, name, sizeof name);
}

/* systemd's DynamicUser makes the state folder a link. */
static void test_folder_may_be_a_link(void **state)
{
	struct fixture *f = *state;
	char real[PATH_MAX], link[PATH_MAX], path[PATH_MAX + 16];
	struct store *s;

	assert_true(snprintf(real, sizeof real, "%.*s/real", 200, f->folder) > 0);
	assert_true(snprintf(link, sizeof link, "%.*s/link", 200, f->folder) > 0);
	snprintf(path, sizeof path, "%s/punchd.db", link);
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink("real", link), 0);
	assert_int_equal(store_open(path, &s, f->words), 0);
	store_close(s);
	unlink(path);
	snprintf(path, sizeof path, "%s/punchd.db.lock", link);
	unlink(path);
	rmdir(real);
}

/* Root may write everything: so another user tries. */
static int try_as_nobody(struct fixture *f, char *ret_words)
{
	int pipes[2], status, r = 0;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct {
			int r;
			char words[STORE_WORDS_MAX];
		} answer = {.r = 1};
		struct store *s;

		if (geteuid() != 0 || setuid(65534) == 0)
			answer.r = store_open(f->path, &s, answer.words);
		_exit(write(pipes[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &r, sizeof r), sizeof r);
	assert_int_equal(read(pipes[0], ret_words, STORE_WORDS_MAX), STORE_WORDS_MAX);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return r;
}

static void test_read_only_file_and_folder(void **state)
{
	struct fixture *f = *state;

	fixture_add_all(fixture_open(f), 0, 1);
	fixture_close(f);
	chmod(f->folder, 0777);
	chmod(fixture_name(f, ".lock"), 0666);
	chmod(f->path, 0444);
	assert_int_equal(try_as_nobody(f, f->words), -EACCES);
	assert_string_equal(f->words, "it cannot be written: Permission denied");
	unlink(fixture_name(f, ".lock"));
	chmod(f->folder, 0555);
	assert_int_equal(try_as_nobody(f, f->words), -EACCES);
	assert_non_null(strstr(f->words, "cannot write"));
	assert_non_null(strstr(f->words, ".lock: Permission denied"));
	chmod(f->folder, 0700);
}

/* ---- files that were cut off while they were made, or emptied since */

static void test_made_in_part(void **state)
{
	struct fixture *f = *state;

	/* What a power cut leaves between the file's first page and its tables. */
	make_database(f->path, "PRAGMA journal_mode = WAL");
	assert_true(file_size(f->path) > 0);
	fixture_add_all(fixture_open(f), 0, 1);
	fixture_close(f);
	unlink(f->path);
	unlink(fixture_name(f, ".lock"));
	file_put(f->path, "", 0);
	fixture_add_all(fixture_open(f), 0, 1);
}

static void test_emptied_file_is_known(void **state)
{
	struct fixture *f = *state;

	fixture_add_all(fixture_open(f), 0, 1);
	fixture_close(f);
	file_put(f->path, "", 0);
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	assert_string_equal(f->words, "it has been emptied");
	/* A deleted one is an administrator's wish. */
	unlink(f->path);
	fixture_open(f);
}

static void test_migrations_from_every_version(void **state)
{
	struct fixture *f = *state;

	for (int from = 0; from <= schema_version(); from++) {
		sqlite3 *db;

		unlink(f->path);
		assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
		assert_int_equal(schema_migrate_to(db, 0, from), SQLITE_OK);
		assert_int_equal(number(db, "PRAGMA user_version"), from);
		sqlite3_close(db);
		fixture_open(f);
		assert_int_equal(number(f->store->db, "PRAGMA user_version"), schema_version());
		fixture_add_all(f->store, 0, 10);
		fixture_check(f->store);
		assert_int_equal(schema_check(f->store->db), SQLITE_OK);
		fixture_close(f);
	}
}

static void test_changed_tables_are_damage(void **state)
{
	static const char *const changes[] = {
		"DROP INDEX punch_queued",
		"ALTER TABLE punch RENAME COLUMN user TO usex",
		"CREATE TABLE extra (a)",
		"DROP TABLE guarded",
		"PRAGMA user_version = 0",
		"PRAGMA user_version = -1",
		"PRAGMA user_version = 1000",
		"PRAGMA application_id = 0",
		"PRAGMA application_id = 12345",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		unlink(f->path);
		fixture_open(f);
		fixture_close(f);
		make_database(f->path, changes[i]);
		assert_int_equal(fixture_open_fails(f), -EUCLEAN);
	}
}

static void test_statistics_are_no_damage(void **state)
{
	struct fixture *f = *state;

	fixture_add_all(fixture_open(f), 0, 10);
	fixture_close(f);
	make_database(f->path, "ANALYZE");
	fixture_check(fixture_open(f));
}

/* ---- transactions */

static void test_rolled_back_is_as_before(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	struct store_counts before, after;
	struct punch p = fixture_punch(5);

	fixture_add_all(s, 0, 5);
	store_tally(s)->duplicate = 3;
	store_counts(s, &before);
	assert_false(store_in_transaction(s));
	snprintf(p.terminal, sizeof p.terminal, "new one");
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_true(store_in_transaction(s));
	fixture_settle(s, 1, 1);
	store_tally(s)->duplicate++;
	store_rollback(s);
	assert_false(store_in_transaction(s));
	store_counts(s, &after);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(store_tally(s)->duplicate, 3);
	fixture_check(s);
	/* The terminal's number is free again, and goes to the next. */
	p = fixture_punch(6);
	snprintf(p.terminal, sizeof p.terminal, "another");
	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_int_equal(p.seq, 6);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_punch_get(s, 6, &p), 0);
	assert_string_equal(p.terminal, "another");
	assert_int_equal(store_tally(s)->duplicate, 3);
	fixture_check(s);
}

static void test_commit_without_transaction(void **state)
{
	struct store *s = fixture_open(*state);

	assert_int_equal(store_commit(s), 0);
	store_rollback(s);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_commit(s), 0);
	assert_false(store_in_transaction(s));
}

/* After some errors SQLite rolls back by itself: what follows must not be committed row by row. */
static void test_nothing_follows_a_silent_rollback(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch p = fixture_punch(2);
	struct store_counts counts;

	fixture_add(s, 1);
	assert_int_equal(sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_punch_add(s, &p, NULL), -ECANCELED);
	assert_true(store_commit(s) < 0);
	store_counts(s, &counts);
	assert_int_equal(counts.stored, 0);
	fixture_check(s);
}

static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	char limit[64];
	int stored = 0, r = 0;

	fixture_add_all(s, 0, 20);
	snprintf(limit, sizeof limit, "PRAGMA max_page_count = %lld",
		(long long)number(s->db, "PRAGMA page_count") + 4);
	number(s->db, limit);
	for (stored = 20; stored < 10000 && r >= 0; stored++) {
		struct punch p = fixture_punch(stored);

		r = store_punch_add(s, &p, NULL);
		if (r == 1)
			r = store_commit(s);
	}
	assert_int_equal(r, -ENOSPC);
	assert_false(store_is_fatal(r));
	store_rollback(s);
	fixture_check(s);
	number(s->db, "PRAGMA max_page_count = 100000");
	fixture_add_all(s, stored - 1, stored + 9);
	s = fixture_open(f);
	fixture_check(s);
	assert_int_equal(number(s->db, "SELECT count(*) FROM punch"), stored + 9);
}

static void test_error_kinds(void **state)
{
	(void)state;
	assert_int_equal(store_errno(SQLITE_OK), 0);
	assert_int_equal(store_errno(SQLITE_ROW), 0);
	assert_int_equal(store_errno(SQLITE_DONE), 0);
	assert_int_equal(store_errno(SQLITE_FULL), -ENOSPC);
	assert_int_equal(store_errno(SQLITE_BUSY_SNAPSHOT), -EBUSY);
	assert_int_equal(store_errno(SQLITE_LOCKED), -EBUSY);
	assert_int_equal(store_errno(SQLITE_NOMEM), -ENOMEM);
	assert_int_equal(store_errno(SQLITE_IOERR_NOMEM), -ENOMEM);
	assert_int_equal(store_errno(SQLITE_IOERR_FSYNC), -EIO);
	assert_int_equal(store_errno(SQLITE_READONLY_DBMOVED), -EROFS);
	assert_int_equal(store_errno(SQLITE_CORRUPT_INDEX), -EUCLEAN);
	assert_int_equal(store_errno(SQLITE_NOTADB), -EUCLEAN);
	assert_int_equal(store_errno(SQLITE_CANTOPEN), -EIO);
	assert_int_equal(store_errno(SQLITE_MISUSE), -EIO);
	assert_true(store_is_fatal(-EIO));
	assert_true(store_is_fatal(-EUCLEAN));
	assert_true(store_is_fatal(-EROFS));
	/* "No such punch" is one of these. */
	assert_false(store_is_fatal(-ENOENT));
	assert_false(store_is_fatal(-ENOSPC));
	assert_false(store_is_fatal(-ENOMEM));
	assert_false(store_is_fatal(-EBUSY));
}

/* ---- small facts */

static void test_meta(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	int64_t value;

	assert_int_equal(store_meta_get(s, "a", 7, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_meta_set(s, "a", INT64_MIN), 0);
	assert_int_equal(store_meta_set(s, "b", 1), 0);
	assert_int_equal(store_meta_set(s, "b", 2), 0);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_meta_get(s, "a", 7, &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(store_meta_get(s, "b", 7, &value), 0);
	assert_int_equal(value, 2);
}

static void test_boot(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	int64_t first = store_boot(s, "8f4c0c3a-0000-4000-8000-000000000001");

	assert_true(first > 0);
	assert_int_equal(store_boot(s, "8f4c0c3a-0000-4000-8000-000000000001"), first);
	fixture_add_all(s, 0, 5);
	assert_int_equal(store_boot(s, "8f4c0c3a-0000-4000-8000-000000000002"), first + 1);
	store_rollback(s);
	assert_int_equal(store_boot(s, "8f4c0c3a-0000-4000-8000-000000000003"), first + 1);
	assert_int_equal(store_commit(s), 0);
	s = fixture_open(f);
	assert_int_equal(store_boot(s, "8f4c0c3a-0000-4000-8000-000000000001"), first);
	assert_int_equal(number(s->db, "SELECT first_seq FROM boot WHERE id = 1"), 1);
	assert_int_equal(number(s->db, "SELECT first_seq FROM boot WHERE id = 2"), 6);
}

static void test_tally_goes_with_the_next_commit(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);

	store_tally(s)->duplicate = 5;
	store_tally(s)->ignored = 6;
	store_tally(s)->refused = 7;
	fixture_add_all(s, 0, 1);
	store_tally(s)->refused = 8;
	s = fixture_open(f);
	assert_int_equal(store_tally(s)->duplicate, 5);
	assert_int_equal(store_tally(s)->ignored, 6);
	assert_int_equal(store_tally(s)->refused, 7);
}

static void test_terminals_are_bounded(void **state)
{
	struct store *s = fixture_open(*state);
	struct punch p = fixture_punch(0);
	char name[32];

	fixture_add_all(s, 0, 10);
	for (int i = 3; i < 100000; i++) {
		snprintf(name, sizeof name, "stranger-%d", i);
		assert_int_equal(store_terminal_id(s, name), i + 1);
	}
	p = fixture_punch(11);
	snprintf(p.terminal, sizeof p.terminal, "one too many");
	assert_int_equal(store_punch_add(s, &p, NULL), -EDQUOT);
	assert_false(store_is_fatal(-EDQUOT));
	/* Those that are known go on, in the same transaction too. */
	fixture_add_all(s, 11, 12);
	fixture_check(s);
}

static void test_checkpoint_and_disk(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	int64_t bytes, free_bytes, before;

	assert_int_equal(store_checkpoint(s), 0);
	before = file_size(f->path);
	fixture_add_all(s, 0, 100);
	assert_int_equal(store_checkpoint(s), 0);
	assert_int_equal(file_size(f->path), before);
	fixture_add_all(s, 100, 8000);
	assert_int_equal(store_disk(s, &bytes, &free_bytes), 0);
	assert_int_equal(bytes, file_size(f->path) + file_size(fixture_name(f, "-wal")));
	assert_true(free_bytes > 0);
	fixture_add(s, 8000);
	assert_int_equal(store_checkpoint(s), 0);
	assert_int_equal(file_size(f->path), before);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_checkpoint(s), 0);
	assert_true(file_size(f->path) > before + 1000000);
	assert_non_null(store_words(s));
	fixture_check(s);
}

static void test_file_taken_away(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	const char *away = fixture_name(f, ".away");
	int64_t bytes, free_bytes;

	assert_false(store_made_anew(s));
	fixture_add_all(s, 0, 10);
	assert_int_equal(rename(f->path, away), 0);
	fixture_add(s, 10);
	assert_int_equal(store_commit(s), -ESTALE);
	assert_true(store_is_fatal(-ESTALE));
	assert_false(store_in_transaction(s));
	assert_int_equal(store_disk(s, &bytes, &free_bytes), -ESTALE);
	/* Nor into the file that stands in its place. */
	file_copy(away, f->path);
	fixture_add(s, 10);
	assert_int_equal(store_commit(s), -ESTALE);
	assert_int_equal(rename(away, f->path), 0);
	fixture_add(s, 10);
	assert_int_equal(store_commit(s), 0);
	fixture_close(f);
	/* Gone for good, and made again: that can be told. */
	assert_int_equal(unlink(f->path), 0);
	assert_true(store_made_anew(fixture_open(f)));
	assert_false(store_made_anew(fixture_open(f)));
}

static void test_structure_and_counts_see_damage(void **state)
{
	struct fixture *f = *state;
	struct store *s = fixture_open(f);
	char words[STORE_WORDS_MAX] = "";

	fixture_add_all(s, 0, 300);
	assert_int_equal(sqlite3_exec(s->db, "DELETE FROM punch WHERE seq = 7", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(store_check_counts(s, words), -EUCLEAN);
	assert_non_null(strstr(words, "punches are queued"));
	s = fixture_open(f);
	/* Now it is taken for a delivered one, until it is counted. */
	assert_int_equal(store_check_counts(s, words), -EUCLEAN);
	fixture_close(f);
	/* Indexes that are gone are seen at the door. */
	make_database(f->path,
		"PRAGMA writable_schema = ON;"
		"DELETE FROM sqlite_schema WHERE name LIKE 'punch_%';"
		"PRAGMA writable_schema = OFF");
	assert_int_equal(fixture_open_fails(f), -EUCLEAN);
}

static void test_null_is_closed(void **state)
{
	(void)state;
	store_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_settings_after_reopening),
		TEST(test_defensive),
		TEST(test_files_are_private),
		TEST(test_table_refuses_what_cannot_be),
		cmocka_unit_test(test_numbers_in_statements_are_the_vocabularys),
		TEST(test_second_opening_is_refused),
		TEST(test_second_process_is_refused),
		TEST(test_another_program_holds_the_file),
		TEST(test_newer_version_is_left_alone),
		TEST(test_foreign_database_is_left_alone),
		TEST(test_foreign_file_is_left_alone),
		TEST(test_what_is_no_file),
		TEST(test_folder_may_be_a_link),
		TEST(test_read_only_file_and_folder),
		TEST(test_made_in_part),
		TEST(test_emptied_file_is_known),
		TEST(test_migrations_from_every_version),
		TEST(test_changed_tables_are_damage),
		TEST(test_statistics_are_no_damage),
		TEST(test_rolled_back_is_as_before),
		TEST(test_commit_without_transaction),
		TEST(test_nothing_follows_a_silent_rollback),
		TEST(test_full_disk),
		cmocka_unit_test(test_error_kinds),
		TEST(test_meta),
		TEST(test_boot),
		TEST(test_tally_goes_with_the_next_commit),
		TEST(test_terminals_are_bounded),
		TEST(test_checkpoint_and_disk),
		TEST(test_file_taken_away),
		TEST(test_structure_and_counts_see_damage),
		cmocka_unit_test(test_null_is_closed),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
