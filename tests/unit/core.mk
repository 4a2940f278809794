# Unit tests of src/core: a program a module.
UNIT_CORE = \
	tests/unit/test_clocktrust \
	tests/unit/test_cloudclock \
	tests/unit/test_config \
	tests/unit/test_config_pages \
	tests/unit/test_config_print \
	tests/unit/test_directory \
	tests/unit/test_event \
	tests/unit/test_hand \
	tests/unit/test_hooksig \
	tests/unit/test_idempotence \
	tests/unit/test_identity \
	tests/unit/test_links \
	tests/unit/test_newuser \
	tests/unit/test_drain \
	tests/unit/test_outbox \
	tests/unit/test_payload \
	tests/unit/test_profile \
	tests/unit/test_punch \
	tests/unit/test_refusals \
	tests/unit/test_settle \
	tests/unit/test_skew \
	tests/unit/test_taps \
	tests/unit/test_user \
	tests/unit/test_verdict \
	tests/unit/test_workday \
	tests/unit/test_calendar \
	tests/unit/test_report_days
check_PROGRAMS += $(UNIT_CORE)
TESTS += $(UNIT_CORE)
EXTRA_DIST += tests/data/native tests/data/terminals tests/data/families

unit_pagepart = tests/unit/pagepart.c tests/unit/pagepart.h tests/unit/unit.h
unit_inpage = tests/unit/inpage.c tests/unit/inpage.h $(unit_pagepart)
unit_core_libs = libcore.a libbase.a $(CMOCKA_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(CRYPTO_LIBS)
tests_unit_test_clocktrust_SOURCES = tests/unit/test_clocktrust.c tests/unit/unit.h
tests_unit_test_clocktrust_LDADD = $(unit_core_libs)
tests_unit_test_config_SOURCES = tests/unit/test_config.c tests/unit/unit.h
tests_unit_test_config_LDADD = $(unit_core_libs)
tests_unit_test_config_pages_SOURCES = tests/unit/test_config_pages.c $(unit_pagepart)
tests_unit_test_config_pages_LDADD = $(unit_core_libs)
tests_unit_test_config_print_SOURCES = tests/unit/test_config_print.c tests/unit/unit.h
tests_unit_test_config_print_LDADD = $(unit_core_libs)
tests_unit_test_directory_SOURCES = tests/unit/test_directory.c tests/unit/unit.h
tests_unit_test_directory_LDADD = $(unit_core_libs)
tests_unit_test_cloudclock_SOURCES = tests/unit/test_cloudclock.c tests/unit/unit.h
tests_unit_test_cloudclock_LDADD = $(unit_core_libs)
tests_unit_test_event_SOURCES = tests/unit/test_event.c tests/unit/unit.h
tests_unit_test_event_LDADD = $(unit_core_libs)
tests_unit_test_hooksig_SOURCES = tests/unit/test_hooksig.c tests/unit/unit.h
tests_unit_test_hooksig_LDADD = $(unit_core_libs)
tests_unit_test_hand_SOURCES = tests/unit/test_hand.c tests/unit/unit.h
tests_unit_test_hand_LDADD = $(unit_core_libs)
tests_unit_test_idempotence_SOURCES = tests/unit/test_idempotence.c tests/unit/unit.h
tests_unit_test_idempotence_LDADD = $(unit_core_libs)
tests_unit_test_identity_SOURCES = tests/unit/test_identity.c tests/unit/unit.h
tests_unit_test_identity_LDADD = $(unit_core_libs)
tests_unit_test_links_SOURCES = tests/unit/test_links.c tests/unit/unit.h
tests_unit_test_links_LDADD = $(unit_core_libs)
tests_unit_test_newuser_SOURCES = tests/unit/test_newuser.c tests/unit/unit.h
tests_unit_test_newuser_LDADD = $(unit_core_libs)
tests_unit_test_outbox_SOURCES = tests/unit/test_outbox.c tests/unit/unit.h
tests_unit_test_drain_SOURCES = tests/unit/test_drain.c tests/unit/unit.h
tests_unit_test_drain_LDADD = libapi.a $(unit_core_libs) $(CURL_LIBS)
tests_unit_test_outbox_LDADD = $(unit_core_libs)
tests_unit_test_payload_SOURCES = tests/unit/test_payload.c tests/unit/unit.h
tests_unit_test_payload_LDADD = $(unit_core_libs)
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c tests/unit/unit.h
tests_unit_test_profile_LDADD = $(unit_core_libs)
tests_unit_test_punch_SOURCES = tests/unit/test_punch.c tests/unit/unit.h
tests_unit_test_punch_LDADD = $(unit_core_libs)
tests_unit_test_refusals_SOURCES = tests/unit/test_refusals.c tests/unit/unit.h
tests_unit_test_refusals_LDADD = $(unit_core_libs)
tests_unit_test_settle_SOURCES = tests/unit/test_settle.c tests/unit/unit.h
tests_unit_test_settle_LDADD = $(unit_core_libs)
tests_unit_test_skew_SOURCES = tests/unit/test_skew.c tests/unit/unit.h
tests_unit_test_skew_LDADD = $(unit_core_libs)
tests_unit_test_taps_SOURCES = tests/unit/test_taps.c tests/unit/unit.h
tests_unit_test_taps_LDADD = $(unit_core_libs)
tests_unit_test_user_SOURCES = tests/unit/test_user.c tests/unit/unit.h
tests_unit_test_user_LDADD = $(unit_core_libs)
tests_unit_test_verdict_SOURCES = tests/unit/test_verdict.c tests/unit/unit.h
tests_unit_test_verdict_LDADD = $(unit_core_libs)
tests_unit_test_workday_SOURCES = tests/unit/test_workday.c tests/unit/unit.h
tests_unit_test_workday_LDADD = $(unit_core_libs)
tests_unit_test_calendar_SOURCES = tests/unit/test_calendar.c tests/unit/unit.h
tests_unit_test_calendar_LDADD = $(unit_core_libs)
tests_unit_test_report_days_SOURCES = tests/unit/test_report_days.c tests/unit/unit.h
tests_unit_test_report_days_LDADD = $(unit_core_libs) $(JANSSON_LIBS)
