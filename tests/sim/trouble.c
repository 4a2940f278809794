#include "trouble.h"

#include <signal.h>
#include <string.h>

#include "broker.h"
#include "cloud.h"
#include "gateway.h"
#include "terminal.h"

static struct plan_trouble list[PLAN_TROUBLES_MAX];
static int key_number;

/* ---- beginning and end of each kind */

static void begin_gateway(const struct plan_trouble *t)
{
	bool power = t->kind == TROUBLE_POWER;
	int64_t n = t->number;

	if (n % 4 == 0) {
		gateway_die(power);
		return;
	}
	n /= 4;
	gateway_die_at((enum point)(1 + n % (POINTS - 1)), 1 + n / POINTS % 40, power);
}

static void fresh_key(bool at_once)
{
	char key[32];

	snprintf(key, sizeof key, "key-%d", ++key_number);
	if (!at_once)
		cloud_change_key(key);
	else
		gateway_write_key(cloud.key);
}

static int per_mille(int64_t number)
{
	static const int chances[] = {50, 200, 500, 1000};

	return chances[number % 4];
}

static int64_t some_limit(int64_t number)
{
	static const int64_t limits[] = {10, 60, 100, 500, 1000};

	return limits[number % 5];
}

static int64_t some_skew(int64_t number)
{
	static const int64_t skews[] = {-90, -5, 0, 5, 90, 3600};

	return skews[number % 6] * SECOND;
}

static int64_t wrong_clock(int64_t number)
{
	static const int64_t offs[] = {-365 * DAY, -DAY, -HOUR, 2 * MINUTE, 7 * MINUTE, HOUR,
		20 * HOUR, 3 * DAY, 365 * DAY};

	return offs[number % 9];
}

static int some_terminal(const struct plan_trouble *t)
{
	return (int)(t->number / 16 % world.plan->terminals);
}

static void register_anew(int number)
{
	struct terminal *t = &terminals[number];
	char id[24];

	if (t->registered == 8)
		return;
	t->registered++;
	tell("the cloud knows %s as %s now", t->serial, terminal_device_id(t, t->registered, id));
}

static void begin_kind(const struct plan_trouble *t)
{
	switch (t->kind) {
	case TROUBLE_KILL:
	case TROUBLE_POWER: begin_gateway(t); break;
	case TROUBLE_STOP:
		gateway.asked_to_stop = gateway.runs;
		gateway_signal(SIGTERM);
		break;
	case TROUBLE_HANGUP: gateway_signal(SIGHUP); break;
	case TROUBLE_DISK_IO: disk_fail_io(1 + t->number % 30); break;
	case TROUBLE_DISK_FULL: disk_fill(t->number % 3 != 0, t->number % 3 != 1); break;
	case TROUBLE_CLOCK:
		gateway.clock_was_set = true;
		gateway_set_wall(t->number % 2 ? wrong_clock(t->number / 2) : 0);
		break;
	case TROUBLE_LINE: ailments.line_cut = true; break;
	case TROUBLE_LOST_BEFORE: ailments.lose_request = per_mille(t->number); break;
	case TROUBLE_LOST_AFTER: ailments.lose_answer = per_mille(t->number); break;
	case TROUBLE_SLOW: ailments.slow = per_mille(t->number); break;
	case TROUBLE_STATUS:
		ailments.status_chance = per_mille(t->number);
		ailments.status = (int)(t->number / 4 % 7);
		break;
	case TROUBLE_DOUBT_STATUS: ailments.doubt_chance = per_mille(t->number); break;
	case TROUBLE_GARBAGE: ailments.garbage = per_mille(t->number); break;
	case TROUBLE_NO_HEADERS: ailments.no_headers = true; break;
	case TROUBLE_CLOUD_CLOCK: cloud_jump(some_skew(t->number)); break;
	case TROUBLE_FOREIGN:
		ailments.foreign_a_window = cloud.limit * (1 + t->number % 9) / 10;
		break;
	case TROUBLE_PLAN: cloud_change_limit(some_limit(t->number)); break;
	case TROUBLE_KEY: fresh_key(false); break;
	case TROUBLE_ADDRESS:
		people_swap_emails((int)(t->number / 16 % world.plan->people),
			(int)(t->number / 4096 % world.plan->people));
		break;
	case TROUBLE_DEVICE: register_anew(some_terminal(t)); break;
	case TROUBLE_SHUFFLE: ailments.shuffle = true; break;
	case TROUBLE_BROKER_STOP: broker_stop(false); break;
	case TROUBLE_BROKER_KILL:
	case TROUBLE_BROKER_NEW: broker_stop(true); break;
	case TROUBLE_BLACK_HOLE: broker_black_hole(true); break;
	case TROUBLE_LINK_CUT:
		if (t->number % 4 == 0)
			broker_take_over((enum intruder)(t->number / 4 % 3));
		else
			broker_cut_link();
		break;
	case TROUBLE_TERMINAL_AWAY: terminal_set_away(some_terminal(t), true); break;
	case TROUBLE_TERMINAL_CLOCK:
		terminal_set_clock(some_terminal(t), wrong_clock(t->number / 128));
		break;
	case TROUBLE_COUNTER: terminal_reset_counter(some_terminal(t)); break;
	case TROUBLE_NOISE: terminal_noise(some_terminal(t), t->number / 128); break;
	case TROUBLES: break;
	}
}

