#include "base/netaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/units.h"

static const struct sockaddr_in *as_v4(const struct sockaddr_storage *a)
{
	return (const struct sockaddr_in *)(const void *)a;
}

static const struct sockaddr_in6 *as_v6(const struct sockaddr_storage *a)
{
	return (const struct sockaddr_in6 *)(const void *)a;
}

/* The IPv4 address, in the host's order. False: it has none. */
static bool v4_of(const struct sockaddr_storage *a, uint32_t *ret)
{
	uint32_t net;

	if (a->ss_family == AF_INET) {
		net = as_v4(a)->sin_addr.s_addr;
	} else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&as_v6(a)->sin6_addr)) {
		memcpy(&net, as_v6(a)->sin6_addr.s6_addr + 12, sizeof net);
	} else {
		return false;
	}
	*ret = ntohl(net);
	return true;
}

static int parse_port(const char *text, in_port_t *ret)
{
	int64_t port;

	if (units_parse_int(text, &port) < 0 || port < 1 || port > 65535)
		return -EINVAL;
	*ret = htons((uint16_t)port);
	return 0;
}

int netaddr_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
	char host[NETADDR_TEXT_SIZE];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	bool v6 = n > 2 && text[0] == '[' && text[n - 1] == ']';
	struct sockaddr_in v4_address = {.sin_family = AF_INET};
	struct sockaddr_in6 v6_address = {.sin6_family = AF_INET6};

	if (n == 0 || n >= sizeof host)
		return -EINVAL;
	snprintf(host, sizeof host, "%.*s", (int)(v6 ? n - 2 : n), text + v6);
	*ret = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (v6) {
		if (inet_pton(AF_INET6, host, &v6_address.sin6_addr) != 1 ||
			parse_port(colon + 1, &v6_address.sin6_port) < 0)
			return -EINVAL;
		memcpy(ret, &v6_address, *ret_size = sizeof v6_address);
		return 0;
	}
	if (inet_pton(AF_INET, host, &v4_address.sin_addr) != 1 ||
		parse_port(colon + 1, &v4_address.sin_port) < 0)
		return -EINVAL;
	memcpy(ret, &v4_address, *ret_size = sizeof v4_address);
	return 0;
}

bool netaddr_is_loopback(const struct sockaddr_storage *a)
{
	uint32_t v4;

	if (v4_of(a, &v4))
		return v4 >> 24 == 127;
	return a->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&as_v6(a)->sin6_addr);
}

const char *netaddr_print(const struct sockaddr_storage *a, char ret_text[static NETADDR_TEXT_SIZE])
{
	uint32_t v4;
	struct in_addr net;
	const char *text = NULL;

	if (v4_of(a, &v4)) {
		net.s_addr = htonl(v4);
		text = inet_ntop(AF_INET, &net, ret_text, NETADDR_TEXT_SIZE);
	} else if (a->ss_family == AF_INET6) {
		text = inet_ntop(AF_INET6, &as_v6(a)->sin6_addr, ret_text, NETADDR_TEXT_SIZE);
	}
	if (!text)
		snprintf(ret_text, NETADDR_TEXT_SIZE, "?");
	return ret_text;
}

uint64_t netaddr_household(const struct sockaddr_storage *a)
{
	uint64_t network = 0;
	uint32_t v4;

	if (v4_of(a, &v4))
		return v4;
	if (a->ss_family == AF_INET6)
		memcpy(&network, as_v6(a)->sin6_addr.s6_addr, sizeof network);
	return network;
}
