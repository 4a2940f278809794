/*
 * Names to addresses, without stopping the loop: getaddrinfo in a thread of its own, so that
 * /etc/hosts, mDNS and whatever else the system is set up with work as they do elsewhere.
 */
#ifndef PUNCHD_EDGE_RESOLVE_H
#define PUNCHD_EDGE_RESOLVE_H

#include "edge/loop.h"

struct resolve;

/* An address as text, or NULL with words that say why there is none. */
typedef void resolve_done(void *arg, const char *address, const char *words);

/*
 * Look a name up; an address is handed back as it is. turn: which of a name's addresses, counted
 * round and round, so that who counts up tries each: localhost is ::1 as well as 127.0.0.1, and
 * a server need not listen on both. done is called once, never from in here.
 * Returns 0 or -ENOMEM.
 */
int resolve_start(struct loop *l, const char *name, unsigned turn, resolve_done *done, void *arg,
	struct resolve **ret_resolve);

/* Not interested any more: done is not called. The thread ends by itself. NULL is taken. */
void resolve_cancel(struct resolve *r);

#endif
