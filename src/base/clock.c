#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/timex.h>
#include <unistd.h>

/* Touched by systemd-timesyncd once it has set the clock, also where the kernel cannot tell. */
#define TIMESYNCD_MARK "/run/systemd/timesync/synchronized"

static int64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * CLOCK_US_PER_S + ts.tv_nsec / 1000;
}

struct moment clock_now(void)
{
	return (struct moment){
		.wall_us = read_us(CLOCK_REALTIME),
		.mono_us = read_us(CLOCK_MONOTONIC),
	};
}

bool clock_synchronized(void)
{
	struct timex tx = {.modes = 0};
	int state = adjtimex(&tx);

	if (state >= 0 && state != TIME_ERROR && !(tx.status & STA_UNSYNC))
		return true;
	return access(TIMESYNCD_MARK, F_OK) == 0;
}

int clock_boot_id(char ret_id[static 37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret_id, 36);
	close(fd);
	if (n != 36)
		return -EIO;
	ret_id[36] = '\0';
	return 0;
}
