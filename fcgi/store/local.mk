noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	fcgi/store/store.h \
	fcgi/store/thread.h
nodist_libstore_a_SOURCES = \
	sql/stmts.c \
	sql/stmts.h