static void end_kind(const struct plan_trouble *t)
{
	switch (t->kind) {
	case TROUBLE_DISK_FULL: disk_fill(false, false); break;
	case TROUBLE_LINE: ailments.line_cut = false; break;
	case TROUBLE_LOST_BEFORE: ailments.lose_request = 0; break;
	case TROUBLE_LOST_AFTER: ailments.lose_answer = 0; break;
	case TROUBLE_SLOW: ailments.slow = 0; break;
	case TROUBLE_STATUS: ailments.status_chance = 0; break;
	case TROUBLE_DOUBT_STATUS: ailments.doubt_chance = 0; break;
	case TROUBLE_GARBAGE: ailments.garbage = 0; break;
	case TROUBLE_NO_HEADERS: ailments.no_headers = false; break;
	case TROUBLE_FOREIGN: ailments.foreign_a_window = 0; break;
	case TROUBLE_KEY: fresh_key(true); break;
	case TROUBLE_SHUFFLE: ailments.shuffle = false; break;
	case TROUBLE_BROKER_STOP:
	case TROUBLE_BROKER_KILL: broker_start(true); break;
	case TROUBLE_BROKER_NEW: broker_start(false); break;
	case TROUBLE_BLACK_HOLE: broker_black_hole(false); break;
	case TROUBLE_TERMINAL_AWAY: terminal_set_away(some_terminal(t), false); break;
	case TROUBLE_TERMINAL_CLOCK: terminal_set_clock(some_terminal(t), 0); break;
	case TROUBLE_KILL:
	case TROUBLE_POWER:
	case TROUBLE_STOP:
	case TROUBLE_HANGUP:
	case TROUBLE_DISK_IO:
	case TROUBLE_CLOCK:
	case TROUBLE_CLOUD_CLOCK:
	case TROUBLE_PLAN:
	case TROUBLE_ADDRESS:
	case TROUBLE_DEVICE:
	case TROUBLE_LINK_CUT:
	case TROUBLE_COUNTER:
	case TROUBLE_NOISE:
	case TROUBLES: break;
	}
}

static int number_of(const struct plan_trouble *t)
{
	return (int)(t - list);
}

static void on_end(void *arg)
{
	const struct plan_trouble *t = arg;

	if (world.quiet)
		return;
	tell("trouble %d, %s, is over", number_of(t), trouble_name(t->kind));
	end_kind(t);
}

static void on_begin(void *arg)
{
	struct plan_trouble *t = arg;

	if (world.quiet)
		return;
	tell("trouble %d: %s", number_of(t), trouble_name(t->kind));
	begin_kind(t);
	if (t->lasts_us > MINUTE || t->kind >= TROUBLE_BROKER_STOP)
		world_in(t->lasts_us, on_end, t);
}

void troubles_begin(void)
{
	key_number = 1;
	for (int i = 0; i < world.plan->troubles; i++) {
		list[i] = plan_trouble(world.plan, i);
		if (!world.plan->left_out[i])
			world_at(world.began_us + list[i].after_us, on_begin, &list[i]);
	}
}

void troubles_over(void)
{
	tell("all troubles are over");
	world.quiet = true;
	ailments = (struct ailments){.status = 0};
	disk_well();
	gateway.die_at = POINT_NONE;
	broker_black_hole(false);
	broker_start(true);
	for (int i = 0; i < world.plan->terminals; i++) {
		if (terminals[i].away)
			terminal_set_away(i, false);
	}
	gateway_write_key(cloud.key);
	gateway_settle_clock();
}
