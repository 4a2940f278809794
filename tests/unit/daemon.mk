# Unit tests of src/daemon: a program a module.
UNIT_DAEMON = \
	tests/unit/test_attempts \
	tests/unit/test_judging
check_PROGRAMS += $(UNIT_DAEMON)
TESTS += $(UNIT_DAEMON)

tests_unit_test_attempts_SOURCES = tests/unit/test_attempts.c tests/unit/unit.h
tests_unit_test_attempts_LDADD = libdaemon.a $(CMOCKA_LIBS)
tests_unit_test_judging_SOURCES = tests/unit/test_judging.c tests/unit/store_fixture.c \
	tests/unit/store_fixture.h tests/unit/unit.h
tests_unit_test_judging_LDADD = libdaemon.a libedge.a libstore.a libcore.a libbase.a \
	$(CMOCKA_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(CRYPTO_LIBS) $(LIBEVENT_LIBS)
