noinst_LIBRARIES += libledger.a
libledger_a_SOURCES = \
	fcgi/ledger/usage.h
