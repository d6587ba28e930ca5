#include "cmocka_all.h"

#include <sys/wait.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_server.h"

bool
tls_server_can(void)
{

	return (system("openssl version >/dev/null 2>&1") == 0 &&
	    system("python3 -c 'import ssl' 2>/dev/null") == 0);
}

static void
make_certificate(struct tls_server *s)
{
	char command[512];

	strcpy(s->dir, "/tmp/leasehold-tls.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->cert, sizeof(s->cert), "%s/cert.pem", s->dir);
	snprintf(s->key, sizeof(s->key), "%s/key.pem", s->dir);
	snprintf(command, sizeof(command), "openssl req -x509 -newkey ec "
	    "-pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
	    "/CN=test -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s "
	    "2>/dev/null", s->key, s->cert);
	assert_int_equal(system(command), 0);
}

static void
exec_server(const struct tls_server *s, int out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execlp("python3", "python3", TLS_SERVER, s->cert, s->key,
	    (char *)NULL);
	_exit(127);
}

/* It says on which port it listens. */
void
tls_server_start(struct tls_server *s)
{
	char line[64];
	int fds[2];
	FILE *in;

	make_certificate(s);
	assert_int_equal(pipe(fds), 0);
	s->pid = fork();
	assert_true(s->pid != -1);
	if (s->pid == 0)
		exec_server(s, fds[1]);
	close(fds[1]);
	in = fdopen(fds[0], "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in));
	fclose(in);
	s->port = atoi(line);
	assert_true(s->port > 0);
}

void
tls_server_stop(struct tls_server *s)
{

	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	unlink(s->cert);
	unlink(s->key);
	rmdir(s->dir);
}
