noinst_LIBRARIES += libledger.a
libledger_a_SOURCES = \
	fcgi/ledger/id.c \
	fcgi/ledger/id.h \
	fcgi/ledger/latency.c \
	fcgi/ledger/latency.h \
	fcgi/ledger/meta.c \
	fcgi/ledger/meta.h \
	fcgi/ledger/plausible.c \
	fcgi/ledger/plausible.h \
	fcgi/ledger/flags.h \
	fcgi/ledger/price.c \
	fcgi/ledger/price.h \
	fcgi/ledger/rollup.c \
	fcgi/ledger/rollup.h \
	fcgi/ledger/usage.c \
	fcgi/ledger/usage.h \
	fcgi/ledger/window.c \
	fcgi/ledger/window.h
