# unit tests of fcgi/relay/
UNIT_TESTS += tests/relay/test_throttle
tests_relay_test_throttle_SOURCES = tests/relay/test_throttle.c \
	fcgi/relay/throttle.c
tests_relay_test_throttle_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_throttle_LDADD = $(CMOCKA_LIBS)
