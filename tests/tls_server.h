#ifndef TESTS_TLS_SERVER_H_
#define TESTS_TLS_SERVER_H_

#include <stdbool.h>
#include <sys/types.h>

/** tls_server.py on a port of 127.0.0.1, with a certificate for that address
 * that signs itself.  What fails ends the test. */
struct tls_server {
	char dir[64];
	char cert[96], key[96];
	pid_t pid;
	int port;
};

/** tls_server_can: Are openssl and python3 there?  A test without is skipped:
 * exit status 77. */
bool tls_server_can(void);
void tls_server_start(struct tls_server *s);
void tls_server_stop(struct tls_server *s);

#endif /* !TESTS_TLS_SERVER_H_ */
