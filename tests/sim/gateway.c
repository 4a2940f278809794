#include "gateway.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "cloud.h"
#include "daemon/forward.h"
#include "daemon/punchd.h"
#include "herald.h"
#include "laws.h"

#define RESTART_US      (5 * SECOND) /* RestartSec */
#define BOOT_MIN_US     (15 * SECOND)
#define BOOT_MAX_US     (3 * MINUTE)
#define FIRST_BOOT_MONO (30 * SECOND) /* uptime at which punchd is started */

struct gateway gateway;

const char *point_name(enum point point)
{
	switch (point) {
	case POINT_NONE: return "no point";
	case POINT_MESSAGE: return "a message";
	case POINT_DRAINED: return "the commit of a burst";
	case POINT_COMMITTED: return "the first acknowledgement";
	case POINT_WRITING: return "the acknowledgements";
	case POINT_WRITTEN: return "the last acknowledgement";
	case POINT_SUBMITTED: return "a request";
	case POINT_ANSWER: return "an answer";
	case POINT_ANSWERED: return "a settlement";
	case POINT_DISK: return "a call to the disk";
	case POINTS: break;
	}
	return "?";
}

/* ---- clocks */

int64_t gateway_wall_us(void)
{
	return world.now_us + gateway.wall_off_us;
}

int64_t gateway_mono_us(void)
{
	return world.now_us - gateway.boot_us;
}

void gateway_set_wall(int64_t off_us)
{
	tell("the gateway's clock is set: it was off by %+lld s, now by %+lld s",
		(long long)(gateway.wall_off_us / SECOND), (long long)(off_us / SECOND));
	gateway.wall_off_us = off_us;
	gateway.clock_set_us = world.now_us;
}

void gateway_settle_clock(void)
{
	if (gateway.wall_off_us < -SECOND || gateway.wall_off_us > SECOND)
		gateway_set_wall(0);
	gateway.synced = true;
}

/* Time synchronisation: it needs the line, and takes a while. */
static void on_synchronised(void *arg)
{
	if ((intptr_t)arg != gateway.boots)
		return;
	if (cloud_line_is_cut()) {
		world_in(chance_from(&gateway.chance, 1, 20) * MINUTE, on_synchronised, arg);
		return;
	}
	gateway_set_wall(chance_from(&gateway.chance, -50, 50) * MS);
	gateway.synced = true;
}

/* A Pi has no clock battery: after a power cut it shows the time that was saved last. */
static void boot(int64_t wall_off_us)
{
	static const char digits[] = "0123456789abcdef";

	gateway.boots++;
	gateway.boot_us = world.now_us - FIRST_BOOT_MONO;
	gateway.synced = false;
	gateway.wall_off_us = wall_off_us;
	for (int i = 0; i < 36; i++)
		gateway.boot_id[i] = i == 8 || i == 13 || i == 18 || i == 23
			? '-'
			: digits[chance_below(&gateway.chance, 16)];
	gateway.boot_id[36] = '\0';
	world_in(chance_of(&gateway.chance, 700) ? chance_from(&gateway.chance, 1, 60) * SECOND
						 : chance_from(&gateway.chance, 1, 240) * MINUTE,
		on_synchronised, (void *)(intptr_t)gateway.boots);
}

/* ---- dying */

bool gateway_lives(void)
{
	if (gateway.runs && !gateway.dead && disk_died()) {
		gateway.dead = true;
		gateway.power = gateway.die_by_power;
		tell("it dies in a call to the disk");
	}
	return !gateway.dead;
}

void gateway_die(bool power)
{
	if (gateway.dead)
		return;
	tell(power ? "the plug is pulled" : "kill -9");
	gateway.dead = true;
	gateway.power = power;
	disk_stop();
}

void gateway_die_at(enum point point, int64_t after, bool power)
{
	gateway.die_by_power = power;
	if (point == POINT_DISK) {
		disk_die(after);
		return;
	}
	gateway.die_at = point;
	gateway.die_after = after;
}

bool gateway_at(enum point point)
{
	if (!gateway_lives())
		return false;
	if (gateway.die_at != point || --gateway.die_after > 0)
		return true;
	gateway.die_at = POINT_NONE;
	tell("it dies at %s", point_name(point));
	gateway_die(gateway.die_by_power);
	return false;
}

/* ---- living */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* A new file in the old one's place, as an editor does. */
void gateway_write_key(const char *key)
{
	char fresh[128];

	snprintf(fresh, sizeof fresh, "%s.new", gateway.key_file);
	write_file(fresh, key);
	assert(rename(fresh, gateway.key_file) == 0);
}

