# Unit tests of src/base.
UNIT_BASE = tests/unit/test_bucket tests/unit/test_tzrule tests/unit/test_zone
check_PROGRAMS += $(UNIT_BASE)
TESTS += $(UNIT_BASE)

tests_unit_test_bucket_SOURCES = tests/unit/test_bucket.c tests/unit/unit.h
tests_unit_test_bucket_LDADD = libbase.a $(CMOCKA_LIBS)
tests_unit_test_tzrule_SOURCES = tests/unit/test_tzrule.c tests/unit/unit.h
tests_unit_test_tzrule_LDADD = libbase.a $(CMOCKA_LIBS)
tests_unit_test_zone_SOURCES = tests/unit/test_zone.c tests/unit/unit.h
tests_unit_test_zone_LDADD = libbase.a $(CMOCKA_LIBS)
