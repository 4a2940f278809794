/* core/directory: the cloud's people and devices, kept whole. */
#include "unit.h"

#include <malloc.h>

#include "core/directory.h"

#define MANY 100000

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
	assert_int_equal(directory_count(&dir, DIR_USERS), 1);
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

/* Somebody was made anew in the cloud: the one who is there is meant, not who was. */
static void test_who_is_gone_gives_way(void **state)
{
	(void)state;
	put_user("usr_1", "john@example.org", "+1");
	put_user("usr_2", "john@example.org", "+2");
	assert_string_equal(id_of(USER_EMAIL, "john@example.org"), "nobody");
	directory_set_missed(&dir, DIR_USERS, "usr_1", DIR_GONE);
	assert_string_equal(id_of(USER_EMAIL, "john@example.org"), "usr_2");
	assert_string_equal(id_of(USER_PHONE, "+1"), "usr_1");
	directory_set_missed(&dir, DIR_USERS, "usr_2", DIR_GONE);
	assert_string_equal(id_of(USER_EMAIL, "john@example.org"), "nobody");
}

/* All who share it, each once, those who are gone too. */
static void test_everybody_with_a_contact(void **state)
{
	const struct dir_user *u = NULL;
	unsigned found = 0;
	char id[16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof id, "usr_%d", i);
		put_user(id, i % 2 ? "Desk@example.org" : "own@example.org", i == 3 ? "+3" : "");
	}
	directory_set_missed(&dir, DIR_USERS, "usr_5", DIR_GONE);
	while ((u = directory_next_by_contact(&dir, USER_EMAIL, "desk@example.org", u))) {
		unsigned bit = 1U << strtoul(u->id + strlen("usr_"), NULL, 10);

		assert_int_equal(found & bit, 0);
		found |= bit;
	}
	assert_int_equal(found, 0xaaaaa);
	u = directory_next_by_contact(&dir, USER_PHONE, "+3", NULL);
	assert_string_equal(u->id, "usr_3");
	assert_null(directory_next_by_contact(&dir, USER_PHONE, "+3", u));
	assert_null(directory_next_by_contact(&dir, USER_EMAIL, "nobody@example.org", NULL));
}

/* What the cloud says at each pass anew is no change of a device. */
static void test_when_a_device_was_synced(void **state)
{
	const struct dir_device d = {"dev_1", "S-1", "Door", "", "active", "", ""};

	(void)state;
	directory_device_synced(&dir, "S-1", "2026-01-01T00:00:00Z"); /* nobody */
	directory_put_device(&dir, &d);
	assert_string_equal(directory_device_last_sync(directory_device(&dir, "S-1")), "");
	directory_device_synced(&dir, "S-1", "2026-01-02T00:00:00Z");
	assert_int_equal(directory_put_device(&dir, &d), DIR_SAME);
	assert_string_equal(
		directory_device_last_sync(directory_device(&dir, "S-1")), "2026-01-02T00:00:00Z");
}

/* ---- passes */

static int note_missing(void *arg, const char *key, int passes)
{
	char *text = arg;

	snprintf(text + strlen(text), 32, "%s:%d ", key, passes);
	return 0;
}

/* A pass that saw these; what it says of the others, and how many are gone by it. */
static size_t pass(const char *const *ids, char said[64])
{
	directory_pass_begin(&dir, DIR_USERS);
	for (; *ids; ids++)
		put_user(*ids, "", "");
	said[0] = '\0';
	assert_int_equal(directory_pass_missing(&dir, DIR_USERS, note_missing, said), 0);
	return directory_pass_end(&dir, DIR_USERS);
}

static void test_missing_from_two_passes_is_gone(void **state)
{
	static const char *const both[] = {"usr_1", "usr_2", NULL}, *const one[] = {"usr_1", NULL};
	char said[64];

	(void)state;
	assert_int_equal(pass(both, said), 0);
	assert_string_equal(said, "");
	assert_int_equal(pass(one, said), 0);
	assert_string_equal(said, "usr_2:1 ");
	assert_int_equal(directory_missed(&dir, DIR_USERS, "usr_2"), 1);
	assert_int_equal(directory_count(&dir, DIR_USERS), 2);
	/* two in a row, or it begins anew */
	assert_int_equal(pass(both, said), 0);
	assert_int_equal(pass(one, said), 0);
	assert_string_equal(said, "usr_2:1 ");
	assert_int_equal(pass(one, said), 1);
	assert_string_equal(said, "usr_2:2 ");
	assert_int_equal(directory_count(&dir, DIR_USERS), 1);
	assert_true(directory_user_gone(directory_user(&dir, "usr_2")));
	assert_false(directory_user_gone(directory_user(&dir, "usr_1")));
	/* it is told once */
	assert_int_equal(pass(one, said), 0);
	assert_string_equal(said, "");
	assert_int_equal(put_user("usr_2", "", ""), DIR_BACK);
	assert_int_equal(put_user("usr_2", "", ""), DIR_SAME);
	assert_int_equal(directory_count(&dir, DIR_USERS), 2);
}

