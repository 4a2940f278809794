/* Settings and their faults told to people: at the start, in the log, and by punchd -t and -p. */
#include "base/log.h"
#include "daemon/punchd.h"
#include "daemon/settings.h"

bool settings_read_aloud(struct config *c, const char *file)
{
	struct buf faults;
	bool good;

	buf_init(&faults, SETTINGS_FAULTS_MAX);
	good = settings_read(c, file, &faults) == 0 && faults.len == 0;
	fputs(faults.data, stderr);
	if (buf_error(&faults) < 0)
		fputs("punchd: there are more faults than these\n", stderr);
	buf_done(&faults);
	return good;
}

void settings_log_faults(struct buf *faults)
{
	char *line, *rest = faults->data;

	while ((line = strsep(&rest, "\n"))) {
		if (line[0])
			log_error("config", line);
	}
}

static void warn(const struct config *c)
{
	struct buf warnings;

	buf_init(&warnings, SETTINGS_FAULTS_MAX);
	settings_foresee(c, &warnings);
	fputs(warnings.data, stderr);
	buf_done(&warnings);
}

int punchd_check(const char *config_file)
{
	struct config c;
	bool good = settings_read_aloud(&c, config_file);

	if (good)
		warn(&c);
	config_done(&c);
	return good ? 0 : 1;
}

int punchd_print(const char *config_file)
{
	struct config c;
	struct buf text;
	bool good = settings_read_aloud(&c, config_file);

	buf_init(&text, SETTINGS_FAULTS_MAX);
	if (good)
		config_print(&c, &text);
	fputs(text.data, stdout);
	good = good && buf_error(&text) == 0;
	buf_done(&text);
	config_done(&c);
	return good ? PUNCHD_EXIT_OK : PUNCHD_EXIT_CONFIG;
}
