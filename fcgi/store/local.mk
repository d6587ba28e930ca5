noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	fcgi/store/backup.c \
	fcgi/store/backup.h \
	fcgi/store/batch.c \
	fcgi/store/checkpoint.c \
	fcgi/store/checkpoint.h \
	fcgi/store/driver.h \
	fcgi/store/filelock.c \
	fcgi/store/filelock.h \
	fcgi/store/migrate.c \
	fcgi/store/reader.c \
	fcgi/store/spool.c \
	fcgi/store/spool.h \
	fcgi/store/mysql_url.c \
	fcgi/store/mysql_url.h \
	fcgi/store/sqlite.c \
	fcgi/store/store.c \
	fcgi/store/store.h \
	fcgi/store/swap.c \
	fcgi/store/swap.h \
	fcgi/store/table.c \
	fcgi/store/table.h \
	fcgi/store/thread.c \
	fcgi/store/thread.h \
	fcgi/store/thread_internal.h \
	fcgi/store/worker.c
if MYSQL
libstore_a_SOURCES += \
	fcgi/store/mysql.c \
	fcgi/store/mysql_bulk.c \
	fcgi/store/mysql_conn.c \
	fcgi/store/mysql_internal.h \
	fcgi/store/mysql_stmt.c
endif
nodist_libstore_a_SOURCES = \
	sql/stmts.c \
	sql/stmts.h
