/* base/zone: against glibc over every zone that is installed, and against damaged files. */
#include "unit.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/zone.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define DAY_S    86400LL

/* ---- glibc as the judge */

static void glibc_zone(const char *name)
{
	char tz[300];

	snprintf(tz, sizeof tz, ":%s", name);
	setenv("TZ", tz, 1);
	tzset();
}

static long glibc_offset(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	return tm.tm_gmtoff;
}

static void check_offset(const char *name, const struct zone *z, int64_t t)
{
	long wanted = glibc_offset(t), got = zone_offset_at(z, t);

	if (wanted != got)
		fail_msg("%s at %lld: %ld, glibc says %ld", name, (long long)t, got, wanted);
}

/* A local time near a change from offset a to b: what it may mean is found by trying both. */
static void check_local(const char *name, const struct zone *z, int64_t local, long a, long b)
{
	int64_t early = local - (a > b ? a : b), late = local - (a > b ? b : a), got;
	bool fits_early = early + glibc_offset(early) == local;
	bool fits_late = early != late && late + glibc_offset(late) == local;
	enum zone_fit fit = zone_to_unix(z, local, &got);
	enum zone_fit wanted_fit = fits_early && fits_late ? ZONE_TWICE
		: fits_early || fits_late                  ? ZONE_UNIQUE
							   : ZONE_SKIPPED;
	int64_t wanted = fits_early ? early : fits_late ? late : local - a;

	if (fit != wanted_fit || got != wanted)
		fail_msg("%s local %lld: %d %lld, glibc says %d %lld", name, (long long)local, fit,
			(long long)got, wanted_fit, (long long)wanted);
}

static void check_change(const char *name, const struct zone *z, int64_t before, int64_t after)
{
	static const int64_t steps[] = {-7200, -3600, -1800, -1, 0, 1, 900, 1799, 3599, 3600, 7200};
	long a = glibc_offset(before), b = glibc_offset(after);

	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		*(glibc_offset(middle) == a ? &before : &after) = middle;
	}
	b = glibc_offset(after);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		check_offset(name, z, after + steps[i]);
		check_local(name, z, after + (a > b ? b : a) + steps[i], a, b);
		check_local(name, z, after + (a > b ? a : b) + steps[i], a, b);
	}
}

/* Walk in odd steps, so that every hour of the day and of the week comes up. */
static int check_span(
	const char *name, const struct zone *z, int64_t from, int64_t to, int64_t step_s)
{
	int changes = 0;

	for (int64_t t = from; t < to; t += step_s) {
		check_offset(name, z, t);
		if (glibc_offset(t) != glibc_offset(t + step_s)) {
			check_change(name, z, t, t + step_s);
			changes++;
		}
	}
	return changes;
}

static int check_zone(const char *name)
{
	struct zone *z;
	int changes;

	assert_int_equal(zone_load(name, &z), 0);
	glibc_zone(name);
	changes = check_span(name, z, -90 * 365 * DAY_S, 130 * 365 * DAY_S, 61 * DAY_S + 4567);
	changes += check_span(name, z, 16725225600, 16725225600 + 3 * 365 * DAY_S, 7 * DAY_S + 11);
	check_span(name, z, -40000 * DAY_S, -32000 * DAY_S, 97 * DAY_S + 13);
	check_offset(name, z, -100000000000);
	check_offset(name, z, 253402300799);
	zone_free(z);
	return changes;
}

/* Names of all zones; right/ counts leap seconds and posix/ repeats the others. */
static int each_zone(int stride, int *ret_zones)
{
	char *paths[] = {(char *)(uintptr_t)ZONEINFO, NULL};
	FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	int changes = 0, n = 0;
	FTSENT *e;

	assert_non_null(fts);
	while ((e = fts_read(fts))) {
		const char *name = e->fts_path + strlen(ZONEINFO) + (e->fts_level > 0);
		const char *base = strrchr(e->fts_path, '/') + 1;

		if (e->fts_info == FTS_D &&
			(strcmp(name, "right") == 0 || strcmp(name, "posix") == 0))
			fts_set(fts, e, FTS_SKIP);
		if (e->fts_info != FTS_F || strchr(base, '.') || *base == '+' ||
			strcmp(base, "leapseconds") == 0)
			continue;
		if (n++ % stride == 0)
			changes += check_zone(name);
	}
	fts_close(fts);
	*ret_zones = n;
	return changes;
}

