include tests/base/local.mk
include tests/store/local.mk
include tests/ledger/local.mk
include tests/pool/local.mk
include tests/http/local.mk
include tests/relay/local.mk
