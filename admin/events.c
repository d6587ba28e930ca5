#include <errno.h>
#include <fastcgi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "http/record.h"
#include "store/store.h"

#include "event_state.h"
#include "gate.h"

#include "events.h"

/* How often it is looked at what is due. */
#define TICK_MS		1000
#define STATE_MS	2000
#define PING_MS		15000
#define CHECK_MS	5000
#define SLOW_MS		30000

/* What one listener has not yet taken: two states of a large pool. */
#define OUT_BYTES	(8 * 1024 * 1024)

/* A browser whose connection broke comes again after so long. */
#define HELLO		"retry: 3000\n\n"
#define PING		": ping\n\n"
#define SIGNED_OUT	"event: end\ndata: {\"reason\":\"signed out\"}\n\n"

struct listener {
	struct events *events;
	TAILQ_ENTRY(listener) entry;
	int fd;
	uint16_t id;
	struct who who;
	struct loop_watch watch;
	struct buf out;
	bool behind;		/* the state changed since out was filled */
	bool ending;
	int64_t check_ms;	/* monotonic, as the others */
	int64_t sent_ms;	/* when something was last put into out */
	int64_t taken_ms;	/* when some of out was last taken */
};

TAILQ_HEAD(listener_list, listener);

struct events {
	struct events_params params;
	pthread_t thread;
	bool over;		/* atomic; set by events_drain */
	struct loop *loop;
	struct loop_wake *wake;
	pthread_mutex_t lock;	/* guards the next four */
	int64_t holders[EVENTS_MAX];	/* of places, see holder_of */
	int64_t taken;		/* places, the first of these */
	struct listener_list new;
	bool stopping;

	/* the thread's own */
	struct listener_list list;
	struct loop_timer timer;
	struct event_state *state;
	struct store *store;	/* NULL: not connected */
	int64_t retry_ms;	/* NULL: when to connect again */
	int64_t read_ms;	/* when the state was last read */
	bool told;		/* that the database is away */
	bool done;
};

static void on_tick(struct loop_timer *t);

/* Whose a place is: a person's, whatever they came by, or a token's. */
static int64_t
holder_of(const struct who *who)
{

	return (who->person_id != 0 ? who->person_id : -who->token_id);
}

bool
events_reserve(struct events *ev, const struct who *who)
{
	const int64_t holder = holder_of(who);
	int64_t i, own = 0;
	bool has;

	if (__atomic_load_n(&ev->over, __ATOMIC_ACQUIRE))
		return (false);
	(void)pthread_mutex_lock(&ev->lock);
	for (i = 0; i < ev->taken; i++)
		own += ev->holders[i] == holder;
	has = ev->taken < ev->params.max && own < ev->params.max_each;
	if (has)
		ev->holders[ev->taken++] = holder;
	(void)pthread_mutex_unlock(&ev->lock);
	return (has);
}

void
events_release(struct events *ev, const struct who *who)
{
	const int64_t holder = holder_of(who);
	int64_t i;

	(void)pthread_mutex_lock(&ev->lock);
	for (i = 0; i < ev->taken && ev->holders[i] != holder; i++)
		continue;
	if (i < ev->taken)
		ev->holders[i] = ev->holders[--ev->taken];
	(void)pthread_mutex_unlock(&ev->lock);
}

/* ---- one listener ---- */

static void
drop(struct listener *l)
{
	struct events *ev = l->events;

	TAILQ_REMOVE(&ev->list, l, entry);
	loop_watch_del(&l->watch);
	(void)close(l->fd);
	buf_fini(&l->out);
	events_release(ev, &l->who);
	free(l);
}

