# Unit tests of src/sandbox, which the integration tests use as a whole.
UNIT_SANDBOX = tests/unit/test_sandbox_keys
check_PROGRAMS += $(UNIT_SANDBOX)
TESTS += $(UNIT_SANDBOX)

tests_unit_test_sandbox_keys_SOURCES = tests/unit/test_sandbox_keys.c tests/unit/unit.h
tests_unit_test_sandbox_keys_LDADD = libsandbox.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS) \
	$(JANSSON_LIBS)
