# unit tests of fcgi/relay/
