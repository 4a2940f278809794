#include "edge/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared with the thread; whoever lets go last frees it. */
struct job {
	pthread_mutex_t lock;
	int holders;
	int event_fd;
	char *name;
	unsigned turn;
	char address[NI_MAXHOST];
	const char *words; /* a constant of gai_strerror */
};

struct resolve {
	struct job *job;
	struct loop_watch *watch;
	resolve_done *done;
	void *arg;
};

static void job_release(struct job *job)
{
	int left;

	pthread_mutex_lock(&job->lock);
	left = --job->holders;
	pthread_mutex_unlock(&job->lock);
	if (left > 0)
		return;
	close(job->event_fd);
	pthread_mutex_destroy(&job->lock);
	free(job->name);
	free(job);
}

static const struct addrinfo *choose(const struct addrinfo *found, unsigned turn)
{
	const struct addrinfo *a;
	unsigned count = 0;

	for (a = found; a; a = a->ai_next)
		count++;
	a = found;
	for (turn %= count; turn > 0; turn--)
		a = a->ai_next;
	return a;
}

static void *look_up(void *arg)
{
	struct job *job = arg;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int r = getaddrinfo(job->name, NULL, &hints, &found);

	if (r == 0) {
		const struct addrinfo *a = choose(found, job->turn);

		r = getnameinfo(a->ai_addr, a->ai_addrlen, job->address, sizeof job->address, NULL,
			0, NI_NUMERICHOST);
		freeaddrinfo(found);
	}
	if (r != 0)
		job->words = gai_strerror(r);
	eventfd_write(job->event_fd, 1);
	job_release(job);
	return NULL;
}

static void on_found(void *arg, int events)
{
	struct resolve *r = arg;
	resolve_done *done = r->done;
	void *done_arg = r->arg;
	char address[NI_MAXHOST];
	const char *words = r->job->words;

	(void)events;
	snprintf(address, sizeof address, "%s", r->job->address);
	resolve_cancel(r);
	done(done_arg, words ? NULL : address, words);
}

static struct job *job_new(const char *name, unsigned turn)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	*job = (struct job){.lock = PTHREAD_MUTEX_INITIALIZER, .holders = 1, .turn = turn};
	job->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	job->name = strdup(name);
	if (job->event_fd >= 0 && job->name)
		return job;
	if (job->event_fd >= 0)
		close(job->event_fd);
	free(job->name);
	free(job);
	return NULL;
}

/* Signals are for the loop's thread. */
static int start_thread(struct job *job)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	job->holders++;
	r = pthread_create(&thread, &attr, look_up, job);
	if (r != 0)
		job->holders--;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r == 0 ? 0 : -ENOMEM;
}

int resolve_start(struct loop *l, const char *name, unsigned turn, resolve_done *done, void *arg,
	struct resolve **ret_resolve)
{
	struct resolve *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = (struct resolve){.done = done, .arg = arg, .job = job_new(name, turn)};
	if (r->job)
		r->watch = loop_watch_new(l, r->job->event_fd, on_found, r);
	if (!r->watch || loop_watch_set(r->watch, LOOP_READ) < 0 || start_thread(r->job) < 0) {
		resolve_cancel(r);
		return -ENOMEM;
	}
	*ret_resolve = r;
	return 0;
}

void resolve_cancel(struct resolve *r)
{
	if (!r)
		return;
	loop_watch_free(r->watch);
	if (r->job)
		job_release(r->job);
	free(r);
}
