#include "config.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

#include "openapi.h"

/* It is some 100 KB. */
#define TEXT_BYTES	(1024 * 1024)

static json_t *
parse(struct err *err)
{
	const char *const *line;
	json_error_t why;
	struct buf text;
	json_t *all = NULL;

	buf_init(&text, TEXT_BYTES);
	for (line = openapi_lines; *line != NULL; line++) {
		if (buf_puts(&text, *line)) {
			err_set(err, ERR_NOMEM, "no memory for a description");
			goto done;
		}
	}
	all = json_loadb((const char *)buf_head(&text), buf_len(&text),
	    JSON_REJECT_DUPLICATES, &why);
	if (all == NULL)
		err_set(err, ERR_INTERNAL, "openapi.json: %s", why.text);
done:
	buf_fini(&text);
	return (all);
}

/* The first server of a document, or of a path: "${mount}${path}". */
static int
set_server(json_t *of, const char *mount, const char *path)
{
	json_t *server = json_array_get(json_object_get(of, "servers"), 0);
	char url[512];

	(void)snprintf(url, sizeof(url), "%s%s", mount, path);
	return (json_object_set_new(server, "url", json_string(url[0] != '\0' ?
	    url : "/")));
}

json_t *
openapi_show(const char *mount, struct err *err)
{
	const char *path;
	json_t *all, *item;
	int rc;

	if ((all = parse(err)) == NULL)
		return (NULL);
	rc = set_server(all, mount, "/api/v1");
	rc |= json_object_set_new(json_object_get(all, "info"), "version",
	    json_string(PACKAGE_VERSION));
	json_object_foreach(json_object_get(all, "paths"), path, item) {
		if (json_object_get(item, "servers") != NULL)
			rc |= set_server(item, mount, "");
	}
	if (rc == 0)
		return (all);
	json_decref(all);
	err_set(err, ERR_NOMEM, "no memory for a description");
	return (NULL);
}
