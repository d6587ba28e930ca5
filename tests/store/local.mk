# unit tests of fcgi/store/
