#ifndef ADMIN_MEMBER_H_
#define ADMIN_MEMBER_H_

#include <jansson.h>
#include <stdint.h>

/**
 * text_of(object, name), int_of(object, name):
 * Borrow a text, or read an integer, of a JSON object whose shape is known;
 * "" and 0 where it has none of that name and kind.
 */
static inline const char *
text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return (s != NULL ? s : "");
}

static inline int64_t
int_of(const json_t *object, const char *name)
{

	return (json_integer_value(json_object_get(object, name)));
}

#endif /* !ADMIN_MEMBER_H_ */
