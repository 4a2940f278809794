# Unit tests of src/sandbox, which the integration tests use as a whole. test_sandbox_pages holds
# the man page in step with the tables.
UNIT_SANDBOX = \
	tests/unit/test_sandbox_keys \
	tests/unit/test_sandbox_pages
check_PROGRAMS += $(UNIT_SANDBOX)
TESTS += $(UNIT_SANDBOX)

unit_sandbox_libs = libsandbox.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS)
tests_unit_test_sandbox_keys_SOURCES = tests/unit/test_sandbox_keys.c tests/unit/unit.h
tests_unit_test_sandbox_keys_LDADD = $(unit_sandbox_libs)
tests_unit_test_sandbox_pages_SOURCES = tests/unit/test_sandbox_pages.c $(unit_inpage)
tests_unit_test_sandbox_pages_LDADD = $(unit_sandbox_libs)
