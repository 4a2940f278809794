#include "store/store_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/time.h"
#include "store/schema.h"
#include "store/store_copy.h"
#include "store/store_mend.h"
#include "store/store_private.h"

#define SPACE_SPARE (1 << 20) /* bytes that stay free beside the new file */

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- finishing: from PATH.salvaged to PATH */

/* The file itself goes last: until then a start without PATH.salvaged finds it. */
static const char *const suffixes[] = {"-shm", "-journal", "-wal", ""};
#define SUFFIXES (sizeof suffixes / sizeof suffixes[0])

/* Whether nothing would be overwritten under this name. What has been moved there already by a
 * salvage that was cut short is no longer under its old one. */
static bool name_free(const char *path, const char *base)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; i < SUFFIXES; i++) {
		snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
		snprintf(to, sizeof to, "%s%s", base, suffixes[i]);
		if (is_there(from) && is_there(to))
			return false;
	}
	return true;
}

static void choose_name(const char *path, int64_t at_s, char ret_base[static PATH_MAX])
{
	char text[TIME_TEXT_SIZE];
	size_t n = 0;

	time_format_utc(at_s, -1, text);
	for (const char *c = text; *c; c++) {
		if (*c != '-' && *c != ':')
			text[n++] = *c;
	}
	text[n] = '\0';
	snprintf(ret_base, PATH_MAX, "%s.damaged-%s", path, text);
	for (int i = 2; !name_free(path, ret_base); i++)
		snprintf(ret_base, PATH_MAX, "%s.damaged-%s.%d", path, text, i);
}

static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd, r = 0;

	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems have nothing to sync there and say so. */
	if (fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	close(fd);
	return r;
}

