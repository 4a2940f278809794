/*
 * Names to addresses, without stopping the loop: getaddrinfo in a thread of its own, so that
 * /etc/hosts, mDNS and whatever else the system is set up with work as they do elsewhere.
 */
#ifndef PUNCHD_EDGE_RESOLVE_H
#define PUNCHD_EDGE_RESOLVE_H

#include "edge/loop.h"

struct resolve;

/* The first address as text, or NULL with words that say why there is none. */
typedef void resolve_done(void *arg, const char *address, const char *words);

/*
 * Look a name up; an address is handed back as it is. done is called once, never from in here.
 * Returns 0 or -ENOMEM.
 */
int resolve_start(struct loop *l, const char *name, resolve_done *done, void *arg,
	struct resolve **ret_resolve);

/* Not interested any more: done is not called. The thread ends by itself. NULL is taken. */
void resolve_cancel(struct resolve *r);

#endif