static void write_config(void)
{
	const struct plan *p = world.plan;
	char text[2048], hooks[256] = "", secret[128];

	snprintf(secret, sizeof secret, "%s/hook.secret", gateway.folder);
	write_file(secret, HERALD_SECRET);
	if (p->hooks)
		snprintf(hooks, sizeof hooks,
			"[webhook]\nlisten = 127.0.0.1:8481\nsecret_file = %s\n", secret);
	snprintf(text, sizeof text,
		"%s[api]\nbase_url = https://cloud.sim/v1\nkey_file = %s\nmax_in_flight = %d\n"
		"in_doubt = %s\n"
		"[mqtt]\nhost = broker.sim\nclient_id = punchd-sim\n"
		"[site]\nname = sim\ntime_zone = %s\n"
		"[punches]\nmax_age = %dd\n"
		"[store]\npath = %s\nretention = %dd\n"
		"[control]\nsocket = %s/socket\ngroup =\n"
		"[log]\nlevel = %s\n",
		hooks, gateway.key_file, p->max_in_flight, p->holds ? "hold" : "resend",
		p->time_zone, p->max_age_days, gateway.store, p->retention_days, gateway.folder,
		world.logs ? "debug" : "error");
	write_file(gateway.config, text);
}

void gateway_begin(const char *folder)
{
	gateway = (struct gateway){.runs = false};
	chance_init(&gateway.chance, world.plan->seed, "gateway", 0);
	snprintf(gateway.folder, sizeof gateway.folder, "%s", folder);
	snprintf(gateway.config, sizeof gateway.config, "%s/punchd.conf", folder);
	snprintf(gateway.key_file, sizeof gateway.key_file, "%s/api.key", folder);
	snprintf(gateway.store, sizeof gateway.store, "%s/punchd.db", folder);
	write_config();
	gateway_write_key(CLOUD_FIRST_KEY);
	disk_begin();
}

void gateway_end(void)
{
	disk_end();
}

static void wait_us(int64_t us)
{
	bool waiting = true;
	int64_t until_us = world.now_us + us;

	/* The world goes on without it, up to that moment. */
	world_at(until_us, laws_nothing, NULL);
	while (waiting && !world.over) {
		world_step();
		waiting = world.now_us < until_us;
	}
}

static void run_once(void)
{
	int code;

	gateway.dead = gateway.power = gateway.asked_to_stop = false;
	gateway.starts++;
	gateway.started_us = world.now_us;
	disk_start();
	if (world.plan->little_memory)
		forward_bounds = (struct forward_bounds){
			.read_rows = PLAN_LITTLE_ROWS, .lines = PLAN_LITTLE_LINES};
	tell("punchd starts, run %d of boot %d", gateway.starts, gateway.boots);
	code = punchd_run(gateway.config);
	if (world.over)
		return;
	if (!gateway.dead && disk_died()) {
		tell("it dies in a call to the disk, at its end");
		gateway.dead = true;
		gateway.power = gateway.die_by_power;
	}
	if (!gateway.dead)
		tell("punchd ends with %d", code);
	LAW(gateway.dead || code == 0 || code == 1, "it starts", "it ended with %d", code);
	LAW(gateway.dead || code != 0 || gateway.asked_to_stop, "it runs on",
		"it ended although nobody asked");
	LAW(gateway.dead || code != 1 || disk_failed() || disk_is_full() || laws_disk_excuse(),
		"it runs on", "it gave up although the disk works");
}

static void come_back(void)
{
	int64_t off_us;

	if (!gateway.power) {
		wait_us(RESTART_US);
		return;
	}
	disk_cut(chance_bits(&gateway.chance));
	wait_us(chance_from(&gateway.chance, BOOT_MIN_US, BOOT_MAX_US));
	/* fake-hwclock saves each hour, timesyncd each minute while it has the time. */
	off_us = -chance_from(&gateway.chance, 0, 90) * MINUTE;
	if (chance_of(&gateway.chance, 100))
		off_us = -chance_from(&gateway.chance, 1, 400) * DAY;
	boot(off_us);
	tell("the machine is up again, its clock off by %lld s", (long long)(off_us / SECOND));
}

void gateway_live(void)
{
	boot(chance_of(&gateway.chance, 300) ? -chance_from(&gateway.chance, 1, 600) * MINUTE : 0);
	while (!world.over) {
		run_once();
		if (!world.over)
			come_back();
	}
}
