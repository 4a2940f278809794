/* For edge/http.c alone: evhttp needs libevent's base itself. */
#ifndef PUNCHD_EDGE_LOOP_BASE_H
#define PUNCHD_EDGE_LOOP_BASE_H

#include "edge/loop.h"

struct event_base;

struct event_base *loop_base(struct loop *l);

#endif
