/* base/file: what is a readable file, and what is a secret. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/punchd-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/file", mkdtemp(folder));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_file(const void *bytes, size_t n, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fchmod(fileno(f), mode), 0);
	fclose(f);
}

static void test_read_appends_up_to_the_cap(void **state)
{
	struct buf b;
	struct stat st;
	char big[10000];

	(void)state;
	memset(big, 'x', sizeof big);
	write_file(big, sizeof big, 0640);
	buf_init(&b, sizeof big + 2);
	buf_add_str(&b, "12");
	assert_int_equal(file_read(path, &b, &st), 0);
	assert_int_equal(b.len, sizeof big + 2);
	assert_int_equal(st.st_mode & 07777, 0640);
	buf_clear(&b);
	buf_add_str(&b, "123");
	assert_int_equal(file_read(path, &b, NULL), -E2BIG);
	buf_done(&b);
}

/* A FIFO without a writer would hang whoever opens it carelessly. */
static void test_no_regular_file(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	unlink(path);
	assert_int_equal(file_read(path, &b, NULL), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_read(path, &b, NULL), -EINVAL);
	assert_int_equal(file_read(folder, &b, NULL), -EINVAL);
	assert_int_equal(file_read("/dev/null", &b, NULL), -EINVAL);
	/* regular, but not to be read: reading this one fails at once */
	assert_true(file_read("/proc/self/mem", &b, NULL) < 0);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void check_secret(const void *bytes, size_t n, const char *wanted)
{
	char *secret = NULL;
	struct stat st;

	write_file(bytes, n, 0600);
	assert_int_equal(file_read_secret(path, &secret, &st), 0);
	assert_string_equal(secret, wanted);
	assert_int_equal(st.st_mode & 07777, 0600);
	file_secret_free(secret);
}

static void check_no_secret(const void *bytes, size_t n, int error)
{
	char *secret = NULL;

	write_file(bytes, n, 0600);
	assert_int_equal(file_read_secret(path, &secret, NULL), error);
	assert_null(secret);
}

static void test_secret_loses_one_newline(void **state)
{
	(void)state;
	check_secret("key", 3, "key");
	check_secret("key\n", 4, "key");
	check_secret("key\r\n", 5, "key");
	check_secret(" key ", 5, " key ");
	check_secret("schl\xc3\xbcssel", 10, "schl\xc3\xbcssel");
	file_secret_free(NULL);
}

static void test_what_is_no_secret(void **state)
{
	char big[4098];

	(void)state;
	memset(big, 'k', sizeof big);
	check_no_secret("", 0, -ENODATA);
	check_no_secret("\n", 1, -ENODATA);
	check_no_secret("\r\n", 2, -ENODATA);
	check_no_secret("key\n\n", 5, -EBADMSG);
	check_no_secret("key\r", 4, -EBADMSG);
	check_no_secret("a\0b", 3, -EBADMSG);
	check_no_secret("a\x7f", 2, -EBADMSG);
	check_no_secret("a\tb", 3, -EBADMSG);
	check_no_secret(big, sizeof big, -E2BIG);
	big[4095] = '\0';
	check_secret(big, 4095, big);
	unlink(path);
	assert_int_equal(file_read_secret(path, &(char *){NULL}, NULL), -ENOENT);
}

/* root:punchd 0640 is for us alone, where the group is one of this process. */
static void test_who_else_can_read(void **state)
{
	struct stat st = {.st_uid = 0, .st_gid = getegid()};
	static const struct {
		mode_t mode;
		bool ours, strange; /* others can read it: of a group of ours, of a strange one */
	} rows[] = {{0600, false, false}, {0400, false, false}, {0640, false, true},
		{0660, false, true}, {0644, true, true}, {0604, true, true}, {0601, true, true}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		st.st_mode = S_IFREG | rows[i].mode;
		assert_int_equal(file_others_can_read(&st), rows[i].ours);
		st.st_gid = 4242424;
		assert_int_equal(file_others_can_read(&st), rows[i].strange);
		/* whoever owns it can give it to anybody, and did not have to share it */
		st.st_gid = getegid();
		st.st_uid = 4242424;
		assert_int_equal(file_others_can_read(&st), rows[i].strange);
		st.st_uid = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_appends_up_to_the_cap),
		cmocka_unit_test(test_no_regular_file),
		cmocka_unit_test(test_secret_loses_one_newline),
		cmocka_unit_test(test_what_is_no_secret),
		cmocka_unit_test(test_who_else_can_read),
	};

	return cmocka_run_group_tests_name("file", tests, make_folder, remove_folder);
}
