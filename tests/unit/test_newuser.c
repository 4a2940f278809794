/* core/newuser: what may be asked for, who is the same person, and that nobody is made twice. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "core/newuser.h"
#include "core/user.h"

#define S 1000000LL

static char words[NEWUSER_WORDS_SIZE];

static struct newuser_person person(const char *email, const char *phone)
{
	return (struct newuser_person){
		.name = "Ann Example", .email = email, .phone = phone, .department = ""};
}

static bool good(enum newuser_field field, const char *text)
{
	struct newuser_person p = person("ann@example.com", "+919876543210");

	switch (field) {
	case NEWUSER_NAME: p.name = text; break;
	case NEWUSER_EMAIL: p.email = text; break;
	case NEWUSER_PHONE: p.phone = text; break;
	case NEWUSER_DEPARTMENT: p.department = text; break;
	}
	words[0] = '\0';
	return newuser_field_good(&p, field, words);
}

static void bad(enum newuser_field field, const char *text, const char *why)
{
	assert_false(good(field, text));
	assert_non_null(strstr(words, newuser_field_name(field)));
	if (!strstr(words, why))
		fail_msg("\"%s\": %s", text, words);
}

static const char *letters(int n)
{
	static char text[NEWUSER_TEXT_MAX + 2];

	snprintf(text, sizeof text, "%0*d", n, 0);
	return text;
}

static void test_what_may_be_asked_for(void **state)
{
	static const char *const names[] = {"A", "अनन्या", "O'Brien, \"Bob\"", "a b"};
	static const char *const emails[] = {"a@b", "a.b+c@d.example", "üß@x", "A@B"};
	static const char *const phones[] = {"+1234567", "+123456789012345", "+919876543210"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_true(good(NEWUSER_NAME, names[i]) && good(NEWUSER_DEPARTMENT, names[i]));
	for (size_t i = 0; i < COUNT(emails); i++)
		assert_true(good(NEWUSER_EMAIL, emails[i]));
	for (size_t i = 0; i < COUNT(phones); i++)
		assert_true(good(NEWUSER_PHONE, phones[i]));
	assert_true(good(NEWUSER_DEPARTMENT, ""));
	assert_true(good(NEWUSER_NAME, letters(NEWUSER_TEXT_MAX)));
}

static void test_what_may_not(void **state)
{
	(void)state;
	bad(NEWUSER_NAME, "", "required");
	bad(NEWUSER_NAME, "  ", "required");
	bad(NEWUSER_NAME, letters(NEWUSER_TEXT_MAX + 1), "200 bytes");
	bad(NEWUSER_DEPARTMENT, letters(NEWUSER_TEXT_MAX + 1), "200 bytes");
	bad(NEWUSER_NAME, "a\nb", "no text");
	bad(NEWUSER_NAME, "a\x7f", "no text");
	bad(NEWUSER_NAME, "a\xff", "no text");
	bad(NEWUSER_EMAIL, "", "required");
	for (size_t i = 0; i < 6; i++)
		bad(NEWUSER_EMAIL,
			(const char *const[]){"a", "@b", "a@", "a@b@c", "a b@c", "a @b"}[i],
			"name@domain");
	bad(NEWUSER_PHONE, "", "required");
	for (size_t i = 0; i < 7; i++)
		bad(NEWUSER_PHONE,
			(const char *const[]){"9876543210", "+0123456789", "+123456",
				"+1234567890123456", "+12345678x", "+", "++1234567"}[i],
			"country code");
}

/* What was meant is offered; where brackets leave that open, it is not. */
static void test_a_number_with_blanks_is_offered(void **state)
{
	(void)state;
	bad(NEWUSER_PHONE, "+91 98765-43210", "digits: +919876543210");
	bad(NEWUSER_PHONE, "0049 30 123456", "digits: +4930123456");
	bad(NEWUSER_PHONE, "+49 (0)30 123456", "country code");
}

static void test_who_is_the_same(void **state)
{
	const struct newuser_person p = person("Ann@Example.com", "+919876543210");

	(void)state;
	assert_int_equal(newuser_compare(&p, "ann@example.COM", "+91 98765 43210"), NEWUSER_SAME);
	assert_int_equal(newuser_compare(&p, " ann@example.com", "919876543210"), NEWUSER_SAME);
	assert_int_equal(
		newuser_compare(&p, "ann@example.com", "+919876543211"), NEWUSER_SAME_EMAIL);
	assert_int_equal(newuser_compare(&p, "ann@example.com", ""), NEWUSER_SAME_EMAIL);
	assert_int_equal(newuser_compare(&p, "", "+919876543210"), NEWUSER_SAME_PHONE);
	assert_int_equal(newuser_compare(&p, "", ""), NEWUSER_STRANGER);
	assert_int_equal(
		newuser_compare(&p, "bob@example.com", "+9198765432101"), NEWUSER_STRANGER);
	assert_int_equal(newuser_compare(&p, "bob@example.com", "+91987654321"), NEWUSER_STRANGER);
}

