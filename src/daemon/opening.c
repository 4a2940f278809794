#include "daemon/opening.h"

#include <errno.h>

#include "base/log.h"
#include "store/store_directory.h"

static const char *advice(int error)
{
	switch (error) {
	case -EBUSY: return "the store is in use: two gateways must not share one file";
	case -EMEDIUMTYPE:
		return "the file is not a store of punchd: it is left alone; check [store] path";
	case -EPROTONOSUPPORT:
		return "the store was made by a newer punchd: install that version again";
	case -EROFS: return "the store cannot be written: the disk is read-only";
	case -EACCES:
		return "the store cannot be written: check the owner of the file and its folder";
	case -ENOENT: return "the store's folder does not exist";
	case -ENOSPC: return "the disk is full";
	case -EUCLEAN: return "the store is damaged";
	default: return "the store cannot be opened";
	}
}

static int load(struct context *c)
{
	int r = store_directory_load(c->store, &c->directory);

	if (r == 0)
		r = store_meta_get(c->store, "users_pass", 0, &c->users_pass_ms);
	if (r == 0)
		r = store_meta_get(c->store, "devices_pass", 0, &c->devices_pass_ms);
	if (r < 0)
		return r;
	c->boot = store_boot(c->store, c->boot_id);
	if (c->boot < 0)
		return (int)c->boot;
	return store_commit(c->store);
}

int opening_store(struct context *c)
{
	const char *path = c->config.store.path;
	char words[STORE_WORDS_MAX] = "";
	int r = store_open(path, &c->store, words);

	if (r == 0)
		r = load(c);
	if (r < 0) {
		const char *error = words[0] ? words : strerror(-r);

		log_error("store", advice(r), LOG_S("path", path), LOG_S("error", error));
	}
	return r;
}
