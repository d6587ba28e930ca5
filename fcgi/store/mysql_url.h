#ifndef STORE_MYSQL_URL_H_
#define STORE_MYSQL_URL_H_

#include <stdbool.h>
#include <stddef.h>

struct err;

/**
 * Where a MySQL or MariaDB server is:
 *
 *	mysql://USER@HOST[:PORT]/DATABASE[?NAME=VALUE[&NAME=VALUE ...]]
 *
 *	socket=/path		Unix socket; HOST is then localhost, or empty
 *	ca=/path		certificates that the server's is checked with
 *	tls=off			plain TCP to another host, on purpose
 *	password_file=/path	its first line; without it the environment's
 *				LEASEHOLD_STORE_PASSWORD, or the first line of
 *				the file LEASEHOLD_STORE_PASSWORD_FILE, or none
 *
 * USER, DATABASE and values may be written with %XX; an IPv6 address stands in
 * brackets.  TCP to another host needs ca or tls=off.  A password in the URL,
 * and what is not named here, is refused, in words that do not repeat it.
 */

#define MYSQL_URL_TEXT	256	/* user (MariaDB: 128), host (DNS: 253) */
#define MYSQL_URL_PATH	1024

struct mysql_url {
	char user[MYSQL_URL_TEXT];
	char host[MYSQL_URL_TEXT];
	unsigned int port;		/* 3306 by default */
	char database[MYSQL_URL_TEXT];
	char socket[108];		/* sun_path; "": TCP */
	char ca[MYSQL_URL_PATH];	/* "": no TLS */
	char tls[8];
	char password_file[MYSQL_URL_PATH];
};

/**
 * mysql_url_parse(text, out, err):
 * Parse what follows "mysql:".  0, or -1 with ERR_INVAL.
 */
int mysql_url_parse(const char *text, struct mysql_url *out, struct err *err)
    __attribute__((__warn_unused_result__));

#endif /* !STORE_MYSQL_URL_H_ */
