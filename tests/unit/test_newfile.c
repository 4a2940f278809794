/* base/newfile: a file appears whole or not at all, and nothing is left behind. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/newfile.h"

static char folder[] = "/tmp/punchd-newfile-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/report", mkdtemp(folder));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static int files(void)
{
	DIR *dir = opendir(folder);
	int n = -2; /* . and .. */

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void assert_content(const char *text)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(file_read(path, &b, NULL), 0);
	assert_string_equal(b.data, text);
	buf_done(&b);
}

static void write_file(const char *text)
{
	struct newfile f;

	assert_int_equal(newfile_open(&f, path), 0);
	assert_int_equal(newfile_write(&f, text, strlen(text)), 0);
	assert_int_equal(newfile_commit(&f), 0);
}

static mode_t mode_of(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_appears_at_the_end(void **state)
{
	struct newfile f;

	(void)state;
	assert_int_equal(newfile_open(&f, path), 0);
	assert_int_equal(newfile_write(&f, "half", 4), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(newfile_write(&f, " and half", 9), 0);
	assert_int_equal(newfile_commit(&f), 0);
	newfile_abandon(&f);
	assert_content("half and half");
	assert_int_equal(files(), 1);
}

static void test_the_old_one_stays(void **state)
{
	struct newfile f;

	(void)state;
	write_file("old");
	assert_int_equal(newfile_open(&f, path), 0);
	assert_int_equal(newfile_write(&f, "new", 3), 0);
	newfile_abandon(&f);
	assert_content("old");
	assert_int_equal(files(), 1);
	write_file("new");
	assert_content("new");
}

/* A new one is a file like any other; who had closed the old one to others finds it closed. */
static void test_mode(void **state)
{
	mode_t before = umask(027);

	(void)state;
	write_file("new");
	umask(before);
	assert_int_equal(mode_of(), 0640);
	assert_int_equal(chmod(path, 0600), 0);
	write_file("newer");
	assert_int_equal(mode_of(), 0600);
}

static void test_through_a_link(void **state)
{
	char link[80];

	(void)state;
	snprintf(link, sizeof link, "%s.link", path);
	write_file("old");
	assert_int_equal(symlink(path, link), 0);
	{
		struct newfile f;

		assert_int_equal(newfile_open(&f, link), 0);
		assert_int_equal(newfile_write(&f, "new", 3), 0);
		assert_int_equal(newfile_commit(&f), 0);
	}
	assert_content("new");
	assert_int_equal(unlink(link), 0);
}

static void test_what_cannot_be_written(void **state)
{
	struct newfile f;

	(void)state;
	assert_int_equal(newfile_open(&f, folder), -EISDIR);
	assert_int_equal(newfile_open(&f, "/nowhere/at/all"), -ENOENT);
	/* No regular file is written as it is. */
	assert_int_equal(newfile_open(&f, "/dev/full"), 0);
	assert_int_equal(newfile_write(&f, "x", 1), -ENOSPC);
	newfile_abandon(&f);
	assert_int_equal(access("/dev/full", F_OK), 0);
	assert_int_equal(newfile_open(&f, "/dev/null"), 0);
	assert_int_equal(newfile_write(&f, "x", 1), 0);
	assert_int_equal(newfile_commit(&f), 0);
	assert_int_equal(access("/dev/null", F_OK), 0);
	assert_int_equal(files(), 0);
}

static void test_a_name_of_the_greatest_length(void **state)
{
	char longest[sizeof folder + 1 + 255 + 1];
	struct newfile f;

	(void)state;
	snprintf(longest, sizeof longest, "%s/", folder);
	memset(longest + strlen(longest), 'n', 255);
	longest[sizeof folder + 255] = '\0';
	assert_int_equal(newfile_open(&f, longest), 0);
	assert_int_equal(newfile_commit(&f), 0);
	assert_int_equal(unlink(longest), 0);
}

/* A child that is ended by a signal while it writes. */
static void test_a_signal_leaves_nothing(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (size_t i = 0; i < COUNT(signals); i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			struct newfile f;

			newfile_on_signals();
			if (newfile_open(&f, path) < 0 || newfile_write(&f, "half", 4) < 0)
				_exit(1);
			raise(signals[i]);
			_exit(2);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		assert_int_equal(files(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_appears_at_the_end, remove_file),
		cmocka_unit_test_teardown(test_the_old_one_stays, remove_file),
		cmocka_unit_test_teardown(test_mode, remove_file),
		cmocka_unit_test_teardown(test_through_a_link, remove_file),
		cmocka_unit_test_teardown(test_what_cannot_be_written, remove_file),
		cmocka_unit_test(test_a_name_of_the_greatest_length),
		cmocka_unit_test(test_a_signal_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
