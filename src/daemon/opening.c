#include "daemon/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store_directory.h"
#include "store/store_link.h"
#include "store/store_salvage.h"

#define PATH_SIZE 4096

static const char *advice(int error)
{
	switch (error) {
	case -EBUSY:
		return "the store is in use: another program holds it; two gateways must not share "
		       "one file";
	case -EMEDIUMTYPE:
		return "the file is not a store of punchd: it is left alone; check [store] path";
	case -EPROTONOSUPPORT:
		return "the store was made by a newer punchd: install that version again";
	case -EROFS:
		return "the store cannot be written: the disk is read-only; where it should not "
		       "be, see the kernel's log, it may be failing";
	case -EACCES:
		return "the store cannot be written: check the owner of the file and its folder";
	case -ENOENT: return "the store's folder does not exist: make it, or check [store] path";
	case -ELOOP: return "the store's file is a symbolic link: name the file itself";
	case -ENOSPC: return "the disk is full: make room, nothing is lost";
	case -EUCLEAN:
		return "the store is damaged, and so is what could be saved from it: keep the file "
		       "and report this; started again it is tried again";
	case -EIO: return "the disk fails: copy the store away and replace the disk";
	default: return "the store cannot be opened";
	}
}

/* ---- suspicion: a damage that is found while running is looked into at the next start */

/* What the file beside the store says. */
enum suspicion {
	TRUSTED = 0,
	SUSPECT = 's',   /* damage was met: check the file */
	CHECKED = 'c',   /* the check found nothing */
	CONDEMNED = 'x', /* damage was met again after that: salvage it, whatever a check says */
};

static const char *suspect_path(const char *path, char to[static PATH_SIZE])
{
	snprintf(to, PATH_SIZE, "%s.suspect", path);
	return to;
}

static enum suspicion suspicion_read(const char *path)
{
	char name[PATH_SIZE], mark = TRUSTED;
	int fd = open(suspect_path(path, name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return TRUSTED;
	if (read(fd, &mark, 1) != 1)
		mark = SUSPECT;
	close(fd);
	return mark == CHECKED || mark == CONDEMNED ? (enum suspicion)mark : SUSPECT;
}

/* Not durable on purpose: where the mark is lost the damage will be met again. */
static void suspicion_write(const char *path, enum suspicion suspicion)
{
	char name[PATH_SIZE], mark = (char)suspicion;
	int fd = open(suspect_path(path, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (write(fd, &mark, 1) != 1)
		log_warn("store", "the mark of a damaged store could not be written",
			LOG_S("path", name));
	close(fd);
}

void opening_suspect(const char *path)
{
	suspicion_write(path, suspicion_read(path) == CHECKED ? CONDEMNED : SUSPECT);
}

void opening_trust(const char *path)
{
	char name[PATH_SIZE];

	unlink(suspect_path(path, name));
}

/* ---- opening */

/* Returns 0 where the open store may be used, -EUCLEAN where it must be salvaged, or an error. */
static int look_closer(struct store *s, const char *path)
{
	enum suspicion suspicion = suspicion_read(path);
	int r;

	if (suspicion == CONDEMNED)
		return -EUCLEAN;
	if (suspicion != SUSPECT)
		return 0;
	log_warn("store_check", "damage was met in the last run: checking the store",
		LOG_S("path", path));
	r = store_check_structure(s);
	if (r == 0) {
		log_info("store_check", "the store is sound", LOG_S("path", path));
		suspicion_write(path, CHECKED);
	}
	return r;
}

static int salvage(struct context *c, char words[static STORE_WORDS_MAX])
{
	const char *path = c->config.store.path;
	struct store_salvage_report report;
	int r;

	log_error("store_damaged",
		"the store is damaged: it is set aside, and what can be read is saved into a new "
		"one",
		LOG_S("path", path), LOG_S("error", words));
	r = store_salvage(path, loop_now(c->loop).wall_us / CLOCK_US_PER_S, &report, words);
	if (r < 0)
		return r;
	opening_trust(path);
	log_warn("store_replaced", words, LOG_S("damaged_file", report.set_aside),
		LOG_I("saved", report.saved), LOG_I("lost", report.lost),
		LOG_I("pages_bad", report.pages_bad));
	return store_open(path, &c->store, words);
}

static int replace(struct context *c, char words[static STORE_WORDS_MAX])
{
	store_close(c->store);
	c->store = NULL;
	return salvage(c, words);
}

static int open_sound(struct context *c, char words[static STORE_WORDS_MAX])
{
	const char *path = c->config.store.path;
	int r = store_open(path, &c->store, words);

	if (r == 0 && store_made_anew(c->store))
		log_warn("store_new",
			"a store was here before and is gone: a new one was made. If it was moved "
			"or deleted, what was in it and not sent is missing: put it back",
			LOG_S("path", path));
	if (r == 0)
		r = look_closer(c->store, path);
	return r == -EUCLEAN ? replace(c, words) : r;
}

static int load(struct context *c)
{
	int r = store_directory_load(c->store, &c->directory);

	if (r == 0)
		r = store_link_load(c->store, &c->links);
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
	int r = open_sound(c, words);

	if (r == 0)
		r = load(c);
	if (r == -EUCLEAN && c->store) {
		snprintf(words, sizeof words, "%s", store_words(c->store));
		r = replace(c, words);
		if (r == 0)
			r = load(c);
	}
	if (r < 0) {
		const char *error = words[0] ? words : strerror(-r);

		log_error("store", advice(r), LOG_S("path", path), LOG_S("error", error));
	}
	return r;
}
