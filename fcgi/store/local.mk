noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	fcgi/store/driver.h \
	fcgi/store/filelock.c \
	fcgi/store/filelock.h \
	fcgi/store/migrate.c \
	fcgi/store/sqlite.c \
	fcgi/store/store.c \
	fcgi/store/store.h \
	fcgi/store/thread.h
nodist_libstore_a_SOURCES = \
	sql/stmts.c \
	sql/stmts.h
