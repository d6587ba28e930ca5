# unit tests of fcgi/ledger/
