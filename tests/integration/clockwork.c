/*
 * Laid over the daemon by LD_PRELOAD (clockwork.py builds it): which boot it is, what time it is, and
 * whether the clock is synchronised, as a file says that a test writes. Only what is not monotonic in
 * a boot may change while the daemon runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID        "/proc/sys/kernel/random/boot_id"
#define TIMESYNCD_MARK "/run/systemd/timesync/synchronized"

/* Little-endian in the file, as clockwork.py writes it. */
struct clockwork {
	int64_t wall_s; /* added to the real one */
	int64_t mono_s;
	int64_t synchronized;
};

static const struct clockwork *clockwork(void)
{
	static const struct clockwork *map;

	if (!map) {
		int fd = (int)syscall(
			SYS_openat, AT_FDCWD, getenv("CLOCKWORK"), O_RDONLY | O_CLOEXEC, 0);
		void *p = mmap(NULL, sizeof(*map), PROT_READ, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED)
			abort();
		close(fd);
		map = p;
	}
	return map;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME)
		ts->tv_sec += clockwork()->wall_s;
	if (r == 0 && id == CLOCK_MONOTONIC)
		ts->tv_sec += clockwork()->mono_s;
	return r;
}

int adjtimex(struct timex *tx)
{
	tx->status = clockwork()->synchronized ? 0 : STA_UNSYNC;
	return clockwork()->synchronized ? TIME_OK : TIME_ERROR;
}

int access(const char *path, int mode)
{
	if (strcmp(path, TIMESYNCD_MARK) == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

/* The boot's id stands in the file behind the numbers. */
static int open_either(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, BOOT_ID) == 0) {
		int fd = (int)syscall(
			SYS_openat, AT_FDCWD, getenv("CLOCKWORK"), O_RDONLY | O_CLOEXEC, 0);

		lseek(fd, sizeof(struct clockwork), SEEK_SET);
		return fd;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_either(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_either(path, flags, mode);
}
