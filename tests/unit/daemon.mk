# Unit tests of what is pure in src/daemon: a program a module.
UNIT_DAEMON = \
	tests/unit/test_attempts
check_PROGRAMS += $(UNIT_DAEMON)
TESTS += $(UNIT_DAEMON)

tests_unit_test_attempts_SOURCES = tests/unit/test_attempts.c tests/unit/unit.h
tests_unit_test_attempts_LDADD = libdaemon.a $(CMOCKA_LIBS)
