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
	src/api/pace.c src/api/pace.h \
	src/api/pacelog.c src/api/pacelog.h \
	src/api/reply.c src/api/reply.h \
	src/api/share.c src/api/share.h \
	src/api/transport.h \
	src/api/wire.c src/api/wire.h