static int set_aside(const char *path, const char *base)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; i < SUFFIXES; i++) {
		snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
		snprintf(to, sizeof to, "%s%s", base, suffixes[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int store_salvage_finish(
	const char *path, char *ret_set_aside, char ret_words[static STORE_WORDS_MAX])
{
	char salvaged[PATH_MAX], base[PATH_MAX];
	struct stat st;
	int r;

	snprintf(salvaged, sizeof salvaged, "%s.salvaged", path);
	if (lstat(salvaged, &st) < 0)
		return errno == ENOENT
			? 0
			: store_fail(-errno, ret_words, "%s: %s", salvaged, strerror(errno));
	choose_name(path, st.st_mtime, base);
	r = set_aside(path, base);
	/* An old log beside the new file would be taken for its own. */
	if (r == 0)
		r = sync_folder(path);
	if (r == 0 && rename(salvaged, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(path);
	if (r < 0)
		return store_fail(
			r, ret_words, "cannot put %s in its place: %s", salvaged, strerror(-r));
	if (ret_set_aside)
		snprintf(ret_set_aside, PATH_MAX, "%s", base);
	return 1;
}

/* ---- making PATH.salvage-part */

static void remove_part(const char *part)
{
	static const char *const parts[] = {"", "-journal", "-wal", "-shm"};
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		snprintf(name, sizeof name, "%s%s", part, parts[i]);
		unlink(name);
	}
}

/* The new file holds no more than the old one and its log do. */
static int check_space(const char *path, const struct pages *p, char *ret_words)
{
	int64_t need = ((int64_t)p->count + 64) * p->page_size + SPACE_SPARE, avail;
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct statvfs fs;

	snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
	if (statvfs(folder, &fs) < 0)
		return store_fail(-errno, ret_words, "%s: %s", folder, strerror(errno));
	avail = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	if (avail >= need)
		return 0;
	return store_fail(-ENOSPC, ret_words,
		"to save what can be read %lld KiB must be free beside it, %lld are",
		(long long)(need / 1024), (long long)(avail / 1024));
}

/* Nobody reads the part before it is whole, so it needs no sync on the way. */
static int create_part(const char *part, sqlite3 **ret)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_NOFOLLOW;
	char pragmas[160];
	int code;

	snprintf(pragmas, sizeof pragmas,
		"PRAGMA page_size = %d; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
		" PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096",
		SCHEMA_PAGE_SIZE);
	code = sqlite3_open_v2(part, ret, flags, NULL);
	if (code != SQLITE_OK)
		return *ret ? store_db_errno(*ret, code) : -ENOMEM;
	sqlite3_extended_result_codes(*ret, 1);
	code = sqlite3_exec(*ret, pragmas, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = schema_migrate(*ret, 0);
	if (code == SQLITE_OK)
		code = sqlite3_exec(*ret, "BEGIN", NULL, NULL, NULL);
	return store_db_errno(*ret, code);
}

static int fill_part(const char *part, const struct pages *pages, int64_t now_s,
	struct store_salvage_report *ret, char *ret_words)
{
	struct copy_result copied = {.lost = 0};
	sqlite3 *db = NULL;
	int r = create_part(part, &db);

	if (r == 0)
		r = copy_pages(pages, db, &copied);
	if (r == 0)
		r = mend_rows(db, &copied, pages->count == 0, now_s, ret);
	if (r == 0)
		r = store_db_errno(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	if (r < 0)
		store_fail(r, ret_words, "the new file %s: %s", part,
			db ? sqlite3_errmsg(db) : "out of memory");
	sqlite3_close(db);
	ret->rows_bad = copied.rows_bad;
	ret->pages_bad = copied.pages_bad;
	ret->lost_from_s = copied.lost_from_s;
	ret->lost_to_s = copied.lost_to_s;
	return r;
}

/* The new file must be a sound store before anything happens to the old one. */
static int prove_part(const char *part, struct store_salvage_report *ret, char *ret_words)
{
	struct store *s = store_alloc();
	int r = s && (s->path = strdup(part)) ? 0 : -ENOMEM;

	if (r < 0)
		store_fail(r, ret_words, "out of memory");
	if (r == 0)
		r = store_open_database(s, ret_words);
	if (r == 0)
		r = mend_doubtful(s, &ret->doubtful, ret_words);
	if (r == 0)
		r = store_check_counts(s, ret_words);
	if (r == 0) {
		r = store_check_structure(s);
		if (r < 0)
			store_fail(r, ret_words, "the new file %s: %s", part, store_words(s));
	}
	if (r == 0)
		memcpy(ret->by_state, s->now.counts.open, sizeof ret->by_state);
	store_close(s);
	return r;
}

/* Its time says when it was made: what is cut short here finds the same name again. */
static int complete_part(const char *path, const char *part, int64_t now_s, char *ret_words)
{
	const struct timespec times[2] = {{.tv_sec = now_s}, {.tv_sec = now_s}};
	char salvaged[PATH_MAX];
	int fd = open(part, O_RDWR | O_CLOEXEC | O_NOFOLLOW), r;

	snprintf(salvaged, sizeof salvaged, "%s.salvaged", path);
	r = fd < 0 || futimens(fd, times) < 0 || fsync(fd) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (r == 0 && rename(part, salvaged) < 0)
		r = -errno;
	if (r == 0)
		r = sync_folder(path);
	return r < 0 ? store_fail(r, ret_words, "the new file %s: %s", part, strerror(-r)) : 0;
}

static int make_part(const char *path, const struct pages *pages, int64_t now_s,
	struct store_salvage_report *ret, char *ret_words)
{
	char part[PATH_MAX];
	int r;

	snprintf(part, sizeof part, "%s.salvage-part", path);
	remove_part(part);
	r = check_space(path, pages, ret_words);
	if (r == 0)
		r = fill_part(part, pages, now_s, ret, ret_words);
	if (r == 0)
		r = prove_part(part, ret, ret_words);
	if (r == 0)
		r = complete_part(path, part, now_s, ret_words);
	if (r < 0)
		remove_part(part);
	return r;
}

/* ---- the whole of it */

static int open_damaged(const char *path, bool marked, struct pages *ret, char *ret_words)
{
	int r = pages_open(path, ret);

	if (r < 0)
		return store_fail(r, ret_words, "it cannot be read: %s", strerror(-r));
	if (ret->fd < 0 && ret->log.last == 0)
		r = store_fail(-ENOENT, ret_words, "there is no such file");
	else if (!marked)
		r = copy_recognises(ret);
	if (r == 0 && !marked)
		r = store_fail(-EMEDIUMTYPE, ret_words, "nothing in it looks like a store");
	if (r < 0)
		pages_done(ret);
	return r < 0 ? r : 0;
}

static void tell(const struct store_salvage_report *r, char *ret_words)
{
	char lost[64] = "nobody can tell how many were";

	if (r->lost >= 0)
		snprintf(lost, sizeof lost, "%lld were", (long long)r->lost);
	snprintf(ret_words, STORE_WORDS_MAX,
		"%lld punches were saved, %s lost, %lld are not as they came; %lld of %lld pages "
		"and"
		" %lld of %lld log frames were unreadable",
		(long long)r->saved, lost, (long long)r->doubtful, (long long)r->pages_bad,
		(long long)r->pages, (long long)r->log_bad, (long long)r->log_frames);
}

static int salvage(const char *path, bool marked, int64_t now_s, struct store_salvage_report *ret,
	char *ret_words)
{
	struct pages pages;
	int r = open_damaged(path, marked, &pages, ret_words);

	if (r < 0)
		return r;
	ret->pages = pages.count;
	ret->log_frames = pages.log.last;
	ret->log_bad = pages.log.bad;
	r = make_part(path, &pages, now_s, ret, ret_words);
	pages_done(&pages);
	if (r == 0)
		r = store_salvage_finish(path, ret->set_aside, ret_words);
	if (r < 0)
		return r;
	tell(ret, ret_words);
	return 0;
}

int store_salvage(const char *path, int64_t now_s, struct store_salvage_report *ret,
	char ret_words[static STORE_WORDS_MAX])
{
	mode_t mask = umask(0077);
	char *real = NULL;
	int lock = store_lock(path, &real, ret_words), r = lock;

	*ret = (struct store_salvage_report){.saved = 0};
	/* One that was cut short was of a file which is no longer there. */
	if (r >= 0)
		r = store_salvage_finish(real, ret->set_aside, ret_words);
	if (r == 0)
		r = salvage(real, store_marked(lock), now_s, ret, ret_words);
	else if (r > 0)
		snprintf(ret_words, STORE_WORDS_MAX, "an earlier salvage was finished");
	if (lock >= 0)
		close(lock);
	free(real);
	umask(mask);
	return r < 0 ? r : 0;
}

/* ---- at the door of store_open */

static int check_head(const uint8_t *b, ssize_t n, bool *ret_foreign)
{
	*ret_foreign = n < 16 || memcmp(b, "SQLite format 3", 16) != 0;
	if (*ret_foreign || n < 100)
		return -EUCLEAN;
	/* File format versions and fixed fractions: SQLite would open it read-only, or not at all. */
	if (b[18] < 1 || b[18] > 2 || b[19] < 1 || b[19] > 2 || b[21] != 64 || b[22] != 32 ||
		b[23] != 32)
		return -EUCLEAN;
	return 0;
}

int store_file_check(const char *path, bool marked, char ret_words[static STORE_WORDS_MAX])
{
	uint8_t head[100];
	bool foreign;
	struct pages p;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);

	if (fd < 0)
		return store_fail(-errno, ret_words, "it cannot be read: %s", strerror(errno));
	close(fd);
	r = check_head(head, n, &foreign);
	if (r == 0)
		return 0;
	if (!foreign || marked)
		return store_fail(r, ret_words, "its header is damaged");
	r = pages_open(path, &p);
	if (r == 0) {
		r = copy_recognises(&p);
		pages_done(&p);
	}
	if (r < 0)
		return store_fail(r, ret_words, "it cannot be read: %s", strerror(-r));
	return r > 0 ? store_fail(-EUCLEAN, ret_words, "its header is damaged")
		     : store_fail(-EMEDIUMTYPE, ret_words, "it is no database");
}
