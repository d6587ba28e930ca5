#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "upstream_run.h"

struct fixture *
fixture_new(const char *ca_file)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct upstream_params params = { .ca_file = ca_file,
	    .connections_max = 16 };

	assert_non_null(x);
	signal(SIGPIPE, SIG_IGN);
	x->loop = loop_new(clock_system(), NULL);
	assert_non_null(x->loop);
	params.loop = x->loop;
	x->u = upstream_new(&params, NULL);
	assert_non_null(x->u);
	x->f = fake_start();
	return (x);
}

void
fixture_free(struct fixture *x)
{

	upstream_free(x->u);
	fake_stop(x->f);
	loop_free(x->loop);
	free(x);
}

int
run_setup(void **state)
{

	*state = fixture_new("");
	return (0);
}

int
run_teardown(void **state)
{

	fixture_free(*state);
	return (0);
}

void
run_cancel(struct run *r)
{
	struct run *victim = r->other != NULL ? r->other : r;

	r->cancelled_at = clock_mono_us();
	transfer_cancel(victim->t);
	victim->t = NULL;
}

static void
on_head(void *arg, int status, const struct transfer_header *h, size_t nh)
{
	struct run *r = arg;

	assert_non_null(r->t);
	r->heads++;
	r->status = status;
	r->h = h;
	r->nh = nh;
	if (r->cancel == AT_HEAD)
		run_cancel(r);
}

static bool
on_body(void *arg, const unsigned char *p, size_t n)
{
	struct run *r = arg;
	size_t i;

	assert_non_null(r->t);
	if (r->refuse) {
		r->refused++;
		return (false);
	}
	for (i = 0; i < n && r->bytes + i < sizeof(r->body) - 1; i++)
		r->body[r->bytes + i] = (char)p[i];
	r->bytes += n;
	if (r->cancel == AT_BODY)
		run_cancel(r);
	return (true);
}

static void
on_done(void *arg, enum transfer_result result, const struct err *why)
{
	struct run *r = arg;

	assert_non_null(r->t);
	r->dones++;
	r->result = result;
	r->why = *why;
	transfer_timings(r->t, &r->tm);
	assert_true(transfer_body_sent(r->t));
	if (r->cancel == AT_DONE)
		run_cancel(r);
}

static const struct transfer_events events = { on_head, on_body, on_done };

void
run_init(struct run *r, struct fixture *x, const char *path)
{

	memset(r, 0, sizeof(*r));
	r->x = x;
	snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%d%s",
	    fake_port(x->f), path);
	r->p.method = "GET";
	r->p.url = r->url;
	r->p.connect_timeout_ms = 10000;
	r->p.first_byte_timeout_ms = 5000;
	r->p.events = &events;
	r->p.arg = r;
}

void
run_start(struct run *r)
{
	struct err err = { 0 };

	r->t = transfer_start(r->x->u, &r->p, &err);
	if (r->t == NULL)
		fail_msg("cannot start: %s", err.text);
}

void
run_turn(struct fixture *x, int ms)
{
	struct err err = { 0 };

	if (loop_turn(x->loop, ms, &err))
		fail_msg("the loop failed: %s", err.text);
}

void
run_until(struct fixture *x, const int *flag)
{
	int64_t end = clock_mono_us() + 8000000;

	while (*flag == 0 && clock_mono_us() < end)
		run_turn(x, 20);
}

void
run_end(struct run *r)
{

	run_until(r->x, &r->dones);
	assert_int_equal(r->dones, 1);
}

void
run_free(struct run *r)
{

	transfer_free(r->t);
	r->t = NULL;
}

void
run_get(struct run *r, struct fixture *x, const char *path)
{

	run_init(r, x, path);
	run_start(r);
	run_end(r);
}

const char *
run_header(const struct run *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nh; i++) {
		if (strcmp(r->h[i].name, name) == 0)
			return (r->h[i].value);
	}
	return (NULL);
}