static void test_agrees_with_glibc(void **state)
{
	/* An interpreter as valgrind is too slow for all of them. */
	int stride = getenv("PUNCHD_TEST_LIGHT") ? 60 : 1, zones, changes;

	(void)state;
	changes = each_zone(stride, &zones);
	assert_true(zones > 300);
	assert_true(changes > 60 * zones / stride / 2);
}

static void test_system_zone_is_glibcs(void **state)
{
	struct zone *z;

	(void)state;
	unsetenv("TZ");
	tzset();
	assert_int_equal(zone_load(NULL, &z), 0);
	for (int64_t t = 0; t < 2000000000; t += 50 * DAY_S)
		check_offset("the system's", z, t);
	zone_free(z);
	assert_int_equal(zone_load("", &z), 0);
	zone_free(z);
}

/* ---- known by hand */

static void test_berlin_2026(void **state)
{
	struct zone *z;
	int64_t t;

	(void)state;
	assert_int_equal(zone_load("Europe/Berlin", &z), 0);
	assert_int_equal(zone_offset_at(z, 1774746000 - 1), 3600); /* 2026-03-29T01:00Z */
	assert_int_equal(zone_offset_at(z, 1774746000), 7200);
	/* 02:30 did not happen: the offset before the change makes it 01:30Z */
	assert_int_equal(zone_to_unix(z, 1774751400, &t), ZONE_SKIPPED);
	assert_int_equal(t, 1774751400 - 3600);
	/* 2026-10-25 02:30 twice: the earlier is in summer time */
	assert_int_equal(zone_to_unix(z, 1792895400, &t), ZONE_TWICE);
	assert_int_equal(t, 1792895400 - 7200);
	assert_int_equal(zone_to_unix(z, 1782907200, &t), ZONE_UNIQUE);
	assert_int_equal(t, 1782907200 - 7200);
	zone_free(z);
}

/* Apia left 30 December 2011 out altogether. */
static void test_a_skipped_day(void **state)
{
	struct zone *z;
	int64_t t;

	(void)state;
	assert_int_equal(zone_load("Pacific/Apia", &z), 0);
	assert_int_equal(zone_to_unix(z, 1325246400, &t), ZONE_SKIPPED); /* 30th, noon */
	assert_int_equal(t, 1325246400 + 10 * 3600);
	zone_free(z);
}

static void test_utc_needs_no_file(void **state)
{
	struct zone *z;
	int64_t t;

	(void)state;
	setenv("TZDIR", "/nonexistent", 1);
	assert_int_equal(zone_load("UTC", &z), 0);
	assert_int_equal(zone_load("Europe/Berlin", &z), -ENOENT);
	unsetenv("TZDIR");
	assert_int_equal(zone_offset_at(z, INT64_MAX), 0);
	assert_int_equal(zone_to_unix(z, 12345, &t), ZONE_UNIQUE);
	assert_int_equal(t, 12345);
	zone_free(z);
}

static void test_the_ends_of_time(void **state)
{
	struct zone *z;
	int64_t t;

	(void)state;
	assert_int_equal(zone_load("America/New_York", &z), 0);
	assert_int_equal(zone_offset_at(z, INT64_MIN), -17762);
	assert_in_range(-zone_offset_at(z, INT64_MAX), 4 * 3600, 5 * 3600);
	zone_to_unix(z, INT64_MAX, &t);
	zone_to_unix(z, INT64_MIN, &t);
	zone_free(z);
}

static void test_names(void **state)
{
	static const char *const odd[] = {"../etc/passwd", "/etc/localtime", "Europe/../UTC",
		"Europe//Berlin", "Europe/", "/", ".", "..", ".hidden", "Europe/Ber lin",
		"Europe\\Berlin", "Euro\npe", "Köln", "a=b"};
	static const char *const missing[] = {
		"Europe/Nowhere", "Europe", "UTC/UTC", "Europe/Berlin/x", "-", "Etc/GMT+99"};
	char longest[200];
	struct zone *z = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		assert_int_equal(zone_load(odd[i], &z), -EINVAL);
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
		assert_int_equal(zone_load(missing[i], &z), -ENOENT);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(zone_load(longest, &z), -EINVAL);
	assert_null(z);
	assert_int_equal(zone_load("zone.tab", &z), -EBADMSG);
}

/* A folder name of its own may be too long for a path. */
static void test_a_folder_too_long(void **state)
{
	char *folder = malloc(5000);
	struct zone *z;

	(void)state;
	memset(folder, 'a', 4999);
	folder[4999] = '\0';
	setenv("TZDIR", folder, 1);
	assert_int_equal(zone_load("Europe/Berlin", &z), -ENOENT);
	setenv("TZDIR", "", 1);
	assert_int_equal(zone_load("Europe/Berlin", &z), 0);
	unsetenv("TZDIR");
	zone_free(z);
	free(folder);
}

