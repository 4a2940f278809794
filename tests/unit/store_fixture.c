#include "store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "core/identity.h"

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	assert_non_null(f);
	snprintf(f->folder, sizeof f->folder, "%s/punchd-store-XXXXXX", root);
	assert_non_null(mkdtemp(f->folder));
	assert_true((size_t)snprintf(f->path, sizeof f->path, "%s/punchd.db", f->folder) <
		sizeof f->path);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	DIR *d;
	struct dirent *e;

	store_close(f->store);
	d = opendir(f->folder);
	assert_non_null(d);
	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(f->folder);
	free(f);
	return 0;
}

struct store *fixture_open(struct fixture *f)
{
	int r;

	fixture_close(f);
	f->words[0] = '\0';
	r = store_open(f->path, &f->store, f->words);
	if (r < 0)
		fail_msg("store_open: %s: %s", strerror(-r), f->words);
	return f->store;
}

void fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

int fixture_open_fails(struct fixture *f)
{
	struct store *s = (struct store *)(intptr_t)1;
	int r;

	fixture_close(f);
	f->words[0] = '\0';
	r = store_open(f->path, &s, f->words);
	assert_true(r < 0);
	assert_null(s);
	assert_true(strlen(f->words) > 0);
	return r;
}

struct punch fixture_punch(int i)
{
	struct punch p = {.state = PUNCH_QUEUED,
		.flags = FLAG_LIVE,
		.user_kind = USER_PIN,
		.type_sent = TYPE_CHECK_IN,
		.received_us = (NOON_S + i) * 1000000 + 250000,
		.mono_us = i * 1000000LL,
		.boot = 1,
		.has_time = true,
		.time_s = NOON_S + i,
		.type = TYPE_CHECK_IN,
		.type_from = FROM_TERMINAL};

	snprintf(p.terminal, sizeof p.terminal, "terminal-%d", i % 3);
	snprintf(p.user, sizeof p.user, "%d", 1000 + i % 50);
	snprintf(p.record_id, sizeof p.record_id, "%06d", i);
	snprintf(p.user_id, sizeof p.user_id, "usr_%d", i % 50);
	snprintf(p.device_id, sizeof p.device_id, "dev_%d", i % 3);
	time_format_utc(p.time_s, -1, p.time_sent);
	assert_int_equal(identity_of_punch(&p, NULL), 0);
	return p;
}

void fixture_add(struct store *s, int i)
{
	struct punch p = fixture_punch(i);

	assert_int_equal(store_punch_add(s, &p, NULL), 1);
	assert_true(p.seq > 0);
}

void fixture_add_all(struct store *s, int from, int to)
{
	for (int i = from; i < to; i++)
		fixture_add(s, i);
	assert_int_equal(store_commit(s), 0);
}

void fixture_settle(struct store *s, int64_t seq, int64_t settled_us)
{
	struct punch p;

	assert_int_equal(store_punch_get(s, seq, &p), 0);
	p.state = PUNCH_DELIVERED;
	p.settled_us = settled_us;
	p.tries = 1;
	snprintf(p.att_id, sizeof p.att_id, "att_%lld", (long long)seq);
	assert_int_equal(store_punch_update(s, &p), 0);
}

void fixture_check(struct store *s)
{
	char words[STORE_WORDS_MAX] = "";

	if (store_check_counts(s, words) < 0)
		fail_msg("%s", words);
	assert_int_equal(store_check_structure(s), 0);
}

/* ---- files */

const char *fixture_name(const struct fixture *f, const char *suffix)
{
	static char names[4][PATH_MAX + 64];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof names[0], "%s%s", f->path, suffix);
	return name;
}

int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

bool file_there(const char *path)
{
	return file_size(path) >= 0;
}

uint8_t *file_bytes(const char *path, size_t *ret_size)
{
	int64_t size = file_size(path);
	int fd = open(path, O_RDONLY);
	uint8_t *bytes = malloc((size_t)size + 1);

	assert_true(fd >= 0 && bytes);
	assert_int_equal(read(fd, bytes, (size_t)size), size);
	close(fd);
	*ret_size = (size_t)size;
	return bytes;
}

void file_put(const char *path, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

void file_patch(const char *path, int64_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
	close(fd);
}

void file_copy(const char *from, const char *to)
{
	size_t size;
	uint8_t *bytes = file_bytes(from, &size);

	file_put(to, bytes, size);
	free(bytes);
}

int files_named(const struct fixture *f, const char *part)
{
	DIR *d = opendir(f->folder);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strstr(e->d_name, part) != NULL;
	closedir(d);
	return n;
}

uint32_t dice(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}
