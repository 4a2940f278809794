#include "faultvfs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

/* A write that is not synced yet. */
struct pending {
	struct pending *next;
	sqlite3_int64 at;
	size_t n; /* 0: cut to `at` bytes, or deleted where that is below 0 */
	uint8_t data[];
};

/* What the disk holds of a file for certain, and what may have reached it. */
struct disk {
	struct disk *next;
	char path[PATH_MAX];
	uint8_t *bytes;
	size_t size;
	bool there; /* its name is on disk */
	struct pending *first, **last;
};

struct file {
	sqlite3_file base;
	struct disk *disk;
	bool sync_folder;   /* SQLite's own does so at the first sync of a new log or journal */
	sqlite3_file *real; /* behind this struct */
};

static struct faultvfs *fault;
static sqlite3_vfs *real_vfs;
static struct disk *disks;

/* ---- the disk */

static void forget_pending(struct disk *d)
{
	while (d->first) {
		struct pending *p = d->first;

		d->first = p->next;
		free(p);
	}
	d->last = &d->first;
}

static void load(struct disk *d)
{
	int fd = open(d->path, O_RDONLY);
	struct stat st;

	free(d->bytes);
	d->bytes = NULL;
	d->size = 0;
	d->there = fd >= 0;
	if (fd < 0)
		return;
	assert(fstat(fd, &st) == 0);
	d->size = (size_t)st.st_size;
	d->bytes = malloc(d->size + 1);
	assert(d->bytes && pread(fd, d->bytes, d->size, 0) == (ssize_t)d->size);
	close(fd);
}

static struct disk *disk_of(const char *path)
{
	struct disk *d;

	for (d = disks; d; d = d->next) {
		if (strcmp(d->path, path) == 0)
			return d;
	}
	d = calloc(1, sizeof *d);
	assert(d);
	snprintf(d->path, sizeof d->path, "%s", path);
	d->last = &d->first;
	load(d);
	d->next = disks;
	return disks = d;
}

static void note(struct disk *d, sqlite3_int64 at, const void *data, size_t n)
{
	struct pending *p = malloc(sizeof *p + n);

	assert(p);
	*p = (struct pending){.at = at, .n = n};
	if (n)
		memcpy(p->data, data, n);
	*d->last = p;
	d->last = &p->next;
}

static void put(struct disk *d, size_t at, const uint8_t *data, size_t n)
{
	if (at + n > d->size) {
		d->bytes = realloc(d->bytes, at + n);
		assert(d->bytes);
		memset(d->bytes + d->size, 0, at + n - d->size);
		d->size = at + n;
	}
	memcpy(d->bytes + at, data, n);
}

