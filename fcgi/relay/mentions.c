#include <string.h>

#include "base/json.h"
#include "relay/mentions.h"

void
mentions_init(struct mentions *m)
{

	m->ask.n = 0;
	m->ask.more = m->ask.unnamed = false;
	splice_init(&m->splice);
}

void
mentions_fini(struct mentions *m)
{

	splice_fini(&m->splice);
}

static bool
has_control(const struct json_value *v)
{
	const unsigned char *text = (const unsigned char *)v->text;
	size_t i;

	for (i = 0; i < v->len; i++)
		if (text[i] < ' ' || text[i] == 0x7f ||
		    /* U+0080 to U+009F */
		    (text[i] == 0xc2 && text[i + 1] < 0xa0))
			return (true);
	return (false);
}

const char *
mentions_fault(const struct json_value *v)
{

	if (v->kind == JSON_KIND_NONE)
		return ("is missing");
	if (v->kind != JSON_KIND_STRING)
		return ("is not a string");
	if (v->full_len == 0)
		return ("is empty");
	if (v->full_len > v->len)
		return ("is too long");
	if (!json_is_utf8(v->text, v->len))
		return ("is not valid UTF-8");
	if (has_control(v))
		return ("holds a control character");
	return (NULL);
}

int
mentions_add(struct mentions *m, const struct json_value *v, struct err *err)
{
	int name = model_ask_add(&m->ask, v->text, v->len);

	return (name < 0 ? 0 : splice_add(&m->splice, v->start, v->end,
	    (size_t)name, v->full_len, err));
}
