#include "terminal/terminal_private.h"

#include <errno.h>

#include "base/log.h"
#include "base/units.h"
#include "terminal/notes.h"

static void end_record(struct terminal *t, struct record *r)
{
	int error = keep_del(t->env->keep, r->row);

	shelf_remove(&t->shelf, r);
	t->env->tally.acked++;
	t->full_told = false;
	terminal_mark_dirty(t);
	if (error < 0)
		t->env->broken(t->env->arg, error);
}

/* Whether this terminal has ever used the id: its ids are its numbers. */
static bool own_id(const struct terminal *t, const char *id)
{
	char same[MAKE_ID_SIZE];
	int64_t n;

	return units_parse_int(id, &n) == 0 && n >= 1 && n <= t->made &&
		strcmp(make_id(n - 1, same), id) == 0;
}

/* An ack that ends nothing: one for a record sent twice, or one that should not be. */
static void take_odd_ack(struct terminal *t, const struct reply_ack *ack)
{
	if (own_id(t, ack->id)) {
		t->env->tally.late++;
		note_ack(t->env->journal, "late", t->names.serial, ack);
		return;
	}
	t->env->tally.strange++;
	note_ack(t->env->journal, "strange", t->names.serial, ack);
	log_warn("ack_strange", "an ack for a punch that was never made",
		LOG_S("serial", t->names.serial), LOG_S("id", ack->id));
}

/* What the ack ends: a record that flies, or one that flew on the connection before. */
static struct record *find_sent(const struct terminal *t, const char *id)
{
	struct record *r;

	if (t->env->options->no_ack)
		return NULL;
	r = shelf_find(&t->shelf, SHELF_FLYING, id);
	if (!r)
		r = shelf_find(&t->shelf, SHELF_WAITING, id);
	return r && r->sent_before ? r : NULL;
}

static void on_ack(void *arg, const struct reply_ack *ack)
{
	struct terminal *t = arg;
	struct record *r = find_sent(t, ack->id);

	log_debug("ack", "the gateway has it", LOG_S("serial", t->names.serial),
		LOG_S("id", ack->id), LOG_S("status", ack->status));
	if (!r) {
		take_odd_ack(t, ack);
		return;
	}
	note_ack(t->env->journal, "ack", t->names.serial, ack);
	t->env->tally.status[reply_status_parse(ack->status)]++;
	end_record(t, r);
}

void terminal_take_puback(struct terminal *t, int mid)
{
	static const struct reply_ack trusted = {.status = "puback", .reason = "", .name = ""};
	struct record *r, *next;

	if (!t->env->options->no_ack)
		return;
	for (r = shelf_first(&t->shelf, SHELF_FLYING); r; r = next) {
		struct reply_ack ack = trusted;

		next = TAILQ_NEXT(r, entry);
		if (r->mid != mid)
			continue;
		ack.id = r->id;
		note_ack(t->env->journal, "ack", t->names.serial, &ack);
		t->env->tally.status[REPLY_OTHER]++;
		end_record(t, r);
	}
}

/* ---- commands */

static void set_time(struct terminal *t, const struct reply_command *command)
{
	int64_t step_ms = command->time_s * 1000 - terminal_clock_ms(t);

	t->clock_off_ms += step_ms;
	log_info("clock_set", "the gateway has set the clock", LOG_S("serial", t->names.serial),
		LOG_I("step_ms", step_ms));
	note_command(t->env->journal, t->names.serial, command, step_ms);
	terminal_mark_dirty(t);
}

static void take_command(struct terminal *t, const void *payload, size_t length)
{
	struct reply_command command;
	int r = reply_read_command(payload, length, &command);

	if (r == 0) {
		set_time(t, &command);
	} else if (r == -EOPNOTSUPP) {
		log_warn("cmd_unknown", "the gateway asks what this terminal cannot do",
			LOG_S("serial", t->names.serial), LOG_S("op", command.op));
	} else {
		t->env->tally.garbled++;
		log_warn("cmd_garbled", "a command that is none", LOG_S("serial", t->names.serial),
			LOG_B("payload", payload, length));
	}
}

void terminal_take_message(
	struct terminal *t, const char *topic, const void *payload, size_t length)
{
	if (strcmp(topic, t->names.cmd) == 0) {
		take_command(t, payload, length);
	} else if (reply_read_acks(payload, length, on_ack, t) < 0) {
		t->env->tally.garbled++;
		log_warn("ack_garbled", "an ack that is none", LOG_S("serial", t->names.serial),
			LOG_B("payload", payload, length));
	}
}
