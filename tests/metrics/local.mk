# unit tests of fcgi/metrics/
UNIT_TESTS += tests/metrics/test_slots
tests_metrics_test_slots_SOURCES = tests/metrics/test_slots.c $(ALLOC_FAIL)
tests_metrics_test_slots_CPPFLAGS = $(TEST_CPPFLAGS)
tests_metrics_test_slots_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_metrics_test_slots_LDADD = libbase.a $(CMOCKA_LIBS)

UNIT_TESTS += tests/metrics/test_text
tests_metrics_test_text_SOURCES = tests/metrics/test_text.c
tests_metrics_test_text_CPPFLAGS = $(TEST_CPPFLAGS)
tests_metrics_test_text_LDADD = libbase.a $(CMOCKA_LIBS)
