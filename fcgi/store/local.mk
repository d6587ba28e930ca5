# sources of fcgi/store/
