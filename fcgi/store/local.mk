noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	fcgi/store/batch.c \
	fcgi/store/checkpoint.c \
	fcgi/store/checkpoint.h \
	fcgi/store/driver.h \
	fcgi/store/filelock.c \
	fcgi/store/filelock.h \
	fcgi/store/migrate.c \
	fcgi/store/sqlite.c \
	fcgi/store/store.c \
	fcgi/store/store.h \
	fcgi/store/thread.c \
	fcgi/store/thread.h \
	fcgi/store/thread_internal.h \
	fcgi/store/worker.c
nodist_libstore_a_SOURCES = \
	sql/stmts.c \
	sql/stmts.h
