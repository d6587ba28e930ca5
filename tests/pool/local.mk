# unit tests of fcgi/pool/
