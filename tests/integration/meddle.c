/*
 * Laid over the daemon by LD_PRELOAD (meddle.py builds it): what a test cannot make happen from
 * outside. A JSON text with the mark in it kills the process, as a bug in the parser would; and names
 * under .test are looked up here, so that no test asks a real name server. With MEDDLE_SYNC_US each sync
 * takes so much longer, as on a slow card.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <jansson.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "kills-the-parser"

typedef json_t *loadb(const char *buffer, size_t n, size_t flags, json_error_t *error);
typedef int lookup(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

json_t *json_loadb(const char *buffer, size_t n, size_t flags, json_error_t *error)
{
	loadb *real = (loadb *)dlsym(RTLD_NEXT, "json_loadb");

	if (memmem(buffer, n, MARK, strlen(MARK)))
		kill(getpid(), SIGKILL);
	return real(buffer, n, flags, error);
}

/* Nobody listens on the first of its two addresses. */
static int look_up_both(
	lookup *real, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	int r = real("127.0.0.9", service, hints, ret);

	return r != 0 ? r : real("127.0.0.1", service, hints, &(*ret)->ai_next);
}

int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");

	if (strcmp(name, "nowhere.test") == 0)
		return EAI_NONAME;
	if (strcmp(name, "both.test") == 0)
		return look_up_both(real, service, hints, ret);
	while (strcmp(name, "hangs.test") == 0)
		pause();
	return real(name, service, hints, ret);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	const char *slower = getenv("MEDDLE_SYNC_US");

	if (slower)
		usleep((useconds_t)atoi(slower));
	return real(fd);
}
