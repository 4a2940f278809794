# Unit tests of src/base: a program a module.
UNIT_BASE = \
	tests/unit/test_backoff \
	tests/unit/test_bucket \
	tests/unit/test_buf \
	tests/unit/test_chain \
	tests/unit/test_clock \
	tests/unit/test_csv \
	tests/unit/test_file \
	tests/unit/test_heap \
	tests/unit/test_hex \
	tests/unit/test_jget \
	tests/unit/test_jsplit \
	tests/unit/test_log \
	tests/unit/test_mdoc \
	tests/unit/test_newfile \
	tests/unit/test_netaddr \
	tests/unit/test_strmap \
	tests/unit/test_time \
	tests/unit/test_tzrule \
	tests/unit/test_units \
	tests/unit/test_utf8 \
	tests/unit/test_zone
check_PROGRAMS += $(UNIT_BASE)
TESTS += $(UNIT_BASE)

unit_base_libs = libbase.a $(CMOCKA_LIBS)
tests_unit_test_backoff_SOURCES = tests/unit/test_backoff.c tests/unit/unit.h
tests_unit_test_backoff_LDADD = $(unit_base_libs)
tests_unit_test_bucket_SOURCES = tests/unit/test_bucket.c tests/unit/unit.h
tests_unit_test_bucket_LDADD = $(unit_base_libs)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_LDADD = $(unit_base_libs)
tests_unit_test_chain_SOURCES = tests/unit/test_chain.c tests/unit/unit.h
tests_unit_test_chain_LDADD = $(unit_base_libs)
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/unit.h
tests_unit_test_clock_LDADD = $(unit_base_libs)
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c tests/unit/unit.h
tests_unit_test_csv_LDADD = $(unit_base_libs)
tests_unit_test_file_SOURCES = tests/unit/test_file.c tests/unit/unit.h
tests_unit_test_file_LDADD = $(unit_base_libs)
tests_unit_test_heap_SOURCES = tests/unit/test_heap.c tests/unit/unit.h
tests_unit_test_heap_LDADD = $(unit_base_libs)
tests_unit_test_hex_SOURCES = tests/unit/test_hex.c tests/unit/unit.h
tests_unit_test_hex_LDADD = $(unit_base_libs)
tests_unit_test_jget_SOURCES = tests/unit/test_jget.c tests/unit/unit.h
tests_unit_test_jget_LDADD = $(unit_base_libs) $(JANSSON_LIBS)
tests_unit_test_jsplit_SOURCES = tests/unit/test_jsplit.c tests/unit/unit.h
tests_unit_test_jsplit_LDADD = $(unit_base_libs)
tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/unit.h
tests_unit_test_log_LDADD = $(unit_base_libs)
tests_unit_test_mdoc_SOURCES = tests/unit/test_mdoc.c tests/unit/unit.h
tests_unit_test_mdoc_LDADD = $(unit_base_libs)
tests_unit_test_newfile_SOURCES = tests/unit/test_newfile.c tests/unit/unit.h
tests_unit_test_newfile_LDADD = $(unit_base_libs)
tests_unit_test_netaddr_SOURCES = tests/unit/test_netaddr.c tests/unit/unit.h
tests_unit_test_netaddr_LDADD = $(unit_base_libs)
tests_unit_test_strmap_SOURCES = tests/unit/test_strmap.c tests/unit/unit.h
tests_unit_test_strmap_LDADD = $(unit_base_libs)
tests_unit_test_time_SOURCES = tests/unit/test_time.c tests/unit/unit.h
tests_unit_test_time_LDADD = $(unit_base_libs)
tests_unit_test_tzrule_SOURCES = tests/unit/test_tzrule.c tests/unit/unit.h
tests_unit_test_tzrule_LDADD = $(unit_base_libs)
tests_unit_test_units_SOURCES = tests/unit/test_units.c tests/unit/unit.h
tests_unit_test_units_LDADD = $(unit_base_libs)
tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c tests/unit/unit.h
tests_unit_test_utf8_LDADD = $(unit_base_libs)
tests_unit_test_zone_SOURCES = tests/unit/test_zone.c tests/unit/unit.h
tests_unit_test_zone_LDADD = $(unit_base_libs)
