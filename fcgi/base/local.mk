noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	fcgi/base/buf.c \
	fcgi/base/buf.h \
	fcgi/base/clock.c \
	fcgi/base/clock.h \
	fcgi/base/conf.h \
	fcgi/base/err.c \
	fcgi/base/err.h \
	fcgi/base/json.c \
	fcgi/base/json.h \
	fcgi/base/json_conv.c \
	fcgi/base/json_pick.c \
	fcgi/base/json_pick.h \
	fcgi/base/limits.h \
	fcgi/base/log.h \
	fcgi/base/loop.h \
	fcgi/base/num.c \
	fcgi/base/num.h \
	fcgi/base/seal.h
