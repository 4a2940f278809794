#include "core/newuser.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "core/user.h"

#define PHONE_DIGITS_MIN 7
#define PHONE_DIGITS_MAX 15

const char *newuser_state_name(enum newuser_state state, bool in_doubt)
{
	switch (state) {
	case NEWUSER_WAITING: return in_doubt ? "in_doubt" : "queued";
	case NEWUSER_CREATED: return "created";
	case NEWUSER_ADOPTED: return "adopted";
	case NEWUSER_REFUSED: return "refused";
	case NEWUSER_CANCELLED: return "cancelled";
	}
	return "unknown";
}

/* ---- what may be asked for */

struct newuser_person newuser_person(const struct newuser *u)
{
	return (struct newuser_person){
		.name = u->name, .email = u->email, .phone = u->phone, .department = u->department};
}

const char *newuser_field_name(enum newuser_field field)
{
	switch (field) {
	case NEWUSER_NAME: return "name";
	case NEWUSER_EMAIL: return "email";
	case NEWUSER_PHONE: return "phone";
	case NEWUSER_DEPARTMENT: return "department";
	}
	return "";
}

static const char *text_of(const struct newuser_person *p, enum newuser_field field)
{
	switch (field) {
	case NEWUSER_NAME: return p->name;
	case NEWUSER_EMAIL: return p->email;
	case NEWUSER_PHONE: return p->phone;
	case NEWUSER_DEPARTMENT: return p->department;
	}
	return "";
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_text(const char *text)
{
	const char *c = text;

	while (*c && !is_control(*c))
		c++;
	return *c == '\0' && utf8_valid(text);
}

static bool is_blank_text(const char *text)
{
	return text[strspn(text, " ")] == '\0';
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');

	return at && at != text && at[1] && !strchr(at + 1, '@') && !strchr(text, ' ');
}

/* E.164 */
static bool is_phone(const char *text)
{
	size_t digits = text[0] == '+' ? strspn(text + 1, "0123456789") : 0;

	return digits >= PHONE_DIGITS_MIN && digits <= PHONE_DIGITS_MAX && text[1] != '0' &&
		text[digits + 1] == '\0';
}

/* People write numbers with blanks and dashes: what they may have meant is offered, not taken, since
 * "+49 (0)30 …" would make a number of somebody else. */
static void tell_phone(const char *text, char ret_words[static NEWUSER_WORDS_SIZE])
{
	char meant[USER_MAX + 1];

	if (user_normalise(USER_PHONE, text, meant) == 0 && is_phone(meant) && !strchr(text, '('))
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"phone must be in E.164, without anything between the digits: %.16s",
			meant);
	else
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"phone must be in E.164: a plus, the country code and the number, 7 to 15 "
			"digits, such as +919876543210");
}

bool newuser_field_good(const struct newuser_person *p, enum newuser_field field,
	char ret_words[static NEWUSER_WORDS_SIZE])
{
	const char *text = text_of(p, field), *param = newuser_field_name(field);

	if (text[0] == '\0' && field == NEWUSER_DEPARTMENT)
		return true;
	if (is_blank_text(text))
		snprintf(ret_words, NEWUSER_WORDS_SIZE, "%s is required", param);
	else if (strlen(text) > NEWUSER_TEXT_MAX)
		snprintf(ret_words, NEWUSER_WORDS_SIZE, "%s has more than %d bytes", param,
			NEWUSER_TEXT_MAX);
	else if (!is_text(text))
		snprintf(ret_words, NEWUSER_WORDS_SIZE, "%s has bytes that are no text", param);
	else if (field == NEWUSER_EMAIL && !is_email(text))
		snprintf(ret_words, NEWUSER_WORDS_SIZE, "email must look like name@domain");
	else if (field == NEWUSER_PHONE && !is_phone(text))
		tell_phone(text, ret_words);
	else
		return true;
	return false;
}

/* ---- who is the same person */

static bool same_email(const char *a, const char *b)
{
	char x[USER_MAX + 1], y[USER_MAX + 1];

	return user_normalise(USER_EMAIL, a, x) == 0 && user_normalise(USER_EMAIL, b, y) == 0 &&
		strcmp(x, y) == 0;
}

static const char *next_digit(const char *text)
{
	while (*text && (*text < '0' || *text > '9'))
		text++;
	return text;
}

static bool same_phone(const char *a, const char *b)
{
	a = next_digit(a);
	b = next_digit(b);
	if (!*a)
		return false;
	while (*a && *a == *b) {
		a = next_digit(a + 1);
		b = next_digit(b + 1);
	}
	return *a == *b;
}

enum newuser_likeness newuser_compare(
	const struct newuser_person *p, const char *email, const char *phone)
{
	bool by_email = same_email(p->email, email), by_phone = same_phone(p->phone, phone);

	if (by_email && by_phone)
		return NEWUSER_SAME;
	return by_email ? NEWUSER_SAME_EMAIL : by_phone ? NEWUSER_SAME_PHONE : NEWUSER_STRANGER;
}

void newuser_differences(const struct newuser_person *p, const char *name, const char *department,
	char ret_words[static NEWUSER_WORDS_SIZE])
{
	bool other_name = strcmp(p->name, name) != 0;
	bool other_department = strcmp(p->department, department) != 0;

	ret_words[0] = '\0';
	if (other_name && other_department)
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"the cloud has them as \"%.100s\", department \"%.100s\"", name,
			department);
	else if (other_name)
		snprintf(ret_words, NEWUSER_WORDS_SIZE, "the cloud has them as \"%.100s\"", name);
	else if (other_department)
		snprintf(ret_words, NEWUSER_WORDS_SIZE,
			"the cloud has them in department \"%.100s\"", department);
}

/* ---- what is next */

bool newuser_is_absent(const struct newuser_facts *f)
{
	return f->likeness == NEWUSER_STRANGER && f->looked_us != 0 &&
		f->looked_us >= f->doubt_us && f->looked_us >= f->quiet_us;
}

static enum newuser_step next_of_waiting(
	const struct newuser_facts *f, int64_t now_us, int64_t *ret_until_us)
{
	int64_t until_us = f->not_before_us;

	/* At once: whose answer was lost is mostly there, and need not wait for what follows. */
	if (f->in_doubt && (f->looked_us == 0 || f->looked_us < f->doubt_us))
		return NEWUSER_LOOK;
	if (f->in_doubt && f->quiet_us > until_us)
		until_us = f->quiet_us;
	if (now_us < until_us) {
		*ret_until_us = until_us;
		return NEWUSER_WAIT;
	}
	return f->in_doubt && !newuser_is_absent(f) ? NEWUSER_LOOK : NEWUSER_SEND;
}

enum newuser_step newuser_next(const struct newuser_facts *f, int64_t now_us, int64_t *ret_until_us)
{
	*ret_until_us = 0;
	if (f->state != NEWUSER_WAITING || f->in_flight)
		return NEWUSER_REST;
	switch (f->likeness) {
	case NEWUSER_SAME: return NEWUSER_ADOPT;
	case NEWUSER_SAME_EMAIL:
	case NEWUSER_SAME_PHONE: return NEWUSER_CLASH;
	case NEWUSER_STRANGER: break;
	}
	return next_of_waiting(f, now_us, ret_until_us);
}
