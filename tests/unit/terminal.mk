# src/terminal is used as a whole by the integration tests; here its man page is held in step with its
# table.
UNIT_TERMINAL = tests/unit/test_terminal_pages
check_PROGRAMS += $(UNIT_TERMINAL)
TESTS += $(UNIT_TERMINAL)

tests_unit_test_terminal_pages_SOURCES = tests/unit/test_terminal_pages.c $(unit_inpage)
tests_unit_test_terminal_pages_LDADD = libterminal.a libbase.a $(CMOCKA_LIBS) $(JANSSON_LIBS)
