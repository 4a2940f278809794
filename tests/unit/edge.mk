# Unit tests of src/edge: a program a module.
UNIT_EDGE = tests/unit/test_watchfile
check_PROGRAMS += $(UNIT_EDGE)
TESTS += $(UNIT_EDGE)

tests_unit_test_watchfile_SOURCES = tests/unit/test_watchfile.c tests/unit/unit.h
tests_unit_test_watchfile_LDADD = libedge.a libbase.a $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
