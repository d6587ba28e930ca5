#include <fastcgi.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http/record.h"

/* Three names of at most 15 bytes, each with a number of at most 20. */
#define VALUES_BYTES	128

/* Write a record's head at ${p}; what follows it. */
static unsigned char *
put_head(unsigned char *p, uint8_t type, uint16_t id, size_t len)
{

	p[0] = FCGI_VERSION_1;
	p[1] = type;
	p[2] = (unsigned char)(id >> 8);
	p[3] = (unsigned char)id;
	p[4] = (unsigned char)(len >> 8);
	p[5] = (unsigned char)len;
	p[6] = 0;
	p[7] = 0;
	return (p + FCGI_HEADER_LEN);
}

int
record_put_stdout(struct buf *out, uint16_t id, const void *src, size_t n)
{
	const unsigned char *s = src;
	unsigned char *p;
	size_t records, total, len;

	if (n == 0)
		return (0);
	if (n > out->max)
		return (-1);
	records = (n + FCGI_MAX_LENGTH - 1) / FCGI_MAX_LENGTH;
	total = n + records * FCGI_HEADER_LEN;
	if ((p = buf_reserve(out, total)) == NULL)
		return (-1);
	for (; n > 0; n -= len, s += len) {
		len = n > FCGI_MAX_LENGTH ? FCGI_MAX_LENGTH : n;
		p = put_head(p, FCGI_STDOUT, id, len);
		memcpy(p, s, len);
		p += len;
	}
	buf_commit(out, total);
	return (0);
}

int
record_extend_stdout(struct buf *out, size_t len, const void *p, size_t n)
{
	unsigned char *head;

	if (n > FCGI_MAX_LENGTH - len || buf_append(out, p, n))
		return (-1);
	len += n;
	head = buf_head(out) + buf_len(out) - len - FCGI_HEADER_LEN;
	head[4] = (unsigned char)(len >> 8);
	head[5] = (unsigned char)len;
	return (0);
}

int
record_put_end(struct buf *out, uint16_t id, uint32_t app_status,
    uint8_t protocol_status)
{
	unsigned char *p;
	size_t total = sizeof(FCGI_EndRequestRecord);
	bool served = protocol_status == FCGI_REQUEST_COMPLETE;

	if (served)
		total += FCGI_HEADER_LEN;
	if ((p = buf_reserve(out, total)) == NULL)
		return (-1);
	if (served)
		p = put_head(p, FCGI_STDOUT, id, 0);
	p = put_head(p, FCGI_END_REQUEST, id, sizeof(FCGI_EndRequestBody));
	memset(p, 0, sizeof(FCGI_EndRequestBody));
	p[0] = (unsigned char)(app_status >> 24);
	p[1] = (unsigned char)(app_status >> 16);
	p[2] = (unsigned char)(app_status >> 8);
	p[3] = (unsigned char)app_status;
	p[4] = protocol_status;
	buf_commit(out, total);
	return (0);
}

/* The bytes of the pairs that were asked for, at most all three. */
static size_t
format_values(unsigned int asked, int64_t conns_max, unsigned char *p)
{
	const struct {
		const char *name;
		int64_t value;
	} values[] = {
		{ FCGI_MAX_CONNS, conns_max },
		{ FCGI_MAX_REQS, conns_max },
		{ FCGI_MPXS_CONNS, 0 }
	};
	unsigned char *start = p;
	char text[24];
	size_t i, name_len, len;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if ((asked & 1u << i) == 0)
			continue;
		len = (size_t)snprintf(text, sizeof(text), "%" PRId64,
		    values[i].value);
		name_len = strlen(values[i].name);
		*p++ = (unsigned char)name_len;
		*p++ = (unsigned char)len;
		memcpy(p, values[i].name, name_len);
		memcpy(p + name_len, text, len);
		p += name_len + len;
	}
	return ((size_t)(p - start));
}

int
record_put_values_result(struct buf *out, unsigned int asked,
    int64_t conns_max)
{
	unsigned char pairs[VALUES_BYTES];
	unsigned char *p;
	size_t len;

	len = format_values(asked, conns_max, pairs);
	if ((p = buf_reserve(out, FCGI_HEADER_LEN + len)) == NULL)
		return (-1);
	p = put_head(p, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, len);
	memcpy(p, pairs, len);
	buf_commit(out, FCGI_HEADER_LEN + len);
	return (0);
}

int
record_put_unknown_type(struct buf *out, uint8_t type)
{
	unsigned char *p;

	if ((p = buf_reserve(out, sizeof(FCGI_UnknownTypeRecord))) == NULL)
		return (-1);
	p = put_head(p, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID,
	    sizeof(FCGI_UnknownTypeBody));
	memset(p, 0, sizeof(FCGI_UnknownTypeBody));
	p[0] = type;
	buf_commit(out, sizeof(FCGI_UnknownTypeRecord));
	return (0);
}

int
record_put_last(struct buf *out, uint16_t id)
{
	unsigned char *p;

	if ((p = buf_reserve(out, FCGI_HEADER_LEN)) == NULL)
		return (-1);
	(void)put_head(p, FCGI_STDOUT, id, 0);
	buf_commit(out, FCGI_HEADER_LEN);
	return (0);
}

int
record_put_broken(struct buf *out)
{
	unsigned char *p;

	if ((p = buf_reserve(out, FCGI_HEADER_LEN)) == NULL)
		return (-1);
	memset(p, 0xff, FCGI_HEADER_LEN);
	buf_commit(out, FCGI_HEADER_LEN);
	return (0);
}
