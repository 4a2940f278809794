/* core/directory: the cloud's people and devices, kept whole. */
#include "unit.h"

#include "core/directory.h"

static struct directory dir;

static int begin(void **state)
{
	(void)state;
	directory_init(&dir, 42);
	return 0;
}

static int end(void **state)
{
	(void)state;
	directory_done(&dir);
	return 0;
}

static int put_user(const char *id, const char *email, const char *phone)
{
	return directory_put_user(
		&dir, &(struct dir_user){id, "John Doe", email, phone, "IT", "2023-01-15"});
}

static void test_put_and_get(void **state)
{
	char id[] = "usr_1";
	const struct dir_user *u;

	(void)state;
	assert_null(directory_user(&dir, "usr_1"));
	assert_int_equal(put_user(id, "a@b.c", "+1"), DIR_NEW);
	memset(id, 'x', 5); /* the entry was copied */
	u = directory_user(&dir, "usr_1");
	assert_non_null(u);
	assert_string_equal(u->id, "usr_1");
	assert_string_equal(u->name, "John Doe");
	assert_string_equal(u->email, "a@b.c");
	assert_string_equal(u->phone, "+1");
	assert_string_equal(u->department, "IT");
	assert_string_equal(u->updated_at, "2023-01-15");
	assert_null(directory_user(&dir, "xxxxx"));
}

static void test_what_changed(void **state)
{
	(void)state;
	assert_int_equal(put_user("usr_1", "a@b.c", "+1"), DIR_NEW);
	assert_int_equal(put_user("usr_1", "a@b.c", "+1"), DIR_SAME);
	assert_int_equal(put_user("usr_1", "a@b.d", "+1"), DIR_CHANGED);
	assert_string_equal(directory_user(&dir, "usr_1")->email, "a@b.d");
	assert_int_equal(strmap_count(&dir.users), 1);
}

static void test_devices_by_serial(void **state)
{
	struct dir_device d = {"dev_1", "BIO-FP-001", "Gate", "fingerprint", "active", "Hall", ""};

	(void)state;
	assert_int_equal(directory_put_device(&dir, &d), DIR_NEW);
	d.status = "inactive";
	assert_int_equal(directory_put_device(&dir, &d), DIR_CHANGED);
	assert_int_equal(directory_put_device(&dir, &d), DIR_SAME);
	assert_string_equal(directory_device(&dir, "BIO-FP-001")->id, "dev_1");
	assert_string_equal(directory_device(&dir, "BIO-FP-001")->status, "inactive");
	assert_null(directory_device(&dir, "dev_1"));
}

static const char *id_of(enum user_kind kind, const char *value)
{
	const struct dir_user *u = directory_user_by_contact(&dir, kind, value);

	return u ? u->id : "nobody";
}

static void test_by_contact(void **state)
{
	(void)state;
	put_user("usr_1", "John@Example.org", "+91 98765 43210");
	put_user("usr_2", "", "");
	assert_string_equal(id_of(USER_EMAIL, "john@example.org"), "usr_1");
	assert_string_equal(id_of(USER_PHONE, "+919876543210"), "usr_1");
	assert_string_equal(id_of(USER_PHONE, "john@example.org"), "nobody");
	assert_string_equal(id_of(USER_EMAIL, "jane@example.org"), "nobody");
	/* who has none is not found by an empty one */
	assert_string_equal(id_of(USER_EMAIL, ""), "nobody");
	put_user("usr_1", "jane@example.org", "+1");
	assert_string_equal(id_of(USER_EMAIL, "john@example.org"), "nobody");
	assert_string_equal(id_of(USER_EMAIL, "jane@example.org"), "usr_1");
}

/* Two with one address: nobody's, or one would be paid for the other. */
static void test_a_shared_contact_names_nobody(void **state)
{
	(void)state;
	put_user("usr_1", "desk@example.org", "+1");
	put_user("usr_2", "Desk@Example.org", "+2");
	assert_string_equal(id_of(USER_EMAIL, "desk@example.org"), "nobody");
	assert_string_equal(id_of(USER_PHONE, "+2"), "usr_2");
	put_user("usr_2", "own@example.org", "+2");
	assert_string_equal(id_of(USER_EMAIL, "desk@example.org"), "usr_1");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_put_and_get),
		CASE(test_what_changed),
		CASE(test_devices_by_serial),
		CASE(test_by_contact),
		CASE(test_a_shared_contact_names_nobody),
	};

	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
