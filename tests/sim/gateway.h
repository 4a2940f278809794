/*
 * The gateway's machine: it is switched on, runs the real punchd, and dies.
 *
 * punchd_run is called and runs the world from inside its loop. Dying is a flag: from then on
 * nothing that it does has any effect (the disk refuses, the link and the transport are deaf), the
 * loop comes back, and it frees what it has as it would at its end; so even a kill leaks nothing.
 */
#ifndef PUNCHD_SIM_GATEWAY_H
#define PUNCHD_SIM_GATEWAY_H

#include "chance.h"
#include "world.h"

/* Where punchd can die, beside any call to the disk. */
enum point {
	POINT_NONE,
	POINT_MESSAGE,   /* a message of a burst was handed over */
	POINT_DRAINED,   /* the burst was read: its commit is next */
	POINT_COMMITTED, /* committed; nothing is acknowledged yet */
	POINT_WRITING,   /* some of the acknowledgements are out */
	POINT_WRITTEN,   /* all of them are */
	POINT_SUBMITTED, /* a request was handed to the transport */
	POINT_ANSWER,    /* an answer came, and was not looked at yet */
	POINT_ANSWERED,  /* it was looked at, and not written yet */
	POINT_DISK,      /* a call to the disk */
	POINTS
};
const char *point_name(enum point point);

/* WatchdogSec: long, since a tick that nobody waits for may come a minute late. */
#define WATCHDOG_US (12 * MINUTE)

struct gateway {
	bool runs;           /* punchd is in its loop */
	bool dead;           /* … and has died: nothing it does has any effect */
	bool power;          /* by a power cut */
	int64_t boot_us;     /* true time at which its monotonic clock began */
	int64_t wall_off_us; /* its wall clock less the true time */
	bool synced;         /* somebody has told it the time in this boot */
	char boot_id[37];
	int boots, starts;
	int64_t started_us; /* of this run */
	int64_t fed_us;     /* when it last told the watchdog that it goes on */
	bool asked_to_stop;
	bool clock_was_set;   /* by a person, in this story */
	int64_t clock_set_us; /* when it was set last, by whomever */
	struct chance chance;
	char folder[64], config[96], key_file[96], store[96];

	enum point die_at; /* the next time it comes there … */
	int64_t die_after; /* … for the so-manieth time */
	bool die_by_power;
};
extern struct gateway gateway;

/* folder: an empty one, on a disk that costs nothing. */
void gateway_begin(const char *folder);
void gateway_end(void);

/* Runs the world until the story is over. */
void gateway_live(void);

/* It dies now, or at a point of its work. */
void gateway_die(bool power);
void gateway_die_at(enum point point, int64_t after, bool power);

/* punchd is at this point. Returns whether it lives on. */
bool gateway_at(enum point point);

bool gateway_lives(void);

/* Its clocks. */
int64_t gateway_wall_us(void);
int64_t gateway_mono_us(void);
void gateway_set_wall(int64_t off_us);
/* Its time synchronisation works, and has for good. */
void gateway_settle_clock(void);

/* A signal to punchd; where it does not run nothing happens. */
void gateway_signal(int signo);

/* A call to the control socket. Returns the answer's body, freed by the caller, or NULL where punchd
 * does not run. */
char *gateway_ask(const char *method, const char *path, int *ret_status);
/* The same with a body. */
char *gateway_ask_with(const char *method, const char *path, const char *body, int *ret_status);

/* Write the API key's file. */
void gateway_write_key(const char *key);

/* ---- its disk: disk.c */

void disk_begin(void);
void disk_end(void);
/* Everything fails from now on, and has no effect. / It works again. */
void disk_stop(void);
void disk_start(void);
/* The power was cut while punchd was away or has ended: what was not synced is lost, kept or torn. */
void disk_cut(uint64_t seed);
/* The n-th call from now on fails: with ENOSPC, or with EIO; kind POINT_DISK dies there. */
void disk_fail_io(int64_t n);
void disk_die(int64_t n);
/* full: statvfs says that there is little room; no_writes: they fail. */
void disk_fill(bool full, bool no_writes);
/* Either. */
bool disk_is_full(void);
/* It works, and will. */
void disk_well(void);
/* Whether the moment of disk_die has come. */
bool disk_died(void);
/* How often it was synced so far. */
int64_t disk_syncs(void);
/* Whether a planned error has been met since disk_fail_io. */
bool disk_failed(void);

#endif
