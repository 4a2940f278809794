/* Network addresses in numbers: `127.0.0.1:8481`, `[::1]:8481`. No name is looked up. */
#ifndef PUNCHD_BASE_NETADDR_H
#define PUNCHD_BASE_NETADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define NETADDR_TEXT_SIZE 48

/* ADDRESS:PORT, an IPv6 address in brackets, a port from 1 to 65535. Returns 0 or -EINVAL. */
int netaddr_parse(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size);

/* Whether only this machine can reach it; an IPv4 address in IPv6's clothes is one. */
bool netaddr_is_loopback(const struct sockaddr_storage *address);

/* The address without its port; "?" where it is of no such family. Returns ret_text. */
const char *netaddr_print(
	const struct sockaddr_storage *address, char ret_text[static NETADDR_TEXT_SIZE]);

/* What one household has: an IPv4 address, or an IPv6 network of 64 bits, as a number. */
uint64_t netaddr_household(const struct sockaddr_storage *address);

#endif
