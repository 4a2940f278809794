# Unit tests of src/ctl. test_ctl_pages holds man page and completion in step with the vocabulary.
UNIT_CTL = \
	tests/unit/test_ctl_brokerconf \
	tests/unit/test_ctl_doc \
	tests/unit/test_ctl_overview \
	tests/unit/test_ctl_pages \
	tests/unit/test_ctl_parse \
	tests/unit/test_ctl_table \
	tests/unit/test_ctl_text \
	tests/unit/test_ctl_times \
	tests/unit/test_ctl_vocabulary \
	tests/unit/test_links_csv
check_PROGRAMS += $(UNIT_CTL)
TESTS += $(UNIT_CTL)

unit_ctl_libs = libctl.a libcore.a libbase.a $(CMOCKA_LIBS) $(CURL_LIBS) $(JANSSON_LIBS)
tests_unit_test_ctl_brokerconf_SOURCES = tests/unit/test_ctl_brokerconf.c tests/unit/unit.h
tests_unit_test_ctl_brokerconf_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_doc_SOURCES = tests/unit/test_ctl_doc.c tests/unit/unit.h
tests_unit_test_ctl_doc_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_overview_SOURCES = tests/unit/test_ctl_overview.c tests/unit/unit.h
tests_unit_test_ctl_overview_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_pages_SOURCES = tests/unit/test_ctl_pages.c $(unit_inpage)
tests_unit_test_ctl_pages_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_parse_SOURCES = tests/unit/test_ctl_parse.c tests/unit/unit.h
tests_unit_test_ctl_parse_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_table_SOURCES = tests/unit/test_ctl_table.c tests/unit/unit.h
tests_unit_test_ctl_table_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_text_SOURCES = tests/unit/test_ctl_text.c tests/unit/unit.h
tests_unit_test_ctl_text_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_times_SOURCES = tests/unit/test_ctl_times.c tests/unit/unit.h
tests_unit_test_ctl_times_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_vocabulary_SOURCES = tests/unit/test_ctl_vocabulary.c tests/unit/unit.h
tests_unit_test_ctl_vocabulary_LDADD = $(unit_ctl_libs)
tests_unit_test_links_csv_SOURCES = tests/unit/test_links_csv.c tests/unit/unit.h
tests_unit_test_links_csv_LDADD = $(unit_ctl_libs)
