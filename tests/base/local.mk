# unit tests of fcgi/base/
