#include "edge/watchfile.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"

#define EVENTS \
	(IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | \
		IN_ONLYDIR)
#define FOLDERS   2  /* of the path, and of the file that it leads to */
#define SETTLE_MS 20 /* what is done to a file comes in several steps */

struct watchfile {
	int fd;
	int folders[FOLDERS]; /* watch descriptors; -1: none */
	struct loop_watch *watch;
	struct loop_timer *settle;
	void (*on)(void *arg);
	void *arg;
};

static void on_settled(void *arg)
{
	struct watchfile *w = arg;

	w->on(w->arg);
}

/* Whether it tells of anything but the end of a watch. */
static bool is_news(const char *events, size_t n)
{
	struct inotify_event e;

	for (size_t at = 0; at + sizeof e <= n; at += sizeof e + e.len) {
		memcpy(&e, events + at, sizeof e);
		if (!(e.mask & IN_IGNORED))
			return true;
	}
	return false;
}

/* What it was does not matter: the owner looks. */
static void on_events(void *arg, int events)
{
	struct watchfile *w = arg;
	char some[4096];
	bool news = false;
	ssize_t n;

	(void)events;
	while ((n = read(w->fd, some, sizeof some)) > 0)
		news = is_news(some, (size_t)n) || news;
	if (news && !loop_timer_armed(w->settle))
		loop_timer_set(w->settle, SETTLE_MS);
}

struct watchfile *watchfile_new(struct loop *l, void (*on)(void *arg), void *arg)
{
	struct watchfile *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	*w = (struct watchfile){.on = on, .arg = arg, .folders = {-1, -1}};
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		log_info("watch", "files are not watched, but looked at every second",
			LOG_S("error", strerror(errno)));
		free(w);
		return NULL;
	}
	w->settle = loop_timer_new(l, on_settled, w);
	w->watch = loop_watch_new(l, w->fd, on_events, w);
	if (!w->settle || !w->watch || loop_watch_set(w->watch, LOOP_READ) < 0) {
		watchfile_free(w);
		return NULL;
	}
	return w;
}

void watchfile_free(struct watchfile *w)
{
	if (!w)
		return;
	loop_watch_free(w->watch);
	loop_timer_free(w->settle);
	close(w->fd);
	free(w);
}

/* Watch the folder of a path. A folder that is watched already keeps its number. */
static int watch_folder_of(const struct watchfile *w, const char *path)
{
	char copy[PATH_MAX];

	if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy)
		return -1;
	return inotify_add_watch(w->fd, dirname(copy), EVENTS);
}

void watchfile_set(struct watchfile *w, const char *path)
{
	char real[PATH_MAX];
	int now[FOLDERS];

	if (!w)
		return;
	now[0] = watch_folder_of(w, path);
	now[1] = realpath(path, real) ? watch_folder_of(w, real) : -1;
	for (int i = 0; i < FOLDERS; i++) {
		int old = w->folders[i];

		if (old >= 0 && old != now[0] && old != now[1])
			inotify_rm_watch(w->fd, old);
	}
	memcpy(w->folders, now, sizeof now);
}

bool watchfile_settles(const struct watchfile *w)
{
	return w && loop_timer_armed(w->settle);
}
