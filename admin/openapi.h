#ifndef ADMIN_OPENAPI_H_
#define ADMIN_OPENAPI_H_

#include <jansson.h>

struct err;

/** The lines of openapi.json, without their indentation; NULL ends them. */
extern const char *const openapi_lines[];

/**
 * openapi_show(mount, err):
 * The description of all routes (OpenAPI 3.1, openapi.json) as they stand
 * under ${mount}.  NULL with ${err}.
 */
json_t *openapi_show(const char *mount, struct err *err);

#endif /* !ADMIN_OPENAPI_H_ */
