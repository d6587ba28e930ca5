noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	fcgi/base/buf.c \
	fcgi/base/buf.h \
	fcgi/base/clock.c \
	fcgi/base/clock.h \
	fcgi/base/conf.c \
	fcgi/base/conf.h \
	fcgi/base/conf_doc.c \
	fcgi/base/conf_internal.h \
	fcgi/base/conf_table.c \
	fcgi/base/conf_value.c \
	fcgi/base/err.c \
	fcgi/base/err.h \
	fcgi/base/json.c \
	fcgi/base/json.h \
	fcgi/base/json_conv.c \
	fcgi/base/json_pick.c \
	fcgi/base/json_pick.h \
	fcgi/base/limits.h \
	fcgi/base/log.c \
	fcgi/base/log.h \
	fcgi/base/log_line.c \
	fcgi/base/log_line.h \
	fcgi/base/log_target.c \
	fcgi/base/log_target.h \
	fcgi/base/loop.c \
	fcgi/base/loop.h \
	fcgi/base/loop_internal.h \
	fcgi/base/loop_timer.c \
	fcgi/base/loop_watch.c \
	fcgi/base/num.c \
	fcgi/base/num.h \
	fcgi/base/seal.c \
	fcgi/base/seal.h \
	fcgi/base/seal_keys.c \
	fcgi/base/seal_keys.h
