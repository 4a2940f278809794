# src/report: the pages themselves are looked at by tests/integration/test_report_pdf.py.
if WITH_REPORT
UNIT_REPORT = tests/unit/test_report_document tests/unit/test_report_pages
check_PROGRAMS += $(UNIT_REPORT)
TESTS += $(UNIT_REPORT)

tests_unit_test_report_document_SOURCES = tests/unit/test_report_document.c tests/unit/unit.h
tests_unit_test_report_document_LDADD = libreport.a libbase.a $(CMOCKA_LIBS) $(JANSSON_LIBS)
tests_unit_test_report_pages_SOURCES = tests/unit/test_report_pages.c $(unit_inpage)
tests_unit_test_report_pages_LDADD = libreport.a libbase.a $(CMOCKA_LIBS) $(JANSSON_LIBS)
endif
