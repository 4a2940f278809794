noinst_LIBRARIES += libedge.a
libedge_a_SOURCES = \
	src/edge/apiloop.c src/edge/apiloop.h \
	src/edge/http.c src/edge/http.h src/edge/http_private.h \
	src/edge/http_stream.c src/edge/http_stream.h \
	src/edge/http_drain.c src/edge/http_drain.h \
	src/edge/http_tls.c \
	src/edge/http_tcp.c src/edge/http_tcp.h \
	src/edge/loop.c src/edge/loop.h src/edge/loop_base.h \
	src/edge/mqtt.c src/edge/mqtt.h \
	src/edge/notify.c src/edge/notify.h \
	src/edge/resolve.c src/edge/resolve.h \
	src/edge/unixsocket.c src/edge/unixsocket.h \
	src/edge/watchfile.c src/edge/watchfile.h
