/* Any bytes: fields lie within them, and what was read, written again in quotes, reads the same. */
#include "fuzz.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/csv.h"

static void write_rows(char *bytes, size_t n, struct buf *out, bool in_quotes)
{
	const char *quote = in_quotes ? "\"" : "";
	struct csv c;
	long line = 0;
	int r;

	csv_init(&c, bytes, n);
	while ((r = csv_next(&c)) != 0) {
		HOLDS(c.line > line && c.count <= CSV_FIELDS_MAX && (r < 0) == (c.fault != NULL));
		line = c.line;
		for (int i = 0; r > 0 && i < c.count; i++) {
			HOLDS(c.fields[i] >= bytes && c.fields[i] <= bytes + n);
			buf_addf(out, "%s%s", i ? "," : "", quote);
			for (const char *p = c.fields[i]; *p; p++) {
				if (*p == '"' && in_quotes)
					buf_add_char(out, '"');
				buf_add_char(out, *p);
			}
			buf_add_str(out, quote);
		}
		buf_add_str(out, r > 0 ? "\n" : "");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, plain, again;
	char *copy = malloc(size + 1), *second = malloc(size + 1);

	HOLDS(copy && second);
	memcpy(copy, data, size);
	memcpy(second, data, size);
	buf_init(&once, 1 << 24);
	buf_init(&plain, 1 << 24);
	buf_init(&again, 1 << 24);
	write_rows(copy, size, &once, true);
	write_rows(second, size, &plain, false);
	if (once.len > 0)
		write_rows(once.data, once.len, &again, false);
	HOLDS(plain.len == again.len && memcmp(plain.data, again.data, plain.len) == 0);
	buf_done(&once);
	buf_done(&plain);
	buf_done(&again);
	free(copy);
	free(second);
	return 0;
}
