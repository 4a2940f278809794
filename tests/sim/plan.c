#include "plan.h"

#include "chance.h"
#include "world.h"

#define TROUBLES_A_WEEK_MAX 40

static const char *const names[TROUBLES] = {
	[TROUBLE_KILL] = "kill",
	[TROUBLE_POWER] = "power",
	[TROUBLE_STOP] = "stop",
	[TROUBLE_HANGUP] = "hangup",
	[TROUBLE_DISK_IO] = "disk-io",
	[TROUBLE_DISK_FULL] = "disk-full",
	[TROUBLE_CLOCK] = "clock",
	[TROUBLE_LINE] = "line",
	[TROUBLE_LOST_BEFORE] = "lost-before",
	[TROUBLE_LOST_AFTER] = "lost-after",
	[TROUBLE_SLOW] = "slow",
	[TROUBLE_STATUS] = "status",
	[TROUBLE_DOUBT_STATUS] = "doubt-status",
	[TROUBLE_GARBAGE] = "garbage",
	[TROUBLE_NO_HEADERS] = "no-headers",
	[TROUBLE_CLOUD_CLOCK] = "cloud-clock",
	[TROUBLE_FOREIGN] = "foreign",
	[TROUBLE_PLAN] = "plan",
	[TROUBLE_KEY] = "key",
	[TROUBLE_ADDRESS] = "address",
	[TROUBLE_DEVICE] = "device",
	[TROUBLE_SHUFFLE] = "shuffle",
	[TROUBLE_BROKER_STOP] = "broker-stop",
	[TROUBLE_BROKER_KILL] = "broker-kill",
	[TROUBLE_BROKER_NEW] = "broker-new",
	[TROUBLE_BLACK_HOLE] = "black-hole",
	[TROUBLE_LINK_CUT] = "link-cut",
	[TROUBLE_TERMINAL_AWAY] = "terminal-away",
	[TROUBLE_TERMINAL_CLOCK] = "terminal-clock",
	[TROUBLE_COUNTER] = "counter",
	[TROUBLE_NOISE] = "noise",
};

const char *trouble_name(enum trouble_kind kind)
{
	return names[kind];
}

static int64_t one_of(struct chance *c, const int64_t *numbers, int n)
{
	return numbers[chance_below(c, n)];
}

