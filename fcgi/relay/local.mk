noinst_LIBRARIES += librelay.a
librelay_a_SOURCES = \
	fcgi/relay/access.c \
	fcgi/relay/ask.c fcgi/relay/ask.h \
	fcgi/relay/auth.c \
	fcgi/relay/batch_peek.c fcgi/relay/batch_peek.h \
	fcgi/relay/call.c fcgi/relay/call.h \
	fcgi/relay/close.c \
	fcgi/relay/count.c fcgi/relay/count.h \
	fcgi/relay/drain.c \
	fcgi/relay/early.c \
	fcgi/relay/extend.c \
	fcgi/relay/head.c fcgi/relay/head.h \
	fcgi/relay/judge.c fcgi/relay/judge.h \
	fcgi/relay/lister.c fcgi/relay/lister.h \
	fcgi/relay/mentions.c fcgi/relay/mentions.h \
	fcgi/relay/meter.c fcgi/relay/meter.h \
	fcgi/relay/object_answer.c fcgi/relay/object_answer.h \
	fcgi/relay/object_call.c \
	fcgi/relay/pass.c \
	fcgi/relay/peek.c fcgi/relay/peek.h \
	fcgi/relay/platform.c fcgi/relay/platform.h \
	fcgi/relay/platform_claude.c fcgi/relay/platform_claude.h \
	fcgi/relay/probe.c fcgi/relay/probe.h \
	fcgi/relay/ratelimit.c fcgi/relay/ratelimit.h \
	fcgi/relay/refusal.c fcgi/relay/refusal.h \
	fcgi/relay/refresher.c fcgi/relay/refresher.h \
	fcgi/relay/remains.c fcgi/relay/remains.h \
	fcgi/relay/renew.c \
	fcgi/relay/relay.c fcgi/relay/relay.h fcgi/relay/relay_int.h \
	fcgi/relay/spares.h \
	fcgi/relay/splice.c fcgi/relay/splice.h \
	fcgi/relay/sse.c fcgi/relay/sse.h \
	fcgi/relay/tally.c fcgi/relay/tally.h \
	fcgi/relay/throttle.c fcgi/relay/throttle.h \
	fcgi/relay/trace.c fcgi/relay/trace.h \
	fcgi/relay/transfer.c \
	fcgi/relay/transfer_setup.c \
	fcgi/relay/upstream.c fcgi/relay/upstream.h \
	fcgi/relay/upstream_internal.h