/* Write what can be written.  false: the connection is of no use. */
static bool
flush(struct listener *l)
{
	ssize_t n;

	while (buf_len(&l->out) > 0) {
		n = send(l->fd, buf_head(&l->out), buf_len(&l->out),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
			return (false);
		if (n == -1)
			break;
		buf_consume(&l->out, (size_t)n);
		l->taken_ms = loop_now_ms(l->events->loop);
	}
	if (buf_len(&l->out) == 0)
		buf_fini(&l->out);
	loop_watch_set(&l->watch, LOOP_READ | LOOP_HUP |
	    (buf_len(&l->out) > 0 ? LOOP_WRITE : 0));
	return (true);
}

/* Put an event's text into out, which is empty where it may be large. */
static bool
put(struct listener *l, const char *text)
{

	l->sent_ms = loop_now_ms(l->events->loop);
	if (buf_len(&l->out) == 0)
		l->taken_ms = l->sent_ms;
	return (record_put_stdout(&l->out, l->id, text, strlen(text)) == 0);
}

static bool
put_state(struct listener *l)
{
	const char *text = event_state_text(l->events->state);

	l->behind = false;
	return (text == NULL || (put(l, "event: status\ndata: ") &&
	    put(l, text) && put(l, "\n\n")));
}

/* Tell what is to be told, if all before it was taken.  It may be gone
 * afterwards. */
static void
go_on(struct listener *l)
{
	bool good = flush(l);

	if (good && l->behind && !l->ending && buf_len(&l->out) == 0)
		good = put_state(l) && flush(l);
	if (!good || (l->ending && buf_len(&l->out) == 0))
		drop(l);
}

/* ${last}: of what is told before the end; NULL: nothing. */
static void
end(struct listener *l, const char *last)
{

	l->ending = true;
	if ((last != NULL && !put(l, last)) || record_put_end(&l->out, l->id,
	    0, FCGI_REQUEST_COMPLETE))
		drop(l);
	else
		go_on(l);
}

/* A web server has nothing to say but that the listener left. */
static void
on_ready(struct loop_watch *w, uint32_t events)
{
	struct listener *l = w->arg;

	if (events & (LOOP_READ | LOOP_HUP))
		drop(l);
	else
		go_on(l);
}

/* ---- the state ---- */

static void
disconnect(struct events *ev)
{

	if (ev->store != NULL)
		store_close(ev->store);
	ev->store = NULL;
}

/* The database is away: listeners keep what they were told. */
static void
failed(struct events *ev, const struct err *err)
{

	if (!ev->told)
		log_note(ev->params.log, LOG_LEVEL_WARN, "admin", "events",
		    err);
	ev->told = true;
	ev->retry_ms = loop_now_ms(ev->loop) + ev->params.state_ms;
	disconnect(ev);
}

/* Once in a while alone, as each try may take long. */
static bool
is_connected(struct events *ev)
{
	const struct store_options opt = {
		.read_only = true,
		.busy_timeout_ms = ev->params.busy_timeout_ms,
	};
	struct err err = { .code = ERR_NONE };

	if (ev->store != NULL)
		return (true);
	if (loop_now_ms(ev->loop) < ev->retry_ms)
		return (false);
	if ((ev->store = store_open(ev->params.store_url, &opt, &err)) != NULL
	    && store_prepare(ev->store, &err) == 0)
		return (true);
	failed(ev, &err);
	return (false);
}

/* 1: the state changed. */
static int
read_state(struct events *ev)
{
	struct err err = { .code = ERR_NONE };
	int rc;

	ev->read_ms = loop_now_ms(ev->loop);
	if (!is_connected(ev))
		return (-1);
	if ((rc = event_state_read(ev->state, ev->store, &err)) == -1)
		failed(ev, &err);
	else
		ev->told = false;
	return (rc);
}

static void
tell_all(struct events *ev)
{
	struct listener *l, *next;

	for (l = TAILQ_FIRST(&ev->list); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		l->behind = true;
		go_on(l);
	}
}

static void
read_and_tell(struct events *ev)
{

	if (read_state(ev) == 1)
		tell_all(ev);
}

/* ---- what is due ---- */

/* Also while it cannot be told. */
static bool
may_listen(struct events *ev, struct listener *l)
{
	struct err err = { .code = ERR_NONE };
	int rc;

	if (!is_connected(ev))
		return (true);
	rc = gate_still_open(ev->store, &ev->params.life, &l->who, &err);
	if (rc == -1)
		failed(ev, &err);
	return (rc == -1 || (rc == 1 && l->who.role >= ROLE_OPERATOR));
}

static void
look_at(struct events *ev, struct listener *l, int64_t now_ms)
{

	if (buf_len(&l->out) > 0 &&
	    now_ms - l->taken_ms >= ev->params.slow_ms) {
		drop(l);
		return;
	}
	if (l->ending)
		return;
	if (now_ms >= l->check_ms) {
		l->check_ms = now_ms + ev->params.check_ms;
		if (!may_listen(ev, l)) {
			end(l, SIGNED_OUT);
			return;
		}
	}
	if (now_ms - l->sent_ms < ev->params.ping_ms ||
	    buf_len(&l->out) > 0)
		return;
	if (put(l, PING))
		go_on(l);
	else
		drop(l);
}

static void
set_timer(struct events *ev)
{
	int64_t ms = ev->params.state_ms < TICK_MS ? ev->params.state_ms :
	    TICK_MS;

	if (ev->timer.loop == NULL && !ev->done && loop_timer_set(ev->loop,
	    &ev->timer, loop_now_ms(ev->loop) + ms, on_tick, ev) == -1)
		ev->done = true;
}

static void
on_tick(struct loop_timer *t)
{
	struct events *ev = t->arg;
	const int64_t now_ms = loop_now_ms(ev->loop);
	struct listener *l, *next;

	for (l = TAILQ_FIRST(&ev->list); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		look_at(ev, l, now_ms);
	}
	if (TAILQ_EMPTY(&ev->list)) {
		disconnect(ev);
		return;
	}
	if (now_ms - ev->read_ms >= ev->params.state_ms)
		read_and_tell(ev);
	set_timer(ev);
}

/* ---- newcomers, and the end ---- */

static void
welcome(struct events *ev, struct listener *l)
{
	const int64_t now_ms = loop_now_ms(ev->loop);

	TAILQ_INSERT_TAIL(&ev->list, l, entry);
	l->check_ms = now_ms + ev->params.check_ms;
	l->behind = true;
	if (loop_watch_add(ev->loop, &l->watch, l->fd, LOOP_READ | LOOP_HUP,
	    on_ready, l, NULL) || !put(l, HELLO))
		drop(l);
	else
		go_on(l);
}

static void
end_all(struct events *ev)
{
	struct listener *l, *next;

	for (l = TAILQ_FIRST(&ev->list); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!l->ending)
			end(l, NULL);
	}

	/* Whoever has not taken all by now sees a connection that broke. */
	while ((l = TAILQ_FIRST(&ev->list)) != NULL)
		drop(l);
}