static void test_a_pass_counts_each_once(void **state)
{
	(void)state;
	put_user("usr_1", "", "");
	put_user("usr_2", "", "");
	directory_pass_begin(&dir, DIR_USERS);
	assert_int_equal(directory_pass_seen(&dir, DIR_USERS), 0);
	put_user("usr_1", "", "");
	put_user("usr_1", "other", "");
	put_user("usr_3", "", "");
	assert_int_equal(directory_pass_seen(&dir, DIR_USERS), 2);
}

static void test_gone_ones_that_change(void **state)
{
	const struct dir_device d = {"dev_1", "S1", "", "", "active", "", ""};

	(void)state;
	directory_put_device(&dir, &d);
	directory_set_missed(&dir, DIR_DEVICES, "S1", DIR_GONE);
	directory_set_missed(&dir, DIR_DEVICES, "S2", DIR_GONE); /* no such one */
	assert_true(directory_device_gone(directory_device(&dir, "S1")));
	assert_int_equal(directory_count(&dir, DIR_DEVICES), 0);
	assert_int_equal(directory_put_device(&dir,
				 &(struct dir_device){"dev_1", "S1", "", "", "inactive", "", ""}),
		DIR_CHANGED);
	assert_false(directory_device_gone(directory_device(&dir, "S1")));
	assert_int_equal(directory_count(&dir, DIR_DEVICES), 1);
}

/* ---- many */

static void put_many(int i, const char *department)
{
	char id[32], name[64], email[64], phone[32];

	snprintf(id, sizeof id, "usr_%020d", i);
	snprintf(name, sizeof name, "Annamalai Subramanian %d", i);
	snprintf(email, sizeof email, "annamalai.s%d@company.example", i);
	snprintf(phone, sizeof phone, "+9198765%05d", i);
	assert_true(directory_put_user(&dir,
			    &(struct dir_user){id, name, email, phone, department,
				    "2026-02-01T08:00:00Z"}) >= 0);
}

/* 100,000 users in 40 MiB, also after each has changed. Meaningless where malloc is replaced. */
static void test_memory(void **state)
{
	struct mallinfo2 before = mallinfo2(), after;
	size_t bytes;

	(void)state;
	for (int i = 0; i < MANY; i++)
		put_many(i, "Maintenance");
	for (int i = 0; i < MANY; i++)
		put_many(i, "Engineering");
	after = mallinfo2();
	bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
	print_message("# %zu bytes a user\n", bytes / MANY);
	assert_true(bytes <= 40 * 1024 * 1024);
	if (after.arena > 0)
		assert_true(bytes > MANY * 100);
}

/* The longest way to an entry does not grow with their number. */
static void test_look_ups_are_short(void **state)
{
	const struct chain *chains[] = {&dir.lists[DIR_USERS].chain, &dir.emails, &dir.phones};

	(void)state;
	for (int i = 0; i < MANY; i++)
		put_many(i, "");
	for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
		size_t longest = 0;

		assert_int_equal(chains[i]->used, MANY);
		for (size_t at = 0; at < chains[i]->size; at++) {
			size_t length = 0;

			for (const struct chain_node *n = chains[i]->heads[at]; n; n = n->next)
				length++;
			longest = length > longest ? length : longest;
		}
		assert_true(longest <= 16);
	}
	assert_string_equal(
		id_of(USER_EMAIL, "annamalai.s99999@company.example"), "usr_00000000000000099999");
	assert_string_equal(id_of(USER_PHONE, "+919876500007"), "usr_00000000000000000007");
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
		CASE(test_who_is_gone_gives_way),
		CASE(test_everybody_with_a_contact),
		CASE(test_when_a_device_was_synced),
		CASE(test_missing_from_two_passes_is_gone),
		CASE(test_a_pass_counts_each_once),
		CASE(test_gone_ones_that_change),
		CASE(test_memory),
		CASE(test_look_ups_are_short),
	};

	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
