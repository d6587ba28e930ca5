#include <stddef.h>
#include <string.h>

#include "base/log_json.h"
#include "http/access_line.h"

enum kind {
	TEXT,
	NUMBER,
	TOKENS		/* a number that counts where usage was metered */
};

#define FIELD(n)	.name = #n, .offset = offsetof(struct access_line, n)

/* As they stand in a line, behind its time. */
static const struct {
	const char *name;
	size_t offset;
	enum kind kind;
} fields[] = {
	{ FIELD(request_id), TEXT },
	{ FIELD(responder), TEXT },
	{ FIELD(method), TEXT },
	{ FIELD(route), TEXT },
	{ FIELD(bytes), NUMBER },
	{ FIELD(request_bytes), NUMBER },
	{ FIELD(duration_ms), NUMBER },
	{ FIELD(first_byte_ms), NUMBER },
	{ FIELD(queue_ms), NUMBER },
	{ FIELD(key), TEXT },
	{ FIELD(key_id), NUMBER },
	{ FIELD(user), TEXT },
	{ FIELD(group), TEXT },
	{ FIELD(account), TEXT },
	{ FIELD(model), TEXT },
	{ FIELD(sent_as), TEXT },
	{ FIELD(input_tokens), TOKENS },
	{ FIELD(output_tokens), TOKENS },
	{ FIELD(cache_read_tokens), TOKENS },
	{ FIELD(cache_write_5m_tokens), TOKENS },
	{ FIELD(cache_write_1h_tokens), TOKENS },
	{ FIELD(cost_nusd), NUMBER },
	{ FIELD(outcome), TEXT },
	{ FIELD(attempts), NUMBER },
	{ FIELD(client), TEXT },
	{ FIELD(agent), TEXT },
	{ FIELD(trace_id), TEXT },
};

#define NFIELDS	(sizeof(fields) / sizeof(fields[0]))

void
access_line_init(struct access_line *a, const char *responder)
{

	memset(a, 0, sizeof(*a));
	a->responder = responder;
	a->bytes = a->request_bytes = a->duration_ms = a->first_byte_ms =
	    a->queue_ms = a->key_id = a->cost_nusd = a->attempts = -1;
}

static void
put(struct log_json *l, const struct access_line *a, size_t i)
{
	const void *p = (const char *)a + fields[i].offset;
	int64_t n;

	if (fields[i].kind == TEXT) {
		log_json_str(l, fields[i].name, *(const char *const *)p);
		return;
	}
	if (fields[i].kind == TOKENS && !a->metered)
		return;
	if ((n = *(const int64_t *)p) >= 0)
		log_json_int(l, fields[i].name, n);
}

void
access_line_write(struct log *log, const struct access_line *a)
{
	struct log_json l;
	size_t i;

	if (log == NULL)
		return;
	log_json_begin(&l, log);
	log_json_int(&l, "status", a->status);
	if (a->stream)
		log_json_bool(&l, "stream", true);
	for (i = 0; i < NFIELDS; i++)
		put(&l, a, i);
	log_json_end(&l);
}
