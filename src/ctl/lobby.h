/* What is held, gathered by what it waits for: for the lobby, and for whoever offers a link. */
#ifndef PUNCHD_CTL_LOBBY_H
#define PUNCHD_CTL_LOBBY_H

#include "ctl/ctl.h"

/*
 * Ask for all of it: an array of {"reason","who","devices","count","since","newest"}, most first. What
 * went wrong is said. Returns an enum ctl_exit; *ret_list is a new reference, NULL after a failure.
 */
int lobby_ask(struct ctl *ctl, json_t **ret_list);

#endif
