# unit tests of fcgi/store/
STORE_TEST_LIBS = libstore.a libbase.a $(CMOCKA_LIBS) $(SQLITE_LIBS)
EXTRA_DIST += tests/store/store_test.h tests/store/thread_world.h \
	tests/mariadb.sh
STORE_RAW = tests/store/raw.c tests/store/raw.h

UNIT_TESTS += tests/store/test_store
tests_store_test_store_SOURCES = tests/store/test_store.c $(STORE_RAW)
tests_store_test_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_store_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_upgrade
tests_store_test_upgrade_SOURCES = tests/store/test_upgrade.c $(STORE_RAW)
tests_store_test_upgrade_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_upgrade_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_mysql_url
tests_store_test_mysql_url_SOURCES = tests/store/test_mysql_url.c
tests_store_test_mysql_url_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_mysql_url_LDADD = $(STORE_TEST_LIBS)

if MYSQL
UNIT_TESTS += tests/store/test_mysql
endif
tests_store_test_mysql_SOURCES = tests/store/test_mysql.c $(STORE_RAW)
tests_store_test_mysql_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_mysql_LDADD = $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_spool
tests_store_test_spool_SOURCES = tests/store/test_spool.c
tests_store_test_spool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_spool_LDADD = $(STORE_TEST_LIBS) $(SODIUM_LIBS)

UNIT_TESTS += tests/store/test_sqlite
tests_store_test_sqlite_SOURCES = tests/store/test_sqlite.c $(STORE_RAW)
tests_store_test_sqlite_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sqlite_LDADD = $(STORE_TEST_LIBS)

# The scripted fake, for the tests of the floors above as well.
if CMOCKA
check_LIBRARIES += libfake.a
endif
libfake_a_SOURCES = fcgi/store/fake.c fcgi/store/fake.h
EXTRA_DIST += fcgi/store/fake.c fcgi/store/fake.h

UNIT_TESTS += tests/store/test_migrate
tests_store_test_migrate_SOURCES = tests/store/test_migrate.c $(STORE_RAW)
tests_store_test_migrate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_migrate_LDADD = libfake.a $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_thread
tests_store_test_thread_SOURCES = tests/store/test_thread.c $(STORE_RAW)
tests_store_test_thread_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_thread_LDADD = libfake.a $(STORE_TEST_LIBS)

UNIT_TESTS += tests/store/test_thread_outage
tests_store_test_thread_outage_SOURCES = tests/store/test_thread_outage.c $(STORE_RAW)
tests_store_test_thread_outage_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_thread_outage_LDADD = libfake.a $(STORE_TEST_LIBS)

# The compiler of the statements.
dist_check_SCRIPTS += tests/store/compile.sh