/* What other threads asked for. */
static void
on_wake(void *arg)
{
	struct events *ev = arg;
	struct listener_list new = TAILQ_HEAD_INITIALIZER(new);
	struct listener *l;

	(void)pthread_mutex_lock(&ev->lock);
	TAILQ_CONCAT(&new, &ev->new, entry);
	ev->done = ev->done || ev->stopping;
	(void)pthread_mutex_unlock(&ev->lock);

	/* Who comes first is told what is, not what was. */
	if (!TAILQ_EMPTY(&new) && TAILQ_EMPTY(&ev->list) &&
	    loop_now_ms(ev->loop) - ev->read_ms >= ev->params.state_ms)
		(void)read_state(ev);
	while ((l = TAILQ_FIRST(&new)) != NULL) {
		TAILQ_REMOVE(&new, l, entry);
		welcome(ev, l);
	}
	if (__atomic_load_n(&ev->over, __ATOMIC_ACQUIRE))
		end_all(ev);
	if (!TAILQ_EMPTY(&ev->list))
		set_timer(ev);
}

static void *
serve(void *arg)
{
	struct events *ev = arg;
	struct err err = { .code = ERR_NONE };

	while (!ev->done && loop_turn(ev->loop, -1, &err) == 0)
		continue;
	if (err.code != ERR_NONE)
		log_note(ev->params.log, LOG_LEVEL_ERROR, "admin", "events",
		    &err);
	__atomic_store_n(&ev->over, true, __ATOMIC_RELEASE);
	end_all(ev);
	loop_timer_cancel(&ev->timer);
	disconnect(ev);
	return (NULL);
}

void
events_take(struct events *ev, int fd, uint16_t id, const struct who *who)
{
	struct listener *l;

	if ((l = calloc(1, sizeof(*l))) == NULL) {
		(void)close(fd);
		events_release(ev, who);
		return;
	}
	l->events = ev;
	l->fd = fd;
	l->id = id;
	l->who = *who;
	buf_init(&l->out, OUT_BYTES);
	(void)pthread_mutex_lock(&ev->lock);
	TAILQ_INSERT_TAIL(&ev->new, l, entry);
	(void)pthread_mutex_unlock(&ev->lock);
	loop_wake_post(ev->wake);
}

void
events_drain(struct events *ev)
{

	__atomic_store_n(&ev->over, true, __ATOMIC_RELEASE);
	loop_wake_post(ev->wake);
}

/* ---- start and stop ---- */

static void
set_usual(int64_t *value, int64_t usual)
{

	if (*value == 0)
		*value = usual;
}

static void
events_free(struct events *ev)
{

	loop_wake_free(ev->wake);
	loop_free(ev->loop);
	event_state_free(ev->state);
	(void)pthread_mutex_destroy(&ev->lock);
	free(ev);
}

struct events *
events_start(const struct events_params *params, struct err *err)
{
	struct events *ev;
	int rc;

	if ((ev = calloc(1, sizeof(*ev))) == NULL) {
		err_set(err, ERR_NOMEM, "no memory for events");
		return (NULL);
	}
	ev->params = *params;
	set_usual(&ev->params.max, EVENTS_MAX);
	set_usual(&ev->params.max_each, EVENTS_MAX_EACH);
	set_usual(&ev->params.state_ms, STATE_MS);
	set_usual(&ev->params.ping_ms, PING_MS);
	set_usual(&ev->params.check_ms, CHECK_MS);
	set_usual(&ev->params.slow_ms, SLOW_MS);
	ev->read_ms = -ev->params.state_ms;
	TAILQ_INIT(&ev->list);
	TAILQ_INIT(&ev->new);
	(void)pthread_mutex_init(&ev->lock, NULL);
	if ((ev->state = event_state_new()) == NULL)
		err_set(err, ERR_NOMEM, "no memory for events");
	if (ev->state == NULL ||
	    (ev->loop = loop_new(clock_system(), err)) == NULL ||
	    (ev->wake = loop_wake_new(ev->loop, on_wake, ev, err)) == NULL)
		goto err0;
	if ((rc = pthread_create(&ev->thread, NULL, serve, ev)) != 0) {
		err_set_errno(err, ERR_NOMEM, rc, "cannot start a thread");
		goto err0;
	}
	return (ev);

err0:
	events_free(ev);
	return (NULL);
}

void
events_stop(struct events *ev)
{

	if (ev == NULL)
		return;
	(void)pthread_mutex_lock(&ev->lock);
	ev->stopping = true;
	(void)pthread_mutex_unlock(&ev->lock);
	events_drain(ev);
	(void)pthread_join(ev->thread, NULL);
	events_free(ev);
}