static uint32_t roll(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

/* Of a write each sector may or may not have arrived; of a shortening the whole. */
static void settle_one(struct disk *d, const struct pending *p, int mode, uint64_t *seed)
{
	if (mode == 0)
		return;
	d->there = p->n != 0 || p->at >= 0;
	if (p->n == 0) {
		if (p->at < 0 || (size_t)p->at < d->size)
			d->size = p->at < 0 ? 0 : (size_t)p->at;
		return;
	}
	for (size_t at = 0; at < p->n;) {
		size_t step = SECTOR - (size_t)(p->at + (sqlite3_int64)at) % SECTOR;

		step = step < p->n - at ? step : p->n - at;
		if (mode == 1 || (mode == 2 && roll(seed) % 2))
			put(d, (size_t)p->at + at, p->data + at, step);
		at += step;
	}
}

void faultvfs_cut(uint64_t seed)
{
	for (struct disk *d = disks; d; d = d->next) {
		/* Nothing of it, all of it, or any part. */
		int mode = (int)(roll(&seed) % 3), fd;

		for (struct pending *p = d->first; p; p = p->next)
			settle_one(d, p, mode, &seed);
		forget_pending(d);
		unlink(d->path);
		if (!d->there)
			continue;
		fd = open(d->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert(fd >= 0 && write(fd, d->bytes, d->size) == (ssize_t)d->size);
		close(fd);
	}
	faultvfs_arm(FAULT_NONE, 0, false);
}

void faultvfs_arm(enum fault_kind kind, int at, bool for_ever)
{
	while (disks) {
		struct disk *d = disks;

		disks = d->next;
		forget_pending(d);
		free(d->bytes);
		free(d);
	}
	*fault = (struct faultvfs){.kind = kind, .at = at, .for_ever = for_ever};
}

/* ---- the calls */

static int code_of(enum fault_call call)
{
	static const int io[CALLS] = {SQLITE_CANTOPEN, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC,
		SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_DELETE, SQLITE_IOERR_SHMSIZE};

	switch (fault->kind) {
	case FAULT_ENOSPC: errno = ENOSPC; return call == CALL_WRITE ? SQLITE_FULL : io[call];
	case FAULT_ENOMEM:
		errno = ENOMEM;
		return call == CALL_OPEN ? SQLITE_NOMEM : SQLITE_IOERR_NOMEM;
	case FAULT_NONE:
	case FAULT_EIO:
	case FAULT_POWER: errno = EIO; return io[call];
	}
	return SQLITE_OK;
}

/* Count a call; a result code where it is to fail. */
static int count(enum fault_call call)
{
	fault->calls++;
	fault->by_call[call]++;
	if (fault->kind == FAULT_NONE || fault->at == 0 || fault->calls < fault->at)
		return SQLITE_OK;
	if (fault->calls > fault->at && !fault->for_ever && fault->kind != FAULT_POWER)
		return SQLITE_OK;
	if (fault->writes_only && call != CALL_WRITE)
		return SQLITE_OK;
	if (!fault->failed)
		fault->hit = call;
	fault->failed = true;
	return code_of(call);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

static int on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xRead(real_of(file), to, n, at);
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
	struct file *f = (struct file *)file;
	int r = count(CALL_WRITE), sectors;

	/* Behind the power's end there is nobody to write. */
	if (r != SQLITE_OK && fault->kind == FAULT_POWER && fault->calls > fault->at)
		return r;
	/* A write that fails may have begun. */
	if (r != SQLITE_OK) {
		sectors = n / 2 / SECTOR * SECTOR;
		if (sectors > 0)
			f->real->pMethods->xWrite(f->real, from, sectors, at);
		note(f->disk, at, from, (size_t)sectors ? (size_t)sectors : (size_t)n);
		return r;
	}
	note(f->disk, at, from, (size_t)n);
	return f->real->pMethods->xWrite(f->real, from, n, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct file *f = (struct file *)file;
	int r = count(CALL_TRUNCATE);

	if (r != SQLITE_OK)
		return r;
	note(f->disk, size, NULL, 0);
	return f->real->pMethods->xTruncate(f->real, size);
}

/* All that is known of a file is on the disk. */
static void settle_all(struct disk *d)
{
	for (struct pending *p = d->first; p; p = p->next)
		settle_one(d, p, 1, NULL);
	forget_pending(d);
}

/* Deletions are on disk with the folder. */
static void settle_deleted(void)
{
	for (struct disk *d = disks; d; d = d->next) {
		if (d->first && access(d->path, F_OK) < 0)
			settle_all(d);
	}
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct file *f = (struct file *)file;
	int r = count(CALL_SYNC);

	(void)flags;
	if (r != SQLITE_OK)
		return r;
	settle_all(f->disk);
	f->disk->there = true;
	if (f->sync_folder)
		settle_deleted();
	f->sync_folder = false;
	return SQLITE_OK;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), ret);
}

static int on_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *ret)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
	/* These would write past this layer. */
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK;
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	int r = extend ? count(CALL_SHM) : SQLITE_OK;

	return r ? r : real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
	struct file *f = (struct file *)file;
	int r = SQLITE_OK;

	(void)vfs;
	*f = (struct file){.real = (sqlite3_file *)(f + 1)};
	/* What is not on disk is nobody's business here. */
	if (!name)
		return real_vfs->xOpen(real_vfs, name, file, flags, ret);
	if (flags & SQLITE_OPEN_CREATE)
		r = count(CALL_OPEN);
	if (r != SQLITE_OK)
		return r;
	f->disk = disk_of(name);
	f->sync_folder = (flags & SQLITE_OPEN_CREATE) &&
		(flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) && access(name, F_OK) < 0;
	r = real_vfs->xOpen(real_vfs, name, f->real, flags, ret);
	if (r == SQLITE_OK)
		f->base.pMethods = &methods;
	return r;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct disk *d = disk_of(name);
	int r = count(CALL_DELETE);

	(void)vfs;
	if (r != SQLITE_OK)
		return r;
	note(d, -1, NULL, 0);
	if (sync)
		settle_all(d);
	return real_vfs->xDelete(real_vfs, name, 0);
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs;
	return real_vfs->xAccess(real_vfs, name, flags, ret);
}

static int on_full_path(sqlite3_vfs *vfs, const char *name, int size, char *to)
{
	(void)vfs;
	return real_vfs->xFullPathname(real_vfs, name, size, to);
}

static int on_random(sqlite3_vfs *vfs, int n, char *to)
{
	(void)vfs;
	return real_vfs->xRandomness(real_vfs, n, to);
}

static int on_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return real_vfs->xSleep(real_vfs, us);
}

static int on_time(sqlite3_vfs *vfs, double *ret)
{
	(void)vfs;
	return real_vfs->xCurrentTime(real_vfs, ret);
}

static int on_last_error(sqlite3_vfs *vfs, int n, char *to)
{
	(void)vfs;
	(void)n;
	(void)to;
	return errno;
}

static sqlite3_vfs vfs = {.iVersion = 1,
	.zName = "fault",
	.xOpen = on_open,
	.xDelete = on_delete,
	.xAccess = on_access,
	.xFullPathname = on_full_path,
	.xRandomness = on_random,
	.xSleep = on_sleep,
	.xCurrentTime = on_time,
	.xGetLastError = on_last_error};

void faultvfs_install(struct faultvfs *f)
{
	fault = f;
	real_vfs = sqlite3_vfs_find(NULL);
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.mxPathname = real_vfs->mxPathname;
	sqlite3_vfs_register(&vfs, 1);
	faultvfs_arm(FAULT_NONE, 0, false);
}

void faultvfs_uninstall(void)
{
	faultvfs_arm(FAULT_NONE, 0, false);
	sqlite3_vfs_unregister(&vfs);
	sqlite3_vfs_register(real_vfs, 1);
}
