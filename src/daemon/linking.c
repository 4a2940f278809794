#include "daemon/linking.h"

#include "base/log.h"
#include "store/store_link.h"

int linking_add(struct context *c, const struct user_link *change)
{
	int r = store_link_add(c->store, change);

	return r < 0 ? r : links_apply(&c->links, change);
}

void linking_roll_back(struct context *c)
{
	store_rollback(c->store);
	if (store_link_load(c->store, &c->links) == 0)
		return;
	log_error("links",
		"the links could not be read again: ending, since whom they mean is "
		"unknown. Started again they are read anew");
	c->stopping = true;
	loop_stop(c->loop, 1);
}
