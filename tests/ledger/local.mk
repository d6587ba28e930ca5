# unit tests of fcgi/ledger/
LEDGER_TEST_LIBS = libledger.a libbase.a $(CMOCKA_LIBS)

UNIT_TESTS += tests/ledger/test_id
tests_ledger_test_id_SOURCES = tests/ledger/test_id.c
tests_ledger_test_id_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_id_LDADD = $(LEDGER_TEST_LIBS)

UNIT_TESTS += tests/ledger/test_latency
tests_ledger_test_latency_SOURCES = tests/ledger/test_latency.c
tests_ledger_test_latency_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_latency_LDADD = $(LEDGER_TEST_LIBS)

UNIT_TESTS += tests/ledger/test_price
tests_ledger_test_price_SOURCES = tests/ledger/test_price.c
tests_ledger_test_price_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_price_LDADD = $(LEDGER_TEST_LIBS)

UNIT_TESTS += tests/ledger/test_window
tests_ledger_test_window_SOURCES = tests/ledger/test_window.c
tests_ledger_test_window_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_window_LDADD = $(LEDGER_TEST_LIBS)

UNIT_TESTS += tests/ledger/test_rollup
tests_ledger_test_rollup_SOURCES = tests/ledger/test_rollup.c $(STORE_RAW)
tests_ledger_test_rollup_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_rollup_LDADD = libledger.a libstore.a libbase.a \
	$(CMOCKA_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)

UNIT_TESTS += tests/ledger/test_plausible
tests_ledger_test_plausible_SOURCES = tests/ledger/test_plausible.c
tests_ledger_test_plausible_CPPFLAGS = $(TEST_CPPFLAGS)
tests_ledger_test_plausible_LDADD = $(LEDGER_TEST_LIBS)
