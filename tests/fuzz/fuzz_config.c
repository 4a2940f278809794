/* A settings file: every fault is a line with a place in the file, and what was taken prints as a
 * file that reads back to the same without a fault, but for the password of a proxy. */
#include "fuzz.h"

#include "core/config.h"

static long lines_of(const uint8_t *data, size_t size)
{
	long lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

/* `f:LINE: …`, in the order of the lines, each a line without control characters. */
static void check_faults(const struct buf *faults, long lines)
{
	long before = 0;

	for (const char *s = faults->data; *s;) {
		char *end;
		long line;

		HOLDS(strncmp(s, "f:", 2) == 0);
		line = strtol(s + 2, &end, 10);
		HOLDS(line >= 1 && line <= lines && line >= before && strncmp(end, ": ", 2) == 0);
		before = line;
		for (s = end; *s != '\n'; s++)
			HOLDS((unsigned char)*s >= ' ' && *s != 0x7f);
		s++;
	}
}

static void check_reads_back(const struct config *c)
{
	struct buf printed, again, faults;
	struct config other;

	buf_init(&printed, 65536);
	buf_init(&again, 65536);
	buf_init(&faults, 65536);
	HOLDS(config_init(&other) == 0);
	config_print(c, &printed);
	HOLDS(config_read(&other, "f", printed.data, printed.len, &faults) == 0);
	HOLDS(faults.len == 0);
	config_print(&other, &again);
	HOLDS(strcmp(printed.data, again.data) == 0);
	config_restart_keys(c, &other, &faults);
	if (strchr(c->api.proxy, '@')) /* what is blanked reads back as something else */
		HOLDS(faults.len == 0 || strcmp(faults.data, "[api] proxy") == 0);
	else
		HOLDS(faults.len == 0);
	config_done(&other);
	buf_done(&printed);
	buf_done(&again);
	buf_done(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c, live;
	struct buf faults;

	buf_init(&faults, 64 << 20);
	HOLDS(config_init(&c) == 0 && config_init(&live) == 0);
	HOLDS(config_read(&c, "f", (const char *)data, size, &faults) == 0);
	HOLDS(buf_error(&faults) == 0);
	check_faults(&faults, lines_of(data, size));
	config_check(&c, &faults);
	check_reads_back(&c);
	config_take_live(&live, &c);
	check_reads_back(&live);
	config_done(&live);
	config_done(&c);
	buf_done(&faults);
	return 0;
}
