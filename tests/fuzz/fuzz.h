/*
 * What every fuzz target includes. A target is one function over bytes that checks properties, not
 * only that nothing crashes. It is linked twice: with libFuzzer (`./dev fuzz`), and with replay.c,
 * which runs the corpus in tests/fuzz/corpus/NAME through it in every `make check`.
 */
#ifndef PUNCHD_TESTS_FUZZ_H
#define PUNCHD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property: ends the process where it does not hold, also in builds with NDEBUG. */
#define HOLDS(property) ((property) ? (void)0 : fuzz_broken(#property, __FILE__, __LINE__))

static inline _Noreturn void fuzz_broken(const char *property, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
	abort();
}

#endif
