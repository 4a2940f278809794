/* punch-terminal: plays one attendance terminal or thousands; punch-terminal(1). */
#include <errno.h>
#include <mosquitto.h>
#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "terminal/fleet.h"
#include "terminal/options.h"
#include "terminal/raw.h"

#define DEFAULT_USERS 10

static const char *words_for(int error)
{
	switch (error) {
	case -EINVAL: return "this is not KIND:VALUE with id, pin, card, slot, email or phone";
	case -E2BIG: return "a user is 1 to 128 bytes";
	case -EILSEQ: return "this is not UTF-8";
	default: return strerror(-error);
	}
}

static bool gather_people(const struct options *o, struct people *people)
{
	bool numbered = o->users_count > 0 || (o->users.count == 0 && !o->users_file);
	int line, r;

	for (size_t i = 0; i < o->users.count; i++) {
		r = people_add(people, o->users.items[i]);
		if (r < 0) {
			log_error("user", words_for(r), LOG_S("user", o->users.items[i]));
			return false;
		}
	}
	r = o->users_file ? people_add_file(people, o->users_file, &line) : 0;
	if (r < 0) {
		log_error("users_file", line ? words_for(r) : strerror(-r),
			LOG_S("file", o->users_file), LOG_I("line", line));
		return false;
	}
	r = numbered ? people_add_numbered(people, o->user_format,
			       o->users_count ? o->users_count : DEFAULT_USERS)
		     : 0;
	if (r < 0)
		log_error("user_format",
			"not a pattern with at most one %d or %0Nd, 1 to 128 bytes",
			LOG_S("pattern", o->user_format));
	else if (people->count == 0)
		log_error("users_file", "there is nobody in it", LOG_S("file", o->users_file));
	return r == 0 && people->count > 0;
}

static int run(const struct options *o)
{
	struct people people = {0};
	char *password = NULL;
	int r = o->password_file ? file_read_secret(o->password_file, &password, NULL) : 0;

	if (r < 0) {
		log_error("password_file", strerror(-r), LOG_S("file", o->password_file));
		return 2;
	}
	if (o->raw_file)
		r = raw_run(o, password);
	else
		r = gather_people(o, &people) ? fleet_run(o, &people, password) : 2;
	people_done(&people);
	file_secret_free(password);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;
	int r = 2;

	switch (options_parse(argc, argv, &o)) {
	case OPTIONS_DONE: return 0;
	case OPTIONS_BAD: return 2;
	case OPTIONS_RUN: break;
	}
	log_set_level(o.quiet ? LOG_LEVEL_ERROR : o.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	mosquitto_lib_init();
	r = run(&o);
	mosquitto_lib_cleanup();
	options_done(&o);
	return r;
}
