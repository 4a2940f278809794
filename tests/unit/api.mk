# Unit tests of src/api.
UNIT_API = tests/unit/test_outcome tests/unit/test_reply tests/unit/test_wire tests/unit/test_pace \
	tests/unit/test_pace_play \
	tests/unit/test_circuit tests/unit/test_glimpse tests/unit/test_share tests/unit/test_client \
	tests/unit/test_curl tests/unit/test_curl_http2 tests/unit/test_curl_trust \
	tests/unit/test_curl_proxy tests/unit/test_curl_connect tests/unit/test_curl_idle \
	tests/unit/test_curl_offsets tests/unit/test_report tests/unit/test_sync \
	tests/unit/test_apiloop
check_PROGRAMS += $(UNIT_API)
TESTS += $(UNIT_API)

UNIT_API_LIBS = libapi.a libbase.a $(CURL_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
tests_unit_test_outcome_SOURCES = tests/unit/test_outcome.c tests/unit/unit.h
tests_unit_test_outcome_LDADD = $(UNIT_API_LIBS)
tests_unit_test_reply_SOURCES = tests/unit/test_reply.c tests/unit/unit.h
tests_unit_test_reply_LDADD = $(UNIT_API_LIBS)
tests_unit_test_wire_SOURCES = tests/unit/test_wire.c tests/unit/unit.h
tests_unit_test_wire_LDADD = $(UNIT_API_LIBS)
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c tests/unit/unit.h
tests_unit_test_pace_LDADD = $(UNIT_API_LIBS)
tests_unit_test_pace_play_SOURCES = tests/unit/test_pace_play.c tests/unit/unit.h
tests_unit_test_pace_play_LDADD = $(UNIT_API_LIBS)
tests_unit_test_circuit_SOURCES = tests/unit/test_circuit.c tests/unit/unit.h
tests_unit_test_circuit_LDADD = $(UNIT_API_LIBS)
tests_unit_test_glimpse_SOURCES = tests/unit/test_glimpse.c tests/unit/unit.h
tests_unit_test_glimpse_LDADD = $(UNIT_API_LIBS)
tests_unit_test_share_SOURCES = tests/unit/test_share.c tests/unit/unit.h
tests_unit_test_share_LDADD = $(UNIT_API_LIBS)
tests_unit_test_client_SOURCES = tests/unit/test_client.c tests/unit/unit.h
tests_unit_test_client_LDADD = $(UNIT_API_LIBS)

CURLRIG = tests/unit/curlrig.c tests/unit/curlrig.h tests/unit/tlsserver.c tests/unit/tlsserver.h \
	tests/unit/loopback.c tests/unit/loopback.h
tests_unit_test_curl_SOURCES = tests/unit/test_curl.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_LDFLAGS = -Wl,--wrap=curl_multi_socket_action
tests_unit_test_curl_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_http2_SOURCES = tests/unit/test_curl_http2.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_http2_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_trust_SOURCES = tests/unit/test_curl_trust.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_trust_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_proxy_SOURCES = tests/unit/test_curl_proxy.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_proxy_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_connect_SOURCES = tests/unit/test_curl_connect.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_connect_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_idle_SOURCES = tests/unit/test_curl_idle.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_idle_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_curl_offsets_SOURCES = tests/unit/test_curl_offsets.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_curl_offsets_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_report_SOURCES = tests/unit/test_report.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_report_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_sync_SOURCES = tests/unit/test_sync.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_sync_LDADD = $(UNIT_API_LIBS) $(OPENSSL_LIBS) -lpthread
tests_unit_test_apiloop_SOURCES = tests/unit/test_apiloop.c tests/unit/unit.h $(CURLRIG)
tests_unit_test_apiloop_LDADD = libedge.a $(UNIT_API_LIBS) $(LIBEVENT_LIBS) $(OPENSSL_LIBS) -lpthread
