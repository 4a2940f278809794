/* edge/watchfile: told of whatever makes a file another one. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/watchfile.h"

#define PATIENCE_MS 10000

static struct loop *loop;
static struct loop_timer *patience;
static struct watchfile *watch;
static char folder[64];

static void on_change(void *arg)
{
	(void)arg;
	loop_stop(loop, 1);
}

static void on_patience(void *arg)
{
	(void)arg;
	loop_stop(loop, 0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/test_watchfile-XXXXXX");
	assert_non_null(mkdtemp(folder));
	loop = loop_new();
	patience = loop_timer_new(loop, on_patience, NULL);
	watch = watchfile_new(loop, on_change, NULL);
	assert_non_null(watch);
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	watchfile_free(watch);
	loop_timer_free(patience);
	loop_free(loop);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

/* A path in the folder; four at a time. */
static const char *in(const char *name)
{
	static char paths[4][128];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in(name), "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void swap_link(const char *name, const char *target)
{
	assert_int_equal(symlink(target, in("fresh")), 0);
	assert_int_equal(rename(in("fresh"), in(name)), 0);
}

static void is_told(void)
{
	loop_timer_set(patience, PATIENCE_MS);
	assert_int_equal(loop_run(loop), 1);
}

/* All that was done before is told; what comes then is new. */
static void look(const char *name)
{
	watchfile_set(watch, in(name));
	put("noise", "x");
	is_told();
}

static void test_written_and_replaced(void **state)
{
	(void)state;
	put("key", "a");
	watchfile_set(watch, in("key"));
	assert_false(watchfile_settles(watch));
	put("key", "b");
	is_told();
	assert_false(watchfile_settles(watch));
	put("key.new", "c");
	is_told();
	assert_int_equal(rename(in("key.new"), in("key")), 0);
	is_told();
	assert_int_equal(chmod(in("key"), 0600), 0);
	is_told();
	assert_int_equal(unlink(in("key")), 0);
	is_told();
}

static void test_there_at_last(void **state)
{
	(void)state;
	watchfile_set(watch, in("key"));
	put("key", "a");
	is_told();
}

/* A folder that was not there is seen when the owner tells the path again. */
static void test_folder_that_comes_later_and_goes(void **state)
{
	(void)state;
	watchfile_set(watch, in("keys/key"));
	assert_int_equal(mkdir(in("keys"), 0700), 0);
	watchfile_set(watch, in("keys/key"));
	put("keys/key", "a");
	is_told();
	/* Another one in its place. */
	assert_int_equal(rename(in("keys"), in("old")), 0);
	assert_int_equal(mkdir(in("keys"), 0700), 0);
	watchfile_set(watch, in("keys/key"));
	put("keys/key", "b");
	is_told();
}

static void test_link_that_is_swapped(void **state)
{
	(void)state;
	put("a", "a");
	put("b", "b");
	assert_int_equal(symlink("a", in("key")), 0);
	watchfile_set(watch, in("key"));
	swap_link("key", "b");
	is_told();
}

/* As Kubernetes does: key → ..data/key, and ..data is swapped. */
static void test_link_to_a_folder_that_is_swapped(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("v1"), 0700), 0);
	assert_int_equal(mkdir(in("v2"), 0700), 0);
	put("v1/key", "a");
	put("v2/key", "b");
	assert_int_equal(symlink("v1", in("..data")), 0);
	assert_int_equal(symlink("..data/key", in("key")), 0);
	watchfile_set(watch, in("key"));
	swap_link("..data", "v2");
	is_told();
	/* And what is done where it leads now, and no longer where it led. */
	watchfile_set(watch, in("key"));
	put("v2/key", "c");
	is_told();
	put("v1/key", "d");
	loop_timer_set(patience, 100);
	assert_int_equal(loop_run(loop), 0);
}

static void test_another_path(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in("else"), 0700), 0);
	watchfile_set(watch, in("key"));
	watchfile_set(watch, in("else/key"));
	put("key", "a");
	loop_timer_set(patience, 100);
	assert_int_equal(loop_run(loop), 0);
	put("else/key", "a");
	is_told();
	look("noise");
}

static void test_nothing(void **state)
{
	(void)state;
	watchfile_set(NULL, "/key");
	watchfile_free(NULL);
	assert_false(watchfile_settles(NULL));
	watchfile_set(watch, "key");
	watchfile_set(watch, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_written_and_replaced),
		CASE(test_there_at_last),
		CASE(test_folder_that_comes_later_and_goes),
		CASE(test_link_that_is_swapped),
		CASE(test_link_to_a_folder_that_is_swapped),
		CASE(test_another_path),
		CASE(test_nothing),
	};

	return cmocka_run_group_tests_name("watchfile", tests, NULL, NULL);
}
