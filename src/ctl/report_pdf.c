/* A PDF of this gateway's own report: punchd links no Pango, so a program of its own makes it. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/report.h"

#define PROGRAM "punch-report-pdf"

extern char **environ;

struct program {
	pid_t pid;
	int in; /* what it reads */
	struct report_sink *sink;
	bool deaf; /* it takes no more: it has said why */
};

static int spawn(struct program *p, const int pipes[2], int out)
{
	char name[] = PROGRAM, *argv[] = {name, NULL};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return r;
	posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	r = posix_spawnp(&p->pid, PROGRAM, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int start(struct program *p, struct report_sink *sink)
{
	int pipes[2], r;

	*p = (struct program){.sink = sink};
	if (pipe(pipes) < 0)
		return errno;
	/* It may end before it has read all. */
	signal(SIGPIPE, SIG_IGN);
	r = spawn(p, pipes, sink->file.fd);
	close(pipes[0]);
	p->in = pipes[1];
	if (r != 0)
		close(p->in);
	return r;
}

static int feed(void *arg, const char *bytes, size_t n)
{
	struct program *p = arg;
	struct newfile in = {.fd = p->in};
	int r = newfile_write(&in, bytes, n);

	p->deaf = r < 0;
	if (r == 0)
		report_sink_progress(p->sink, n);
	return r;
}

/* Its end, and how it went. exit: how the reading went, which goes before. */
static int finish(struct program *p, int exit)
{
	int status = 0;

	/* What is not whole it would call no report. */
	if (exit != CTL_DONE && !p->deaf)
		kill(p->pid, SIGKILL);
	close(p->in);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (exit != CTL_DONE)
		return exit;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return CTL_DONE;
	if (!WIFEXITED(status))
		ctl_complain(PROGRAM " was ended by signal %d", WTERMSIG(status));
	return CTL_REFUSED;
}

static int missing(int error)
{
	if (error == ENOENT)
		ctl_complain("a PDF of this gateway's own report is made by " PROGRAM
			     ", which is not installed: apt install punchd-report");
	else
		ctl_complain(PROGRAM " cannot be started: %s", strerror(error));
	return CTL_REFUSED;
}

int report_by_program(struct ctl *ctl, const struct report_ask *ask)
{
	struct report_sink sink;
	struct program program;
	struct answer a;
	struct buf path;
	int r = report_sink_open(&sink, ask->output), error;

	if (r != CTL_DONE)
		return r;
	error = start(&program, &sink);
	if (error != 0)
		return report_sink_close(&sink, missing(error));
	report_path(ctl, ask, true, &path);
	error = client_fetch(&ctl->client, path.data, "application/json", ctl_limit_ms(ctl, 0),
		feed, &program, &a);
	buf_done(&path);
	r = report_sink_close(&sink, finish(&program, report_fetched(ctl, error, &a)));
	answer_done(&a);
	return r;
}
