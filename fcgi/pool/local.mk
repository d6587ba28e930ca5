# sources of fcgi/pool/
