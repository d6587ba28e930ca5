# unit tests of fcgi/http/
HTTP_TEST_LIBS = libhttp.a libbase.a $(CMOCKA_LIBS)
HTTP_RECORDS = tests/http/records.c tests/http/records.h

UNIT_TESTS += tests/http/test_record
tests_http_test_record_SOURCES = tests/http/test_record.c $(HTTP_RECORDS)
tests_http_test_record_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_record_LDADD = $(HTTP_TEST_LIBS)

UNIT_TESTS += tests/http/test_peer
tests_http_test_peer_SOURCES = tests/http/test_peer.c
tests_http_test_peer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_peer_LDADD = $(HTTP_TEST_LIBS)

UNIT_TESTS += tests/http/test_request
tests_http_test_request_SOURCES = tests/http/test_request.c
tests_http_test_request_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_request_LDADD = $(HTTP_TEST_LIBS)

UNIT_TESTS += tests/http/test_traceparent
tests_http_test_traceparent_SOURCES = tests/http/test_traceparent.c
tests_http_test_traceparent_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_traceparent_LDADD = $(HTTP_TEST_LIBS) $(SODIUM_LIBS)

UNIT_TESTS += tests/http/test_response
tests_http_test_response_SOURCES = tests/http/test_response.c
tests_http_test_response_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_response_LDADD = $(HTTP_TEST_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/http/test_route
tests_http_test_route_SOURCES = tests/http/test_route.c
tests_http_test_route_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_route_LDADD = $(HTTP_TEST_LIBS)

HTTP_SERVER_FIX = tests/http/server_fix.c tests/http/server_fix.h \
	$(HTTP_RECORDS)

UNIT_TESTS += tests/http/test_server
tests_http_test_server_SOURCES = tests/http/test_server.c \
	$(HTTP_SERVER_FIX) $(ALLOC_FAIL)
tests_http_test_server_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_server_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_http_test_server_LDADD = $(HTTP_TEST_LIBS)

UNIT_TESTS += tests/http/test_server_gone
tests_http_test_server_gone_SOURCES = tests/http/test_server_gone.c \
	$(HTTP_SERVER_FIX)
tests_http_test_server_gone_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_server_gone_LDADD = $(HTTP_TEST_LIBS)

UNIT_TESTS += tests/http/test_query
tests_http_test_query_SOURCES = tests/http/test_query.c fcgi/http/query.c
tests_http_test_query_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_query_LDADD = $(CMOCKA_LIBS)
