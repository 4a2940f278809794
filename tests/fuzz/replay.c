/*
 * Runs a corpus through a fuzz target without libFuzzer, as one TAP test: each file as it is, cut
 * short, and with bytes changed by a fixed generator, so that every run is the same.
 *
 * Usage: replay_NAME [FILE]…; without files, those of tests/fuzz/corpus/NAME.
 */
#include "fuzz.h"

#include <dirent.h>

#include "base/file.h"

#define FILE_CAP (1024 * 1024)
#define VARIANTS 200 /* of each file */

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* On the heap and no longer than it is, so that a sanitizer sees a byte too far. */
static void run(const void *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	HOLDS(copy);
	memcpy(copy, bytes, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void run_variant(const struct buf *b)
{
	size_t n = next_random() % 4 ? b->len : next_random() % (b->len + 1);
	uint8_t *copy = malloc(b->len + 1);

	HOLDS(copy);
	memcpy(copy, b->data, b->len);
	for (uint32_t changes = next_random() % 4; changes > 0 && n > 0; changes--)
		copy[next_random() % n] = (uint8_t)next_random();
	run(copy, n);
	free(copy);
}

static void run_file(const char *path)
{
	struct buf b;

	printf("# %s\n", path);
	fflush(stdout);
	buf_init(&b, FILE_CAP);
	HOLDS(file_read(path, &b, NULL) == 0);
	run(b.data, b.len);
	for (int i = 0; i < VARIANTS; i++)
		run_variant(&b);
	buf_done(&b);
}

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int run_corpus(const char *name)
{
	const char *root = getenv("PUNCHD_SRCDIR");
	struct dirent **entries;
	char folder[4096], path[4400];
	int n;

	snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", root ? root : ".", name);
	n = scandir(folder, &entries, is_file, alphasort);
	HOLDS(n > 0);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		run_file(path);
		free(entries[i]);
	}
	free(entries);
	return n;
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "replay_");

	HOLDS(name);
	name += strlen("replay_");
	printf("1..1\n");
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc == 1)
		run_corpus(name);
	printf("ok 1 - corpus of %s\n", name);
	return 0;
}