static void test_a_file_too_large(void **state)
{
	char folder[] = "/tmp/punchd-zone-XXXXXX", path[64];
	struct zone *z;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/Huge", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("TZif2", f);
	assert_int_equal(ftruncate(fileno(f), 300 * 1024), 0);
	fclose(f);
	setenv("TZDIR", folder, 1);
	assert_int_equal(zone_load("Huge", &z), -EBADMSG);
	unsetenv("TZDIR");
	unlink(path);
	rmdir(folder);
}

/* ---- files made by hand */

struct file {
	int version; /* '\0' is 1 */
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
	const int64_t *times;
	const uint8_t *indices;
	const int32_t *offsets;
	uint8_t daylight, name;
	const char *footer;
};

static void add_big(struct buf *b, int64_t value, int n)
{
	while (n-- > 0)
		buf_add_char(b, (char)((uint64_t)value >> (8 * n)));
}

static void add_block(struct buf *b, const struct file *f, int time_bytes)
{
	static const char zeros[16];
	const uint32_t counts[] = {
		f->isutcnt, f->isstdcnt, f->leapcnt, f->timecnt, f->typecnt, f->charcnt};

	buf_add_str(b, "TZif");
	buf_add_char(b, (char)f->version);
	buf_add(b, zeros, 15);
	for (size_t i = 0; i < 6; i++)
		add_big(b, counts[i], 4);
	for (uint32_t i = 0; i < f->timecnt; i++)
		add_big(b, f->times[i], time_bytes);
	buf_add(b, f->indices, f->timecnt);
	for (uint32_t i = 0; i < f->typecnt; i++) {
		add_big(b, f->offsets[i], 4);
		buf_add_char(b, (char)f->daylight);
		buf_add_char(b, (char)f->name);
	}
	for (uint32_t i = 0; i < f->charcnt; i++)
		buf_add_char(b, i + 1 < f->charcnt ? 'A' : '\0');
	for (uint32_t i = 0; i < f->leapcnt * (uint32_t)(time_bytes + 4); i++)
		buf_add_char(b, 0);
	for (uint32_t i = 0; i < f->isstdcnt + f->isutcnt; i++)
		buf_add_char(b, 0);
}

static void make(struct buf *b, const struct file *f)
{
	buf_init(b, 65536);
	add_block(b, f, 4);
	if (f->version == 0)
		return;
	add_block(b, f, 8);
	buf_addf(b, "\n%s\n", f->footer);
}

static int parse_file(const struct file *f, struct zone **ret)
{
	struct buf b;
	int r;

	make(&b, f);
	r = zone_parse(b.data, b.len, ret);
	buf_done(&b);
	return r;
}

static const int64_t two_times[] = {1000, 2000};
static const uint8_t two_indices[] = {1, 0};
static const int32_t two_offsets[] = {3600, 7200};

static struct file two(int version, const char *footer)
{
	return (struct file){
		version, 0, 0, 0, 2, 2, 4, two_times, two_indices, two_offsets, 0, 0, footer};
}

static void test_every_version(void **state)
{
	static const int versions[] = {0, '2', '3', '4'};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct file f = two(versions[i], "AAA-5");
		struct zone *z;

		assert_int_equal(parse_file(&f, &z), 0);
		assert_int_equal(zone_offset_at(z, 999), 3600);
		assert_int_equal(zone_offset_at(z, 1000), 7200);
		assert_int_equal(zone_offset_at(z, 1999), 7200);
		assert_int_equal(zone_offset_at(z, 2000), versions[i] ? 18000 : 3600);
		zone_free(z);
	}
}

/* RFC 9636 §3.3: no footer says nothing, no transitions leave all to the footer. */
static void test_footer_alone_and_none(void **state)
{
	struct file none = two('2', ""), alone = two('2', "<+0330>-3:30");
	struct zone *z;

	(void)state;
	assert_int_equal(parse_file(&none, &z), 0);
	assert_int_equal(zone_offset_at(z, INT64_MAX), 3600);
	zone_free(z);
	alone.timecnt = 0;
	assert_int_equal(parse_file(&alone, &z), 0);
	assert_int_equal(zone_offset_at(z, -5), 12600);
	zone_free(z);
}

