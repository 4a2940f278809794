/* The gateway's disk: tests/unit/faultvfs under SQLite, and what statvfs says. */
#include <sys/statvfs.h>

#include "../unit/faultvfs.h"
#include "gateway.h"

#define FREE_BYTES (8LL << 30)
#define FULL_BYTES (1LL << 20) /* far below [store] min_free */

static struct faultvfs vfs;
static bool full, no_writes;

int __wrap_statvfs(const char *path, struct statvfs *fs);

int __wrap_statvfs(const char *path, struct statvfs *fs)
{
	(void)path;
	*fs = (struct statvfs){.f_bsize = 4096, .f_frsize = 4096};
	fs->f_bavail = (fsblkcnt_t)((full ? FULL_BYTES : FREE_BYTES) / 4096);
	return 0;
}

void disk_begin(void)
{
	full = no_writes = false;
	faultvfs_install(&vfs);
}

void disk_end(void)
{
	faultvfs_uninstall();
}

static void plan(enum fault_kind kind, int64_t n, bool for_ever)
{
	vfs.kind = kind;
	vfs.at = vfs.calls + (int)n > 0 ? vfs.calls + (int)n : 1;
	vfs.for_ever = for_ever;
	vfs.writes_only = kind == FAULT_ENOSPC;
	vfs.failed = false;
}

void disk_stop(void)
{
	plan(FAULT_POWER, 0, true);
}

void disk_start(void)
{
	plan(no_writes ? FAULT_ENOSPC : FAULT_NONE, 1, true);
}

void disk_cut(uint64_t seed)
{
	faultvfs_cut(seed);
	disk_start();
}

void disk_fail_io(int64_t n)
{
	plan(FAULT_EIO, n, true);
}

void disk_die(int64_t n)
{
	plan(FAULT_POWER, n, true);
}

void disk_fill(bool little_room, bool none)
{
	full = little_room;
	no_writes = none;
	if (gateway.runs && vfs.kind != FAULT_POWER)
		disk_start();
}

void disk_well(void)
{
	full = no_writes = false;
	if (vfs.kind != FAULT_POWER || !vfs.failed)
		plan(FAULT_NONE, 1, false);
}

bool disk_is_full(void)
{
	return full || no_writes;
}

bool disk_died(void)
{
	return vfs.kind == FAULT_POWER && vfs.failed;
}

bool disk_failed(void)
{
	return vfs.kind == FAULT_EIO && vfs.failed;
}

int64_t disk_syncs(void)
{
	return vfs.by_call[CALL_SYNC];
}
