# unit tests of fcgi/store/
STORE_TEST_LIBS = libstore.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/store/store_test.h

UNIT_TESTS += tests/store/test_sqlite
tests_store_test_sqlite_SOURCES = tests/store/test_sqlite.c
tests_store_test_sqlite_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sqlite_LDADD = $(STORE_TEST_LIBS)
