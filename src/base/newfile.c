#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a signal has to remove. A handler may run between any two instructions, so the pointer is set
 * when the file is there and taken away before its name is freed. */
static char *volatile on_signal;

static void remove_and_end(int signal_number)
{
	if (on_signal)
		unlink(on_signal);
	/* Its handler is SIG_DFL by now (SA_RESETHAND); it is delivered when this returns. */
	raise(signal_number);
}

void newfile_on_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		struct sigaction before;

		/* nohup's SIGHUP, and SIGINT of a shell's background job, stay ignored. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* `/there/name` → `/there/.name.XXXXXX`. NULL: no memory. */
static char *part_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *part = NULL;

	/* A name of 255 bytes is the longest there can be: a long one is cut for the temporary one. */
	return asprintf(&part, "%.*s.%.200s.XXXXXX", (int)(name - path), path, name) < 0 ? NULL
											 : part;
}

/* No signal may come between the file and the note of it. */
static int make_part(struct newfile *f)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	f->fd = mkostemp(f->part, O_CLOEXEC);
	r = f->fd < 0 ? -errno : 0;
	if (r == 0)
		on_signal = f->part;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* mode: of the file that is to be replaced; 0: there is none. */
static int open_part(struct newfile *f, mode_t mode)
{
	mode_t mask = umask(0);
	int r;

	umask(mask);
	f->part = part_name(f->path);
	if (!f->part)
		return -ENOMEM;
	r = make_part(f);
	if (r < 0) {
		free(f->part);
		f->part = NULL;
		return r;
	}
	/* mkostemp makes it 0600, but it is to be a file like any other, or like the one before. */
	return fchmod(f->fd, mode ? mode & 0777 : 0666 & ~mask) < 0 ? -errno : 0;
}

int newfile_open(struct newfile *f, const char *path)
{
	struct stat there = {0};
	int r;

	/* A link's target is what is to be replaced, not the link. */
	*f = (struct newfile){.fd = -1, .path = realpath(path, NULL)};
	if (!f->path && errno == ENOENT)
		f->path = strdup(path);
	if (!f->path)
		return -errno;
	if (stat(f->path, &there) < 0 || S_ISREG(there.st_mode)) {
		r = open_part(f, there.st_mode);
	} else if (S_ISDIR(there.st_mode)) {
		r = -EISDIR;
	} else {
		f->fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		r = f->fd < 0 ? -errno : 0;
	}
	if (r < 0)
		newfile_abandon(f);
	return r;
}

int newfile_write(struct newfile *f, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t done = write(f->fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The rename is only on the disk when its folder is. Not every file system can sync a folder. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int newfile_commit(struct newfile *f)
{
	int fd = f->fd;

	if (f->part && fsync(fd) < 0)
		return -errno;
	f->fd = -1;
	if (close(fd) < 0)
		return -errno;
	if (f->part && rename(f->part, f->path) < 0)
		return -errno;
	on_signal = NULL;
	if (f->part)
		sync_folder(f->path);
	free(f->part);
	f->part = NULL;
	newfile_abandon(f);
	return 0;
}

void newfile_abandon(struct newfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->part)
		unlink(f->part);
	on_signal = NULL;
	free(f->part);
	free(f->path);
	*f = (struct newfile){.fd = -1};
}
