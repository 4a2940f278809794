#include "loopback.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static socklen_t address_of(const char *host, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	bool is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;

	memset(ret, 0, sizeof *ret);
	if (is_six) {
		memcpy(ret, &six, sizeof six);
		return sizeof six;
	}
	if (inet_pton(AF_INET, host, &four.sin_addr) != 1)
		abort();
	memcpy(ret, &four, sizeof four);
	return sizeof four;
}

static int port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	struct sockaddr_in four;

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	memcpy(&four, &address, sizeof four); /* both families have it in the same place */
	return ntohs(four.sin_port);
}

bool loopback_has_ipv6(void)
{
	int port, fd = loopback_listen("::1", 0, 1, &port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int loopback_listen(const char *host, int port, int backlog, int *ret_port)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(host, port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, backlog) < 0 ||
		(*ret_port = port_of(fd)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int start_connect(const char *host, int port, int flags, int *ret)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(host, port, &address);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd >= 0)
		*ret = connect(fd, (struct sockaddr *)&address, length);
	return fd;
}

int loopback_connect(const char *host, int port)
{
	int connected, fd = start_connect(host, port, 0, &connected);

	if (fd < 0 || connected == 0)
		return fd;
	close(fd);
	return -1;
}

/* The handshake of the loopback is over before connect returns, unless the SYN was dropped. */
static bool is_connected(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 20) == 1;
}

bool loopback_hole_open(struct loopback_hole *h, const char *host, int port)
{
	const int most = sizeof h->fds / sizeof h->fds[0];
	int started;

	h->count = 0;
	h->fds[h->count] = loopback_listen(host, port, 0, &h->port);
	if (h->fds[h->count] < 0)
		return false;
	while (++h->count < most) {
		h->fds[h->count] = start_connect(host, h->port, SOCK_NONBLOCK, &started);
		if (h->fds[h->count] < 0)
			break;
		if (!is_connected(h->fds[h->count])) {
			h->count++;
			return true;
		}
	}
	loopback_hole_close(h);
	return false;
}

void loopback_hole_close(struct loopback_hole *h)
{
	while (h->count > 0)
		close(h->fds[--h->count]);
}
