#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "store/store.h"

#include "tries.h"

#define SUBJECT_SIZE	160
#define SUBJECTS_MAX	2

/* What tries are counted for. */
struct subject {
	char text[SUBJECT_SIZE];
	int64_t free;
	int64_t pause_max_ms;
};

static void
name_subject(struct subject *s, const char *name)
{

	(void)snprintf(s->text, sizeof(s->text), "name:%s", name);
	s->free = TRIES_FREE;
	s->pause_max_ms = TRIES_PAUSE_MAX_MS;
}

/* Whoever has one address of a /64 has all of them.  ${what} is tried. */
static void
address_subject(struct subject *s, const char *what, const char *address)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	if (inet_pton(AF_INET6, address, &in6) == 1 &&
	    !IN6_IS_ADDR_V4MAPPED(&in6)) {
		memset(in6.s6_addr + 8, 0, 8);
		if (inet_ntop(AF_INET6, &in6, text, sizeof(text)) != NULL)
			address = text;
	}
	(void)snprintf(s->text, sizeof(s->text), "%s:%s", what, address);
	s->free = TRIES_FREE_ADDRESS;
	s->pause_max_ms = TRIES_PAUSE_MAX_ADDRESS_MS;
}

static int64_t
pause_ms(const struct subject *s, int64_t tries)
{
	int64_t ms = TRIES_PAUSE_MS;

	if (tries < s->free)
		return (0);
	for (tries -= s->free; tries > 0 && ms < s->pause_max_ms; tries--)
		ms *= 2;
	return (ms < s->pause_max_ms ? ms : s->pause_max_ms);
}

/* Inside a transaction: *wait_ms grows if this one may not go on yet. */
static int
look(struct store *st, const struct subject *s, int64_t now_ms,
    int64_t *tries, int64_t *wait_ms, struct err *err)
{
	const struct store_value subject = store_text(s->text);
	int64_t row[3];

	if (store_exec(st, STMT_TRY_OPEN, &subject, 1, 1, NULL, err) ||
	    store_one(st, STMT_TRY_READ, &subject, 1, row, 3, err) == -1)
		return (-1);
	*tries = now_ms - row[1] > TRIES_MEMORY_MS ? 0 : row[0];
	if (row[2] - now_ms > *wait_ms)
		*wait_ms = row[2] - now_ms;
	return (0);
}

static int
count(struct store *st, const struct subject *s, int64_t tries,
    int64_t now_ms, struct err *err)
{
	const struct store_value row[] = {
		store_int(tries + 1), store_int(now_ms),
		store_int(now_ms + pause_ms(s, tries + 1)),
		store_text(s->text),
	};

	return (store_exec(st, STMT_TRY_COUNT, row, 1, 4, NULL, err));
}

static int
take_inside(struct store *st, const struct subject *subjects, size_t n,
    int64_t *wait_ms, struct err *err)
{
	const int64_t now_ms = store_now_ms(st);
	const struct store_value old = store_int(now_ms - TRIES_MEMORY_MS);
	int64_t tries[SUBJECTS_MAX];
	size_t i;

	if (store_exec(st, STMT_TRY_PRUNE, &old, 1, 1, NULL, err))
		return (-1);
	for (i = 0; i < n; i++) {
		if (look(st, &subjects[i], now_ms, &tries[i], wait_ms, err))
			return (-1);
	}
	/* One that has to wait does not lengthen the pause. */
	for (i = 0; *wait_ms == 0 && i < n; i++) {
		if (count(st, &subjects[i], tries[i], now_ms, err))
			return (-1);
	}
	return (0);
}

int
tries_take(struct store *st, const char *name, const char *address,
    int64_t *wait_ms, struct err *err)
{
	struct subject subjects[SUBJECTS_MAX];

	*wait_ms = 0;

	/* In one order, whoever takes them: addresses first. */
	address_subject(&subjects[0], "address", address);
	name_subject(&subjects[1], name);
	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, take_inside(st, subjects, 2, wait_ms, err),
	    err));
}

static int
take_address(struct store *st, const char *what, const char *address,
    int64_t *wait_ms, struct err *err)
{
	struct subject s;

	*wait_ms = 0;
	address_subject(&s, what, address);
	if (store_begin(st, true, err))
		return (-1);
	return (store_end(st, take_inside(st, &s, 1, wait_ms, err), err));
}

int
tries_take_key(struct store *st, const char *address, int64_t *wait_ms,
    struct err *err)
{

	return (take_address(st, "key", address, wait_ms, err));
}

int
tries_take_register(struct store *st, const char *address, int64_t *wait_ms,
    struct err *err)
{

	return (take_address(st, "register", address, wait_ms, err));
}

int
tries_wait_key(struct store *st, const char *address, int64_t *wait_ms,
    struct err *err)
{
	struct store_value subject;
	struct subject s;
	int64_t row[3] = { 0 };

	address_subject(&s, "key", address);
	subject = store_text(s.text);
	if (store_one(st, STMT_TRY_READ, &subject, 1, row, 3, err) == -1)
		return (-1);
	*wait_ms = row[2] - store_now_ms(st);
	if (*wait_ms < 0)
		*wait_ms = 0;
	return (0);
}

int
tries_forget(struct store *st, const char *name, const char *address,
    struct err *err)
{
	struct subject subjects[2];
	struct store_value params[2];

	address_subject(&subjects[0], "address", address);
	name_subject(&subjects[1], name);
	params[0] = store_text(subjects[0].text);
	params[1] = store_text(subjects[1].text);
	if (store_exec(st, STMT_TRY_TAKE_BACK, &params[0], 1, 1, NULL, err))
		return (-1);
	return (store_exec(st, STMT_TRY_FORGET, &params[1], 1, 1, NULL, err));
}
