#include <stddef.h>
#include <string.h>

#include "who.h"

static const char *const words[] = {
	[ROLE_NONE] = "none",
	[ROLE_USER] = "user",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

const char *
role_word(enum role role)
{

	return (words[role]);
}

bool
role_parse(const char *word, enum role *role)
{

	for (*role = ROLE_USER; *role < ROLES; (*role)++) {
		if (strcmp(words[*role], word) == 0)
			return (true);
	}
	return (false);
}

int
role_take(void *arg, const struct store_value *cols, size_t ncols)
{

	(void)ncols;
	if (!role_parse(store_get_text(&cols[0]), arg))
		*(enum role *)arg = ROLE_NONE;
	return (1);
}
