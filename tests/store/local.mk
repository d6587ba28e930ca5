# unit tests of fcgi/store/
STORE_TEST_LIBS = libstore.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/store/store_test.h tests/store/thread_world.h

UNIT_TESTS += tests/store/test_sqlite
tests_store_test_sqlite_SOURCES = tests/store/test_sqlite.c
tests_store_test_sqlite_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sqlite_LDADD = $(STORE_TEST_LIBS)

# The scripted fake, for the tests of the floors above as well.
if CMOCKA
check_LIBRARIES += libfake.a
endif
libfake_a_SOURCES = fcgi/store/fake.c fcgi/store/fake.h
EXTRA_DIST += fcgi/store/fake.c fcgi/store/fake.h

UNIT_TESTS += tests/store/test_migrate
tests_store_test_migrate_SOURCES = tests/store/test_migrate.c
tests_store_test_migrate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_migrate_LDADD = libfake.a $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_thread
tests_store_test_thread_SOURCES = tests/store/test_thread.c
tests_store_test_thread_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_thread_LDADD = libfake.a $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_thread_outage
tests_store_test_thread_outage_SOURCES = tests/store/test_thread_outage.c
tests_store_test_thread_outage_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_thread_outage_LDADD = libfake.a $(STORE_TEST_LIBS)

# The compiler of the statements.
dist_check_SCRIPTS += tests/store/compile.sh