static void refuse(const char *what, const struct file *f)
{
	struct zone *z = NULL;
	int r = parse_file(f, &z);

	if (r != -EBADMSG || z)
		fail_msg("%s: %d", what, r);
}

static void test_every_field_is_checked(void **state)
{
	static const int64_t falling[] = {2000, 1000}, equal[] = {1000, 1000};
	static const uint8_t beyond[] = {0, 2};
	static const int32_t west[] = {-90000, 0}, east[] = {3600, 93600}, unused[] = {93600, 3600};
	static const int32_t edges[] = {-89999, 93599};
	struct zone *z;
	struct file f;

	(void)state;
#define BROKEN(change) (f = two('2', "AAA-1"), change, refuse(#change, &f))
	BROKEN(f.version = '0');
	BROKEN(f.version = 'x');
	BROKEN(f.times = falling);
	BROKEN(f.times = equal);
	BROKEN(f.indices = beyond);
	BROKEN(f.offsets = west);
	BROKEN(f.offsets = east);
	BROKEN((f.offsets = unused, f.timecnt = 0));
	BROKEN(f.daylight = 2);
	BROKEN(f.name = 4);
	BROKEN(f.isutcnt = 1);
	BROKEN(f.isstdcnt = 1);
	BROKEN(f.leapcnt = 1);
	BROKEN((f.typecnt = 0, f.timecnt = 0));
	BROKEN(f.charcnt = 0);
	BROKEN(f.footer = "AAA");
	BROKEN(f.footer = "AAA-1BBB");
	BROKEN(f.footer = "AAA-1\\0");
	f = two('2', "AAA-1");
	f.isutcnt = f.isstdcnt = 2;
	f.offsets = edges;
	assert_int_equal(parse_file(&f, &z), 0);
	zone_free(z);
}

/* Every shorter file is damaged; counts far over the file's length are too. */
static void test_cut_and_inflated(void **state)
{
	struct file f = two('2', "AAA-1");
	struct zone *z = NULL;
	struct buf b;

	(void)state;
	make(&b, &f);
	for (size_t n = 0; n < b.len; n++) {
		char *copy = malloc(n ? n : 1); /* so that ASan sees one byte too far */

		memcpy(copy, b.data, n);
		assert_int_equal(zone_parse(copy, n, &z), -EBADMSG);
		free(copy);
	}
	for (size_t at = 20; at < 44; at += 4) {
		char saved[4];

		memcpy(saved, b.data + at, 4);
		memset(b.data + at, 0xff, 4);
		assert_int_equal(zone_parse(b.data, b.len, &z), -EBADMSG);
		memcpy(b.data + at, saved, 4);
	}
	b.data[b.len - 3] = '\0';
	assert_int_equal(zone_parse(b.data, b.len, &z), -EBADMSG);
	assert_null(z);
	buf_done(&b);
}

static void test_footer_too_long(void **state)
{
	char footer[700] = "";
	struct file f = two('2', footer);

	(void)state;
	memset(footer, 'A', sizeof footer);
	footer[sizeof footer - 1] = '\0';
	refuse("long footer", &f);
}

/* Three changes within a day: a local time that fits three times still gives the first. */
static void test_changes_close_together(void **state)
{
	static const int64_t times[] = {100000, 103600, 107200};
	static const uint8_t indices[] = {1, 2, 3};
	static const int32_t offsets[] = {7200, 3600, 0, -3600};
	struct file f = {'2', 0, 0, 0, 3, 4, 4, times, indices, offsets, 0, 0, ""};
	struct zone *z;
	int64_t t;

	(void)state;
	assert_int_equal(parse_file(&f, &z), 0);
	assert_int_equal(zone_to_unix(z, 105000, &t), ZONE_TWICE);
	assert_int_equal(t, 105000 - 7200);
	zone_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_glibc),
		cmocka_unit_test(test_system_zone_is_glibcs),
		cmocka_unit_test(test_berlin_2026),
		cmocka_unit_test(test_a_skipped_day),
		cmocka_unit_test(test_utc_needs_no_file),
		cmocka_unit_test(test_the_ends_of_time),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_folder_too_long),
		cmocka_unit_test(test_a_file_too_large),
		cmocka_unit_test(test_every_version),
		cmocka_unit_test(test_footer_alone_and_none),
		cmocka_unit_test(test_every_field_is_checked),
		cmocka_unit_test(test_cut_and_inflated),
		cmocka_unit_test(test_footer_too_long),
		cmocka_unit_test(test_changes_close_together),
	};

	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
