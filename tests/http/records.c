#include "cmocka_all.h"

#include <fastcgi.h>
#include <string.h>

#include "http/records.h"

static void
put(struct buf *b, const void *p, size_t n)
{

	assert_int_equal(buf_append(b, p, n), 0);
}

void
rec_put(struct buf *b, uint8_t type, uint16_t id, const void *p, size_t n,
    uint8_t padding)
{
	unsigned char zeros[256] = { 0 };
	unsigned char head[8] = { 1, type, (unsigned char)(id >> 8),
		(unsigned char)id, (unsigned char)(n >> 8), (unsigned char)n,
		padding, 0 };

	put(b, head, sizeof(head));
	put(b, p, n);
	put(b, zeros, padding);
}

void
rec_begin(struct buf *b, uint16_t id, uint16_t role, uint8_t flags)
{
	unsigned char body[8] = { (unsigned char)(role >> 8),
		(unsigned char)role, flags };

	rec_put(b, FCGI_BEGIN_REQUEST, id, body, sizeof(body), 0);
}

static void
put_length(struct buf *b, size_t n)
{
	unsigned char four[4] = { (unsigned char)(0x80 | n >> 24),
		(unsigned char)(n >> 16), (unsigned char)(n >> 8),
		(unsigned char)n };

	if (n < 128)
		put(b, &four[3], 1);
	else
		put(b, four, 4);
}

void
rec_pair(struct buf *b, const char *name, const char *value)
{

	put_length(b, strlen(name));
	put_length(b, strlen(value));
	put(b, name, strlen(name));
	put(b, value, strlen(value));
}

void
rec_params(struct buf *b, uint16_t id, const char *const *pairs)
{
	struct buf all;

	buf_init(&all, 65535);
	for (; pairs[0] != NULL; pairs += 2)
		rec_pair(&all, pairs[0], pairs[1]);
	rec_put(b, FCGI_PARAMS, id, buf_head(&all), buf_len(&all), 5);
	rec_put(b, FCGI_PARAMS, id, "", 0, 0);
	buf_fini(&all);
}

void
rec_stdin(struct buf *b, uint16_t id, const char *text)
{

	rec_put(b, FCGI_STDIN, id, text, strlen(text), 3);
}

void
rec_post(struct buf *b, uint16_t id, uint8_t flags, const char *uri,
    const char *length, const char *body)
{
	const char *pairs[] = { "REQUEST_METHOD", "POST", "REQUEST_URI", uri,
		length == NULL ? NULL : "CONTENT_LENGTH", length, NULL };

	rec_begin(b, id, FCGI_RESPONDER, flags);
	rec_params(b, id, pairs);
	if (*body != '\0')
		rec_stdin(b, id, body);
	rec_stdin(b, id, "");
}
