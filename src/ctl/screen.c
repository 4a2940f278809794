#include "ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

#define FRAME_CAP (1024 * 1024)

/* The second screen without a cursor, and back. */
#define ENTER "\033[?1049h\033[?25l\033[H\033[J"
#define LEAVE "\033[?25h\033[?1049l"

static int write_all(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, n);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

/* ---- taking it and giving it back */

static int enter(struct screen *s)
{
	struct termios mode = s->mode;

	mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	/* Reading never waits: Ctrl-C takes away what was typed before it. */
	mode.c_cc[VMIN] = 0;
	mode.c_cc[VTIME] = 0;
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
	return write_all(ENTER, sizeof ENTER - 1);
}

static void leave(struct screen *s)
{
	write_all(LEAVE, sizeof LEAVE - 1);
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &s->mode);
}

int screen_open(struct screen *s)
{
	static const int told[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
	sigset_t set;
	int r;

	*s = (struct screen){.signals = -1};
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		sigaddset(&set, told[i]);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, &s->mask);
	s->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &s->mode) == 0;
	r = enter(s);
	if (r < 0)
		screen_close(s);
	return r;
}

void screen_close(struct screen *s)
{
	leave(s);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	close(s->signals);
}

/* ---- drawing */

void screen_size(size_t *ret_columns, size_t *ret_rows)
{
	struct winsize size = {.ws_col = 0};
	bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;

	*ret_columns = told && size.ws_col > 0 ? size.ws_col : 80;
	*ret_rows = told && size.ws_row > 0 ? size.ws_row : 24;
}

int screen_draw(const struct buf *text, size_t rows)
{
	const char *line = text->data;
	struct buf frame;
	int r;

	buf_init(&frame, FRAME_CAP);
	buf_add_str(&frame, "\033[H");
	for (size_t row = 0; row < rows && *line; row++) {
		size_t n = strcspn(line, "\n");

		/* What was longer before is cleared behind each line, and below the last. */
		buf_add_str(&frame, row > 0 ? "\r\n" : "");
		buf_add(&frame, line, n);
		buf_add_str(&frame, "\033[K");
		line += n + (line[n] == '\n');
	}
	buf_add_str(&frame, "\033[J");
	r = buf_error(&frame) ? buf_error(&frame) : write_all(frame.data, frame.len);
	buf_done(&frame);
	return r;
}

/* ---- waiting */

static void read_keys(struct screen *s, short events)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
	bool gone = events & (POLLHUP | POLLERR) || (n < 0 && errno != EINTR && errno != EAGAIN);

	if (gone || (n > 0 && memchr(keys, 'q', (size_t)n)))
		s->ended = true;
}

static enum screen_event read_signal(struct screen *s)
{
	struct signalfd_siginfo signal;

	if (read(s->signals, &signal, sizeof signal) != sizeof signal)
		return SCREEN_TIME;
	if (signal.ssi_signo == SIGTSTP) {
		leave(s);
		raise(SIGSTOP);
		enter(s);
	} else if (signal.ssi_signo != SIGWINCH) {
		s->ended = true;
	}
	return SCREEN_SIZE;
}

/* Until something is there, or the time is over. Returns whether something is. */
static bool wait_for(struct pollfd watched[2], int64_t until_us)
{
	int64_t left_us = until_us - clock_now().mono_us;

	watched[0].revents = watched[1].revents = 0;
	return poll(watched, 2, left_us > 0 ? (int)((left_us + 999) / 1000) : 0) != 0;
}

enum screen_event screen_wait(struct screen *s, int64_t until_us)
{
	struct pollfd watched[] = {{.fd = s->signals, .events = POLLIN},
		{.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN}};
	enum screen_event event = SCREEN_TIME;

	while (!s->ended && event == SCREEN_TIME && wait_for(watched, until_us)) {
		if (watched[1].revents)
			read_keys(s, watched[1].revents);
		if (watched[0].revents)
			event = read_signal(s);
	}
	return s->ended ? SCREEN_END : event;
}
