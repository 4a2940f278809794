# Unit tests of src/store.
UNIT_STORE = tests/unit/test_store tests/unit/test_store_check tests/unit/test_store_fault \
	tests/unit/test_store_link tests/unit/test_store_log tests/unit/test_store_newuser \
	tests/unit/test_store_model tests/unit/test_store_punch tests/unit/test_store_report \
	tests/unit/test_store_salvage \
	tests/unit/test_store_upkeep tests/unit/test_tapcache
check_PROGRAMS += $(UNIT_STORE)
TESTS += $(UNIT_STORE)

check_LIBRARIES += libstoretest.a
libstoretest_a_SOURCES = tests/unit/store_fixture.c tests/unit/store_fixture.h tests/unit/unit.h
UNIT_STORE_LIBS = libstoretest.a libstore.a libcore.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS) \
	$(CRYPTO_LIBS) $(JANSSON_LIBS)

tests_unit_test_store_SOURCES = tests/unit/test_store.c
tests_unit_test_store_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_check_SOURCES = tests/unit/test_store_check.c
tests_unit_test_store_check_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_salvage_SOURCES = tests/unit/test_store_salvage.c
tests_unit_test_store_salvage_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_salvage_LDFLAGS = -Wl,--wrap=rename -Wl,--wrap=fsync -Wl,--wrap=pread \
	-Wl,--wrap=statvfs
tests_unit_test_store_report_SOURCES = tests/unit/test_store_report.c
tests_unit_test_store_report_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_link_SOURCES = tests/unit/test_store_link.c
tests_unit_test_store_link_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_log_SOURCES = tests/unit/test_store_log.c
tests_unit_test_store_log_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_newuser_SOURCES = tests/unit/test_store_newuser.c
tests_unit_test_store_newuser_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_fault_SOURCES = tests/unit/test_store_fault.c tests/unit/faultvfs.c \
	tests/unit/faultvfs.h
tests_unit_test_store_fault_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_punch_SOURCES = tests/unit/test_store_punch.c
tests_unit_test_store_punch_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_upkeep_SOURCES = tests/unit/test_store_upkeep.c
tests_unit_test_store_upkeep_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_store_model_SOURCES = tests/unit/test_store_model.c
tests_unit_test_store_model_LDADD = $(UNIT_STORE_LIBS)
tests_unit_test_tapcache_SOURCES = tests/unit/test_tapcache.c
tests_unit_test_tapcache_LDADD = $(UNIT_STORE_LIBS)
