# unit tests of fcgi/http/
