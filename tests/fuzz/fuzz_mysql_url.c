/*
 * The URL of a MySQL server: any text is refused with a reason, or gives parts
 * that end within their bounds and that make sense together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/mysql_url.h"

#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)	must((x), #x)
#define ENDS(f)	MUST(memchr((f), '\0', sizeof(f)) != NULL)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mysql_url u;
	struct err err;
	char *text;
	int rc;

	if ((text = malloc(size + 1)) == NULL)
		return (0);
	memcpy(text, data, size);
	text[size] = '\0';
	err_clear(&err);
	rc = mysql_url_parse(text, &u, &err);
	free(text);
	MUST((rc == 0) == (err.code == ERR_NONE));
	if (rc != 0) {
		MUST(err.code == ERR_INVAL && err.text[0] != '\0');
		return (0);
	}
	ENDS(u.user);
	ENDS(u.host);
	ENDS(u.database);
	ENDS(u.socket);
	ENDS(u.ca);
	ENDS(u.tls);
	ENDS(u.password_file);
	MUST(u.port >= 1 && u.port <= 65535);
	MUST(u.user[0] != '\0');
	MUST(u.host[0] != '\0' || u.socket[0] == '/');
	MUST(u.ca[0] == '\0' || u.ca[0] == '/');
	MUST(u.tls[0] == '\0' || u.ca[0] == '\0');
	return (0);
}
