#include "sandbox/pdf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE   2
#define TIMEOUT_S 120
#define PDF_MAX   (64u << 20)
#define WORDS_MAX 4096 /* of what it complains */
#define READ_SIZE 65536

enum { STDIN, STDOUT, STDERR, PIPES };

struct pdf_job {
	struct pdf_job *next;
	struct pdf *pdf;
	pdf_done *done; /* NULL: forgotten */
	void *arg;
	struct buf json;
	size_t sent;
	pid_t pid; /* 0: waits for its turn, or is reaped */
	int status;
	int fds[PIPES];
	struct event *events[PIPES]; /* NULL: closed */
	struct event *timer;
	bool timed_out;
	struct buf out, words;
};

struct pdf {
	struct event_base *base;
	const char *program;
	struct event *child; /* SIGCHLD */
	struct event *turn;  /* starts what waits */
	struct pdf_job *running, *waiting, **waiting_end;
	int count; /* running */
};

/* ---- where it is */

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

bool pdf_available(const struct pdf *pdf)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *folder;
	bool found = false;

	if (strchr(pdf->program, '/'))
		return is_program(pdf->program);
	copy = rest = strdup(path ? path : "/usr/bin:/bin");
	while (!found && rest && (folder = strsep(&rest, ":"))) {
		char *file = NULL;

		found = asprintf(&file, "%s/%s", folder[0] ? folder : ".", pdf->program) > 0 &&
			is_program(file);
		free(file);
	}
	free(copy);
	return found;
}

/* ---- a job's life */

static void close_pipe(struct pdf_job *job, int which)
{
	if (job->events[which])
		event_free(job->events[which]);
	job->events[which] = NULL;
	if (job->fds[which] >= 0)
		close(job->fds[which]);
	job->fds[which] = -1;
}

static void job_free(struct pdf_job *job)
{
	for (int i = 0; i < PIPES; i++)
		close_pipe(job, i);
	if (job->timer)
		event_free(job->timer);
	buf_done(&job->json);
	buf_done(&job->out);
	buf_done(&job->words);
	free(job);
}

/* One line, without a line's end. */
static const char *why_failed(struct pdf_job *job, char *text, size_t size)
{
	job->words.data[strcspn(job->words.data, "\r\n")] = '\0';
	if (job->timed_out)
		snprintf(text, size, "it took longer than %d s", TIMEOUT_S);
	else if (buf_error(&job->out) < 0)
		snprintf(text, size, "its PDF is too large");
	else if (job->words.data[0])
		snprintf(text, size, "%s", job->words.data);
	else if (WIFEXITED(job->status) && WEXITSTATUS(job->status) == 0)
		snprintf(text, size, "it wrote nothing");
	else if (WIFSIGNALED(job->status))
		snprintf(text, size, "it was ended by signal %d", WTERMSIG(job->status));
	else
		snprintf(text, size, "it ended with status %d", WEXITSTATUS(job->status));
	return text;
}

static void finish(struct pdf_job *job)
{
	struct pdf *pdf = job->pdf;
	struct pdf_job **link = &pdf->running;
	bool good = !job->timed_out && WIFEXITED(job->status) && WEXITSTATUS(job->status) == 0 &&
		buf_error(&job->out) == 0 && job->out.len > 0;
	char why[512];

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	pdf->count--;
	event_active(pdf->turn, EV_TIMEOUT, 0);
	if (job->done)
		job->done(job->arg, good ? &job->out : NULL,
			good ? NULL : why_failed(job, why, sizeof why));
	job_free(job);
}

/* Ended, and read to the end; after a time-out nobody waits for what it left behind. */
static void settle(struct pdf_job *job)
{
	if (job->pid == 0 && (job->timed_out || (!job->events[STDOUT] && !job->events[STDERR])))
		finish(job);
}

static void kill_job(struct pdf_job *job)
{
	if (job->pid > 0)
		kill(job->pid, SIGKILL);
}

/* ---- events */

