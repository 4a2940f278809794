/* core/hooksig: who may tell us something. */
#include "unit.h"

#include "core/hooksig.h"

#define SECRET "a-secret-of-24-characters"
#define HMAC   "another-secret-that-signs"

static void test_faults(void **state)
{
	(void)state;
	assert_null(hooksig_secret_fault(SECRET));
	assert_null(hooksig_secret_fault("abcdefghijklmnopqrstuvwx"));
	assert_non_null(hooksig_secret_fault("abcdefghijklmnopqrstuvw"));
	assert_non_null(hooksig_secret_fault(""));
	assert_non_null(hooksig_secret_fault("abcdefghijkl mnopqrstuvwxyz"));
	assert_non_null(hooksig_secret_fault("abcdefghijklmnopqrstuvwxyz "));
	assert_non_null(hooksig_secret_fault("abcdefghijklmnopqrstuvwx\xc3\xa4"));
}

static void test_path(void **state)
{
	static const char *const wrong[] = {"", "/", "/webhook", "/webhook/",
		"/webhook/" SECRET "x", "/webhook/" SECRET "/", "/webhook//" SECRET,
		"/Webhook/" SECRET, "/hook/" SECRET, "/webhook/A-secret-of-24-characters",
		"/webhook/a-secret-of-24-character", "//webhook/" SECRET, "/webhook/" HMAC};
	struct hooksig s;

	(void)state;
	assert_int_equal(hooksig_init(&s, SECRET, NULL), 0);
	assert_true(hooksig_path_fits(&s, "/webhook/" SECRET));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(hooksig_path_fits(&s, wrong[i]));
	hooksig_done(&s);
	/* As `openssl rand -base64` makes them. */
	assert_int_equal(hooksig_init(&s, "ab/cd+ef/gh==ij/kl+mn/opq", NULL), 0);
	assert_true(hooksig_path_fits(&s, "/webhook/ab/cd+ef/gh==ij/kl+mn/opq"));
	hooksig_done(&s);
}

/* RFC 4231, case 2; and what `openssl dgst -sha256 -hmac` says of the empty body. */
static void test_signature(void **state)
{
	static const char body[] = "what do ya want for nothing?";
	static const char good[] =
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
	static const char *const wrong[] = {"",
		"sha256=", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38430",
		"5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843",
		"6bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844",
		"SHA256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha256=sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		" 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"};
	char with[128];
	struct hooksig s;

	(void)state;
	assert_int_equal(hooksig_init(&s, SECRET, "Jefe"), 0);
	assert_true(hooksig_body_fits(&s, good, body, sizeof body - 1));
	snprintf(with, sizeof with, "sha256=%s", good);
	assert_true(hooksig_body_fits(&s, with, body, sizeof body - 1));
	assert_false(hooksig_body_fits(&s, NULL, body, sizeof body - 1));
	assert_false(hooksig_body_fits(&s, good, body, sizeof body - 2));
	assert_false(hooksig_body_fits(&s, good, "What do ya want for nothing?", sizeof body - 1));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(hooksig_body_fits(&s, wrong[i], body, sizeof body - 1));
	assert_true(hooksig_body_fits(
		&s, "923598ca6d64af2a5dba79dcd021a8a0fe5c5f557519adaaf0ad532d4506dd30", NULL, 0));
	hooksig_done(&s);
	/* Where none is asked for, none is looked at. */
	assert_int_equal(hooksig_init(&s, SECRET, NULL), 0);
	assert_true(hooksig_body_fits(&s, NULL, body, sizeof body - 1));
	assert_true(hooksig_body_fits(&s, "nonsense", body, sizeof body - 1));
	hooksig_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
