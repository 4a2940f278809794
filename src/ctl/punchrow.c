#include "ctl/punchrow.h"

#include "ctl/doc.h"
#include "ctl/overview.h"

#define USER_CAP 4096

const char *const punchrow_heads[PUNCHROW_COLUMNS] = {
	"TIME", "USER", "TYPE", "TERMINAL", "STATE", "REASON", "ID"};

void punchrow_add_user(struct buf *out, const json_t *punch)
{
	const char *name = doc_text(punch, "user.name"), *value = doc_text(punch, "user.value");

	if (name[0])
		buf_add_str(out, name);
	else if (value[0])
		buf_addf(out, "%s:%s", doc_text(punch, "user.kind"), value);
}

static const char *reason_of(const json_t *punch)
{
	const char *reason = doc_text(punch, "reason");

	return !reason[0] && doc_true(punch, "in_doubt") ? "in_doubt" : reason;
}

static int id_length(enum punchrow_form form)
{
	switch (form) {
	case PUNCHROW_WHOLE: return 64;
	case PUNCHROW_LIST: return 16;
	case PUNCHROW_LIVE: return 12;
	}
	return 0;
}

void punchrow_add(
	struct table *t, const json_t *punch, const struct times *times, enum punchrow_form form)
{
	const char *time = doc_text(punch, "time");
	const char *state = doc_text(punch, "state");
	char when[TIMES_TEXT_SIZE];
	struct buf user;

	buf_init(&user, USER_CAP);
	punchrow_add_user(&user, punch);
	table_add(t, TINT_PLAIN,
		form == PUNCHROW_LIVE ? times_show_brief(times, time, when)
				      : times_show(times, time, when));
	table_add_bytes(t, TINT_PLAIN, user.data, user.len);
	table_add(t, TINT_PLAIN, doc_text(punch, "type"));
	table_add(t, TINT_PLAIN, doc_text(punch, "terminal"));
	table_add(t, overview_punch_tint(state), state);
	table_add(t, TINT_PLAIN, reason_of(punch));
	table_addf(t, TINT_FAINT, "%.*s", id_length(form), doc_text(punch, "id"));
	buf_done(&user);
}
