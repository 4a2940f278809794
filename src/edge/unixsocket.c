#include "edge/unixsocket.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that nobody listens on any more is removed. Returns 0 or a negative errno. */
static int clear_path(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? errno : 0;
	close(fd);
	if (r != ECONNREFUSED)
		return r == 0 || r == EAGAIN ? -EADDRINUSE : -r;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

int unixsocket_let_in(const char *path, const char *group)
{
	const struct group *g = group[0] ? getgrnam(group) : NULL;
	struct stat st;

	if (!g)
		return -ENOENT;
	if (stat(path, &st) < 0)
		return -errno;
	/* Not where it is so already: the service's filter of system calls allows no chown. */
	if (st.st_gid != g->gr_gid && chown(path, (uid_t)-1, g->gr_gid) < 0)
		return -errno;
	return chmod(path, 0660) < 0 ? -errno : 0;
}

/* The mode is tight from the first moment. */
int unixsocket_listen(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	r = clear_path(&address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}