static uint64_t dice_state = 88172645463325252U;

static uint64_t dice(uint64_t sides)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 7;
	dice_state ^= dice_state << 17;
	return dice_state % sides;
}

static void random_phone(char *to)
{
	size_t digits = 7 + dice(9);

	*to++ = '+';
	*to++ = (char)('1' + dice(9));
	for (size_t i = 1; i < digits; i++)
		*to++ = (char)('0' + dice(10));
	*to = '\0';
}

static void random_email(char *to)
{
	size_t n = 1 + dice(20);

	for (size_t i = 0; i < n; i++)
		*to++ = "abcXYZ019._+-"[dice(13)];
	*to++ = '@';
	for (size_t i = 0; i < 1 + dice(9); i++)
		*to++ = "abcXYZ0.-"[dice(9)];
	*to++ = 'x';
	*to = '\0';
}

/* As somebody else, or another program, may write the same. */
static void scatter(const char *text, const char *between, bool turn_case, char *to)
{
	for (; *text; text++) {
		if (*between && dice(4) == 0)
			*to++ = between[dice(strlen(between))];
		if (turn_case && dice(2) && *text >= 'a' && *text <= 'z')
			*to++ = (char)(*text - 'a' + 'A');
		else if (turn_case && dice(2) && *text >= 'A' && *text <= 'Z')
			*to++ = (char)(*text - 'A' + 'a');
		else
			*to++ = *text;
	}
	*to = '\0';
}

static void test_random_people_are_found_however_they_are_written(void **state)
{
	char email[64], phone[32], as_email[64], as_phone[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct newuser_person p = person(email, phone);

		random_email(email);
		random_phone(phone);
		assert_true(newuser_field_good(&p, NEWUSER_EMAIL, words));
		assert_true(newuser_field_good(&p, NEWUSER_PHONE, words));
		scatter(email, "", true, as_email);
		scatter(phone, " -./()", false, as_phone);
		assert_int_equal(newuser_compare(&p, as_email, as_phone), NEWUSER_SAME);
		/* One digit more, less or other is somebody else. */
		as_phone[strlen(as_phone) - 1] ^= 1;
		assert_int_equal(newuser_compare(&p, as_email, as_phone), NEWUSER_SAME_EMAIL);
		memcpy(as_email, "other", 5);
		assert_int_not_equal(newuser_compare(&p, as_email, phone), NEWUSER_SAME);
	}
}

static void test_what_differs_is_told(void **state)
{
	const struct newuser_person p = {"Ann", "a@b", "+1234567", "Ops"};

	(void)state;
	newuser_differences(&p, "Ann", "Ops", words);
	assert_string_equal(words, "");
	newuser_differences(&p, "Anne", "Ops", words);
	assert_string_equal(words, "the cloud has them as \"Anne\"");
	newuser_differences(&p, "Ann", "", words);
	assert_string_equal(words, "the cloud has them in department \"\"");
	newuser_differences(&p, "Anne", "Sales", words);
	assert_string_equal(words, "the cloud has them as \"Anne\", department \"Sales\"");
}

/* ---- what is next */

static enum newuser_step next(const struct newuser_facts *f, int64_t now_us, int64_t until_us)
{
	int64_t until;
	enum newuser_step step = newuser_next(f, now_us, &until);

	assert_int_equal(until, until_us);
	return step;
}

static void test_what_never_left_is_sent_at_once(void **state)
{
	struct newuser_facts f = {.state = NEWUSER_WAITING};

	(void)state;
	assert_int_equal(next(&f, 1, 0), NEWUSER_SEND);
	f.not_before_us = 5 * S;
	assert_int_equal(next(&f, 5 * S - 1, 5 * S), NEWUSER_WAIT);
	assert_int_equal(next(&f, 5 * S, 0), NEWUSER_SEND);
	f.in_flight = true;
	assert_int_equal(next(&f, 5 * S, 0), NEWUSER_REST);
	for (int s = NEWUSER_CREATED; s < NEWUSER_STATES; s++) {
		f = (struct newuser_facts){
			.state = (enum newuser_state)s, .likeness = NEWUSER_SAME};
		assert_int_equal(next(&f, 1, 0), NEWUSER_REST);
	}
}

