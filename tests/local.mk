# What all unit tests share.
TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) -I$(top_srcdir)/tests
ALLOC_FAIL = tests/alloc_fail.c tests/alloc_fail.h

# An HTTPS server whose certificate signs itself.
TLS_SERVER = tests/tls_server.c tests/tls_server.h
TLS_SERVER_CPPFLAGS = -DTLS_SERVER='"$(abs_top_srcdir)/tests/tls_server.py"'
EXTRA_DIST += tests/tls_server.py
ALLOC_FAIL_LINK = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=strdup -Wl,--wrap=strndup
EXTRA_DIST += tests/cmocka_all.h

include tests/admin/local.mk
include tests/base/local.mk
include tests/metrics/local.mk
include tests/conf/local.mk
include tests/store/local.mk
include tests/ledger/local.mk
include tests/pool/local.mk
include tests/http/local.mk
include tests/relay/local.mk
include tests/sim/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/mock/local.mk
include tests/checkers.mk
