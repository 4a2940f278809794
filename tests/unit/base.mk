# Unit tests of src/base.
UNIT_BASE = tests/unit/test_bucket
check_PROGRAMS += $(UNIT_BASE)
TESTS += $(UNIT_BASE)

tests_unit_test_bucket_SOURCES = tests/unit/test_bucket.c tests/unit/unit.h
tests_unit_test_bucket_LDADD = libbase.a $(CMOCKA_LIBS)