static void test_what_is_in_doubt_is_looked_for_twice(void **state)
{
	struct newuser_facts f = {.state = NEWUSER_WAITING,
		.in_doubt = true,
		.doubt_us = 10 * S,
		.quiet_us = 40 * S,
		.looked_us = 9 * S};

	(void)state;
	assert_int_equal(next(&f, 10 * S, 0), NEWUSER_LOOK);
	/* It was not there, but its request may still be at work. */
	f.looked_us = 10 * S;
	assert_int_equal(next(&f, 12 * S, 40 * S), NEWUSER_WAIT);
	assert_int_equal(next(&f, 40 * S, 0), NEWUSER_LOOK);
	assert_false(newuser_is_absent(&f));
	f.looked_us = 40 * S - 1;
	assert_int_equal(next(&f, 45 * S, 0), NEWUSER_LOOK);
	f.looked_us = 40 * S;
	assert_true(newuser_is_absent(&f));
	assert_int_equal(next(&f, 45 * S, 0), NEWUSER_SEND);
	f.not_before_us = 50 * S;
	assert_int_equal(next(&f, 45 * S, 50 * S), NEWUSER_WAIT);
	/* Sent again, and lost again: the reading of before is worth nothing. */
	f.doubt_us = 51 * S;
	f.quiet_us = 81 * S;
	assert_int_equal(next(&f, 90 * S, 0), NEWUSER_LOOK);
}

/* As after a restart: when it was sent is not known by this clock. */
static void test_an_earlier_run_may_have_sent_it(void **state)
{
	struct newuser_facts f = {.state = NEWUSER_WAITING, .in_doubt = true, .quiet_us = 30 * S};

	(void)state;
	assert_int_equal(next(&f, 1, 0), NEWUSER_LOOK);
	f.looked_us = 1;
	assert_int_equal(next(&f, 2, 30 * S), NEWUSER_WAIT);
}

static void test_who_is_there_is_not_made(void **state)
{
	struct newuser_facts f = {.state = NEWUSER_WAITING, .likeness = NEWUSER_SAME};

	(void)state;
	assert_int_equal(next(&f, 1, 0), NEWUSER_ADOPT);
	f.in_doubt = true;
	f.not_before_us = 9 * S;
	assert_int_equal(next(&f, 1, 0), NEWUSER_ADOPT);
	f.likeness = NEWUSER_SAME_EMAIL;
	assert_int_equal(next(&f, 1, 0), NEWUSER_CLASH);
	f.likeness = NEWUSER_SAME_PHONE;
	assert_int_equal(next(&f, 1, 0), NEWUSER_CLASH);
	/* The answer that is on its way knows better. */
	f.in_flight = true;
	assert_int_equal(next(&f, 1, 0), NEWUSER_REST);
}

/*
 * A cloud that ignores keys, takes long over some requests and forgets to answer: whatever happens
 * when, it makes the person once.
 */
static void test_random_stories_make_nobody_twice(void **state)
{
	(void)state;
	for (int story = 0; story < 20000; story++) {
		struct newuser_facts f = {.state = NEWUSER_WAITING};
		int64_t now = 1, done_at = 0, list_began = 0, list_ends = 0;
		bool made = false, in_list = false;
		int times = 0;

		for (int step = 0; step < 200 && f.state == NEWUSER_WAITING; step++, now += S) {
			int64_t until;

			if (done_at && now >= done_at) {
				times++;
				made = true;
				done_at = 0;
			}
			/* A list shows what there was when it began, or what came while it was read. */
			if (list_began && now >= list_ends) {
				if (in_list || (made && dice(2)))
					f.likeness = NEWUSER_SAME;
				f.looked_us = list_began;
				list_began = 0;
			}
			switch (newuser_next(&f, now, &until)) {
			case NEWUSER_LOOK:
				if (list_began)
					break;
				list_began = now;
				list_ends = now + (int64_t)dice(20) * S;
				in_list = made;
				break;
			case NEWUSER_SEND:
				/* Within 30 s it is done, or never; the answer is lost. */
				if (dice(3))
					done_at = now + (int64_t)dice(30) * S;
				f.in_doubt = true;
				f.doubt_us = now;
				f.quiet_us = now + 30 * S;
				f.not_before_us = now + (int64_t)dice(40) * S;
				break;
			case NEWUSER_ADOPT: f.state = NEWUSER_ADOPTED; break;
			case NEWUSER_WAIT:
			case NEWUSER_REST:
			case NEWUSER_CLASH: break;
			}
		}
		assert_true(times <= 1);
		assert_true(f.state != NEWUSER_ADOPTED || times == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_may_be_asked_for),
		cmocka_unit_test(test_what_may_not),
		cmocka_unit_test(test_a_number_with_blanks_is_offered),
		cmocka_unit_test(test_who_is_the_same),
		cmocka_unit_test(test_random_people_are_found_however_they_are_written),
		cmocka_unit_test(test_what_differs_is_told),
		cmocka_unit_test(test_what_never_left_is_sent_at_once),
		cmocka_unit_test(test_what_is_in_doubt_is_looked_for_twice),
		cmocka_unit_test(test_an_earlier_run_may_have_sent_it),
		cmocka_unit_test(test_who_is_there_is_not_made),
		cmocka_unit_test(test_random_stories_make_nobody_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
