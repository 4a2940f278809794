# src/report: punch-report-pdf, the only program that is linked with Pango and Cairo
if WITH_REPORT
bin_PROGRAMS += punch-report-pdf
noinst_LIBRARIES += libreport.a
libreport_a_CFLAGS = $(AM_CFLAGS) $(PANGOCAIRO_CFLAGS)
libreport_a_SOURCES = \
	src/report/document.c src/report/document.h \
	src/report/head.c src/report/head.h \
	src/report/options.c src/report/options.h \
	src/report/options_table.c src/report/options_table.h \
	src/report/pen.c src/report/pen.h \
	src/report/pdf.c src/report/pdf.h \
	src/report/table.c src/report/table.h \
	src/report/words.c src/report/words.h

punch_report_pdf_SOURCES = src/report/main.c
punch_report_pdf_LDADD = libreport.a libbase.a $(PANGOCAIRO_LIBS) $(JANSSON_LIBS) -lm
dist_man_MANS += man/punch-report-pdf.1
endif