static void make_settings(struct plan *p, struct chance *c)
{
	static const int64_t flights[] = {1, 2, 8, 16}, limits[] = {10, 60, 100, 500, 1000};
	static const int64_t queues[] = {1000, 100000}, broker_flights[] = {20, 1000};
	static const int64_t skews[] = {0, 0, 0, -90, -5, 5, 90};
	static const char *const zones[] = {
		"UTC", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo", "America/Lima"};

	p->max_in_flight = (int)one_of(c, flights, 4);
	p->limit = one_of(c, limits, 5);
	p->window_s = chance_of(c, 800) ? 60 : 10;
	p->retention_days = chance_of(c, 700) ? 90 : 2;
	p->max_age_days = chance_of(c, 700) ? 90 : 3;
	p->time_zone = zones[chance_below(c, 5)];
	p->keys_honoured = chance_of(c, 750);
	p->cloud_skew_s = one_of(c, skews, 7);
	p->latency_us = chance_from(c, 20, 600) * MS;
	p->autosave_us = chance_of(c, 600) ? 0 : 30 * MINUTE;
	p->broker_queue = one_of(c, queues, 2);
	p->broker_flight = one_of(c, broker_flights, 2);
}

void plan_make(struct plan *p, uint64_t seed, int weeks)
{
	struct chance c;

	chance_init(&c, seed, "plan", 0);
	*p = (struct plan){.seed = seed, .days = 7 * weeks};
	p->people = (int)(chance_of(&c, 100) ? chance_from(&c, 15, 60) : chance_from(&c, 1, 14));
	p->terminals = (int)chance_from(&c, 1, 4);
	p->troubles = (int)chance_from(&c, 0, TROUBLES_A_WEEK_MAX) * weeks;
	if (p->troubles > PLAN_TROUBLES_MAX)
		p->troubles = PLAN_TROUBLES_MAX;
	make_settings(p, &c);
	/* Drawn last: the rest of a seed's story stays as it was. */
	p->deeds = chance_of(&c, 500) ? (int)chance_from(&c, 1, 12) * weeks : 0;
	p->links = chance_of(&c, 300) ? (int)chance_from(&c, 1, 20) * weeks : 0;
	p->little_memory = chance_of(&c, 400);
	p->holds = chance_of(&c, 300);
	/* From a stream of its own, with which the seeds of tests/sim/seeds go on finding what they found. */
	chance_init(&c, seed, "herald", 289);
	p->hooks = chance_of(&c, 250);
}

/* How long each kind lasts, in minutes, and how often it comes beside the others. */
static const struct {
	int weight, min_min, max_min;
} kinds[TROUBLES] = {
	[TROUBLE_KILL] = {8, 0, 0},
	[TROUBLE_POWER] = {8, 0, 0},
	[TROUBLE_STOP] = {2, 0, 0},
	[TROUBLE_HANGUP] = {1, 0, 0},
	[TROUBLE_DISK_IO] = {3, 0, 0},
	[TROUBLE_DISK_FULL] = {3, 1, 300},
	[TROUBLE_CLOCK] = {2, 0, 0},
	[TROUBLE_LINE] = {6, 1, 1500},
	[TROUBLE_LOST_BEFORE] = {4, 5, 400},
	[TROUBLE_LOST_AFTER] = {6, 5, 400},
	[TROUBLE_SLOW] = {3, 5, 300},
	[TROUBLE_STATUS] = {5, 5, 300},
	[TROUBLE_DOUBT_STATUS] = {4, 5, 300},
	[TROUBLE_GARBAGE] = {3, 5, 200},
	[TROUBLE_NO_HEADERS] = {2, 5, 400},
	[TROUBLE_CLOUD_CLOCK] = {2, 0, 0},
	[TROUBLE_FOREIGN] = {2, 10, 600},
	[TROUBLE_PLAN] = {1, 0, 0},
	[TROUBLE_KEY] = {2, 10, 600},
	[TROUBLE_ADDRESS] = {3, 0, 0},
	[TROUBLE_DEVICE] = {3, 0, 0},
	[TROUBLE_SHUFFLE] = {2, 60, 1500},
	[TROUBLE_BROKER_STOP] = {2, 1, 60},
	[TROUBLE_BROKER_KILL] = {4, 0, 30},
	[TROUBLE_BROKER_NEW] = {2, 0, 30},
	[TROUBLE_BLACK_HOLE] = {2, 1, 60},
	[TROUBLE_LINK_CUT] = {4, 0, 0},
	[TROUBLE_TERMINAL_AWAY] = {5, 10, 2900},
	[TROUBLE_TERMINAL_CLOCK] = {3, 30, 1500},
	[TROUBLE_COUNTER] = {2, 0, 0},
	[TROUBLE_NOISE] = {3, 0, 0},
};

static enum trouble_kind choose(struct chance *c)
{
	int all = 0, roll;

	for (int i = 0; i < TROUBLES; i++)
		all += kinds[i].weight;
	roll = (int)chance_below(c, all);
	for (int i = 0; i < TROUBLES; i++) {
		roll -= kinds[i].weight;
		if (roll < 0)
			return (enum trouble_kind)i;
	}
	return TROUBLE_KILL;
}

/* Half of them come while people do: a kill in the night meets nothing. */
static int64_t moment(const struct plan *p, struct chance *c)
{
	int64_t day = chance_below(c, p->days);

	if (chance_of(c, 300))
		return day * DAY + chance_below(c, DAY / SECOND) * SECOND;
	return day * DAY + chance_from(c, 6 * 60, 19 * 60) * MINUTE + chance_below(c, MINUTE);
}

struct plan_trouble plan_trouble(const struct plan *p, int i)
{
	struct plan_trouble t;
	struct chance c;

	chance_init(&c, p->seed, "trouble", (uint64_t)i);
	t.kind = choose(&c);
	t.after_us = moment(p, &c);
	t.lasts_us = chance_from(&c, kinds[t.kind].min_min, kinds[t.kind].max_min) * MINUTE +
		chance_below(&c, MINUTE);
	t.number = (int64_t)(chance_bits(&c) >> 2);
	/* Sometimes the cloud is away for days. */
	if (t.kind == TROUBLE_LINE && t.number % 8 == 0)
		t.lasts_us *= 4;
	return t;
}
