# src/api: what is built from this folder
noinst_LIBRARIES += libapi.a
libapi_a_SOURCES = \
	src/api/api.h src/api/client.c src/api/client_call.c src/api/client_private.h \
	src/api/client_record.c src/api/client_report.c \
	src/api/circuit.c src/api/circuit.h \
	src/api/curl.c src/api/curl.h src/api/curl_easy.c src/api/curl_private.h \
	src/api/curl_settings.c src/api/curl_stream.c src/api/curl_words.c \
	src/api/glimpse.c src/api/glimpse.h \
	src/api/httpdate.c \
	src/api/outcome.c src/api/outcome.h \
	src/api/pollloop.c src/api/pollloop.h \
	src/api/punch-api.h \
	src/api/pace.c src/api/pace.h \
	src/api/pacelog.c src/api/pacelog.h \
	src/api/reply.c src/api/reply.h \
	src/api/share.c src/api/share.h src/api/sync.c \
	src/api/transport.h \
	src/api/wire.c src/api/wire.h

# ---- libpunch-api.a: the same, for programs of others. One object in which what it needs of src/base is
# linked, and no name is seen but those of punch-api.symbols: so none can clash with a program's own.
punchapiincludedir = $(includedir)/punch-api
punchapiinclude_HEADERS = src/api/punch-api.h src/api/outcome.h
punchapilibdir = $(libdir)
punchapilib_DATA = libpunch-api.a
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = src/api/punch-api.pc
EXTRA_DIST += src/api/punch-api.symbols
dist_man_MANS += man/punch-api.3
CLEANFILES += libpunch-api.a src/api/punch-api.whole.o

libpunch-api.a: libapi.a libbase.a src/api/punch-api.symbols
	$(AM_V_AR)$(CC) -r -nostdlib -o src/api/punch-api.whole.o \
		-Wl,--whole-archive libapi.a -Wl,--no-whole-archive libbase.a && \
	$(OBJCOPY) --keep-global-symbols=$(srcdir)/src/api/punch-api.symbols \
		src/api/punch-api.whole.o && \
	rm -f $@ && $(AR) $(ARFLAGS) $@ src/api/punch-api.whole.o && $(RANLIB) $@
