# Fuzz targets. replay_NAME runs the corpus in every `make check`; fuzz_NAME is linked with libFuzzer
# and built by `./dev fuzz` alone, which finds the targets by their folders in tests/fuzz/corpus.
FUZZ_REPLAYS = \
	tests/fuzz/replay_config \
	tests/fuzz/replay_csv \
	tests/fuzz/replay_event \
	tests/fuzz/replay_family \
	tests/fuzz/replay_glimpse \
	tests/fuzz/replay_hex \
	tests/fuzz/replay_payload \
	tests/fuzz/replay_profile \
	tests/fuzz/replay_time \
	tests/fuzz/replay_zone
FUZZ_TARGETS = \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_csv \
	tests/fuzz/fuzz_event \
	tests/fuzz/fuzz_family \
	tests/fuzz/fuzz_glimpse \
	tests/fuzz/fuzz_hex \
	tests/fuzz/fuzz_payload \
	tests/fuzz/fuzz_profile \
	tests/fuzz/fuzz_time \
	tests/fuzz/fuzz_zone
check_PROGRAMS += $(FUZZ_REPLAYS)
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
CLEANFILES += $(FUZZ_TARGETS)
TESTS += $(FUZZ_REPLAYS)
EXTRA_DIST += tests/fuzz/corpus

fuzz_replay = tests/fuzz/replay.c tests/fuzz/fuzz.h
fuzz_reading = tests/fuzz/reading.c tests/fuzz/reading.h
fuzz_flags = -fsanitize=fuzzer
fuzz_core_libs = libcore.a libbase.a $(JANSSON_LIBS) $(INIH_LIBS) $(CRYPTO_LIBS)

tests_fuzz_replay_config_SOURCES = tests/fuzz/fuzz_config.c $(fuzz_replay)
tests_fuzz_replay_config_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_csv_SOURCES = tests/fuzz/fuzz_csv.c $(fuzz_replay)
tests_fuzz_replay_csv_LDADD = libbase.a
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_csv_LDADD = libbase.a
tests_fuzz_fuzz_csv_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_event_SOURCES = tests/fuzz/fuzz_event.c $(fuzz_replay)
tests_fuzz_replay_event_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_event_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_event_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_family_SOURCES = tests/fuzz/fuzz_family.c $(fuzz_reading) $(fuzz_replay)
tests_fuzz_replay_family_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_family_SOURCES = tests/fuzz/fuzz_family.c $(fuzz_reading) tests/fuzz/fuzz.h
tests_fuzz_fuzz_family_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_family_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_glimpse_SOURCES = tests/fuzz/fuzz_glimpse.c $(fuzz_replay)
tests_fuzz_replay_glimpse_LDADD = libapi.a libbase.a $(JANSSON_LIBS)
tests_fuzz_fuzz_glimpse_SOURCES = tests/fuzz/fuzz_glimpse.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_glimpse_LDADD = libapi.a libbase.a $(JANSSON_LIBS)
tests_fuzz_fuzz_glimpse_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_hex_SOURCES = tests/fuzz/fuzz_hex.c $(fuzz_replay)
tests_fuzz_replay_hex_LDADD = libbase.a
tests_fuzz_fuzz_hex_SOURCES = tests/fuzz/fuzz_hex.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_hex_LDADD = libbase.a
tests_fuzz_fuzz_hex_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_payload_SOURCES = tests/fuzz/fuzz_payload.c $(fuzz_replay)
tests_fuzz_replay_payload_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_payload_SOURCES = tests/fuzz/fuzz_payload.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_payload_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_payload_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_profile_SOURCES = tests/fuzz/fuzz_profile.c $(fuzz_reading) $(fuzz_replay)
tests_fuzz_replay_profile_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_profile_SOURCES = tests/fuzz/fuzz_profile.c $(fuzz_reading) tests/fuzz/fuzz.h
tests_fuzz_fuzz_profile_LDADD = $(fuzz_core_libs)
tests_fuzz_fuzz_profile_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_time_SOURCES = tests/fuzz/fuzz_time.c $(fuzz_replay)
tests_fuzz_replay_time_LDADD = libbase.a
tests_fuzz_fuzz_time_SOURCES = tests/fuzz/fuzz_time.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_time_LDADD = libbase.a
tests_fuzz_fuzz_time_LDFLAGS = $(fuzz_flags)

tests_fuzz_replay_zone_SOURCES = tests/fuzz/fuzz_zone.c $(fuzz_replay)
tests_fuzz_replay_zone_LDADD = libbase.a
tests_fuzz_fuzz_zone_SOURCES = tests/fuzz/fuzz_zone.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_zone_LDADD = libbase.a
tests_fuzz_fuzz_zone_LDFLAGS = $(fuzz_flags)

if WITH_REPORT
check_PROGRAMS += tests/fuzz/replay_report
EXTRA_PROGRAMS += tests/fuzz/fuzz_report
CLEANFILES += tests/fuzz/fuzz_report
TESTS += tests/fuzz/replay_report
tests_fuzz_replay_report_SOURCES = tests/fuzz/fuzz_report.c $(fuzz_replay)
tests_fuzz_replay_report_LDADD = libreport.a libbase.a $(JANSSON_LIBS)
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_report_LDADD = libreport.a libbase.a $(JANSSON_LIBS)
tests_fuzz_fuzz_report_LDFLAGS = $(fuzz_flags)
endif
