# sources of fcgi/http/
noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	fcgi/http/access_line.c fcgi/http/access_line.h \
	fcgi/http/answer.c \
	fcgi/http/conn.c fcgi/http/conn.h fcgi/http/conn_input.c \
	fcgi/http/peer.c fcgi/http/peer.h \
	fcgi/http/proxy.c fcgi/http/proxy.h \
	fcgi/http/query.c fcgi/http/query.h \
	fcgi/http/record.c fcgi/http/record.h fcgi/http/record_put.c \
	fcgi/http/request.c fcgi/http/request.h fcgi/http/request_keys.c \
	fcgi/http/response.c fcgi/http/response.h \
	fcgi/http/route.c fcgi/http/route.h \
	fcgi/http/server.c fcgi/http/server.h \
	fcgi/http/token.c fcgi/http/token.h \
	fcgi/http/traceparent.c fcgi/http/traceparent.h
