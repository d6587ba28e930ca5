# unit tests of fcgi/relay/
UNIT_TESTS += tests/relay/test_throttle
tests_relay_test_throttle_SOURCES = tests/relay/test_throttle.c \
	fcgi/relay/throttle.c
tests_relay_test_throttle_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_throttle_LDADD = $(CMOCKA_LIBS)

UPSTREAM_TEST_LIBS = librelay.a libhttp.a libbase.a $(CMOCKA_LIBS) \
	$(CURL_LIBS) $(SODIUM_LIBS)

UNIT_TESTS += tests/relay/test_upstream
tests_relay_test_upstream_SOURCES = tests/relay/test_upstream.c \
	tests/relay/fake_upstream.c tests/relay/fake_upstream.h
tests_relay_test_upstream_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(top_srcdir)/tests/relay
tests_relay_test_upstream_LDADD = $(UPSTREAM_TEST_LIBS)