static void on_write(evutil_socket_t fd, short events, void *arg)
{
	struct pdf_job *job = arg;
	ssize_t n = write(fd, job->json.data + job->sent, job->json.len - job->sent);

	(void)events;
	if (n > 0)
		job->sent += (size_t)n;
	/* It need not read all: it may have complained already. */
	if (job->sent == job->json.len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_pipe(job, STDIN);
}

static void read_pipe(struct pdf_job *job, int which, struct buf *into)
{
	char bytes[READ_SIZE];
	ssize_t n = read(job->fds[which], bytes, sizeof bytes);

	if (n > 0) {
		buf_add(into, bytes, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_pipe(job, which);
		settle(job);
	}
}

static void on_read(evutil_socket_t fd, short events, void *arg)
{
	struct pdf_job *job = arg;

	(void)fd, (void)events;
	if (buf_error(&job->out) < 0)
		kill_job(job);
	read_pipe(job, STDOUT, &job->out);
}

static void on_words(evutil_socket_t fd, short events, void *arg)
{
	struct pdf_job *job = arg;

	(void)fd, (void)events;
	read_pipe(job, STDERR, &job->words);
}

static void on_timeout(evutil_socket_t fd, short events, void *arg)
{
	struct pdf_job *job = arg;

	(void)fd, (void)events;
	job->timed_out = true;
	kill_job(job);
	settle(job);
}

static void on_child(evutil_socket_t fd, short events, void *arg)
{
	struct pdf *pdf = arg;
	struct pdf_job *job, *next;

	(void)fd, (void)events;
	for (job = pdf->running; job; job = next) {
		next = job->next;
		if (job->pid > 0 && waitpid(job->pid, &job->status, WNOHANG) == job->pid) {
			job->pid = 0;
			settle(job);
		}
	}
}

/* ---- starting */

/* Pipes: ours into the job, the child's into theirs. */
static int open_pipes(struct pdf_job *job, int theirs[PIPES])
{
	for (int i = 0; i < PIPES; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			return -errno;
		job->fds[i] = pair[i == STDIN];
		theirs[i] = pair[i != STDIN];
		evutil_make_socket_nonblocking(job->fds[i]);
	}
	return 0;
}

/* Signals that are ignored here would be ignored there. */
static int spawn(struct pdf_job *job, const int theirs[PIPES])
{
	char *const argv[] = {(char *)job->pdf->program, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	sigaddset(&signals, SIGXFSZ);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < PIPES; i++)
		posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
	r = posix_spawnp(&job->pid, job->pdf->program, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (r != 0)
		job->pid = 0;
	return -r;
}

static int watch(struct pdf_job *job)
{
	static const event_callback_fn calls[PIPES] = {on_write, on_read, on_words};
	const struct timeval limit = {TIMEOUT_S, 0};

	for (int i = 0; i < PIPES; i++) {
		short what = EV_PERSIST | (i == STDIN ? EV_WRITE : EV_READ);

		job->events[i] = event_new(job->pdf->base, job->fds[i], what, calls[i], job);
		if (!job->events[i] || event_add(job->events[i], NULL) < 0)
			return -ENOMEM;
	}
	job->timer = evtimer_new(job->pdf->base, on_timeout, job);
	return job->timer && evtimer_add(job->timer, &limit) == 0 ? 0 : -ENOMEM;
}

/* It is in the list of those that run. One that cannot start ends like one that failed. */
static void run(struct pdf_job *job)
{
	int theirs[PIPES] = {-1, -1, -1};
	int r = open_pipes(job, theirs);

	if (r == 0)
		r = spawn(job, theirs);
	for (int i = 0; i < PIPES; i++) {
		if (theirs[i] >= 0)
			close(theirs[i]);
	}
	if (r == 0 && watch(job) == 0)
		return;
	if (job->pid > 0) {
		kill_job(job);
		waitpid(job->pid, &job->status, 0);
		job->pid = 0;
	}
	buf_clear(&job->words);
	buf_addf(&job->words, "it cannot be started: %s", strerror(r < 0 ? -r : ENOMEM));
	finish(job);
}

static void on_turn(evutil_socket_t fd, short events, void *arg)
{
	struct pdf *pdf = arg;

	(void)fd, (void)events;
	while (pdf->waiting && pdf->count < AT_ONCE) {
		struct pdf_job *job = pdf->waiting;

		pdf->waiting = job->next;
		if (!pdf->waiting)
			pdf->waiting_end = &pdf->waiting;
		job->next = pdf->running;
		pdf->running = job;
		pdf->count++;
		run(job);
	}
}

int pdf_start(
	struct pdf *pdf, struct buf *json, pdf_done *done, void *arg, struct pdf_job **ret_job)
{
	struct pdf_job *job = calloc(1, sizeof *job);

	if (!job)
		return -ENOMEM;
	job->pdf = pdf;
	job->done = done;
	job->arg = arg;
	job->json = *json;
	buf_init(json, json->cap);
	for (int i = 0; i < PIPES; i++)
		job->fds[i] = -1;
	buf_init(&job->out, PDF_MAX);
	buf_init(&job->words, WORDS_MAX);
	*pdf->waiting_end = job;
	pdf->waiting_end = &job->next;
	event_active(pdf->turn, EV_TIMEOUT, 0);
	*ret_job = job;
	return 0;
}

void pdf_forget(struct pdf_job *job)
{
	job->done = NULL;
}

int pdf_new(struct event_base *base, const char *program, struct pdf **ret_pdf)
{
	struct pdf *pdf = calloc(1, sizeof *pdf);

	if (!pdf)
		return -ENOMEM;
	pdf->base = base;
	pdf->program = program ? program : PDF_PROGRAM;
	pdf->waiting_end = &pdf->waiting;
	pdf->child = evsignal_new(base, SIGCHLD, on_child, pdf);
	pdf->turn = event_new(base, -1, 0, on_turn, pdf);
	if (!pdf->child || !pdf->turn || event_add(pdf->child, NULL) < 0) {
		pdf_free(pdf);
		return -ENOMEM;
	}
	*ret_pdf = pdf;
	return 0;
}

static void free_jobs(struct pdf_job *job)
{
	while (job) {
		struct pdf_job *next = job->next;

		kill_job(job);
		if (job->pid > 0)
			waitpid(job->pid, NULL, 0);
		job_free(job);
		job = next;
	}
}

void pdf_free(struct pdf *pdf)
{
	if (!pdf)
		return;
	free_jobs(pdf->running);
	free_jobs(pdf->waiting);
	if (pdf->child)
		event_free(pdf->child);
	if (pdf->turn)
		event_free(pdf->turn);
	free(pdf);
}
