# sources of fcgi/http/
