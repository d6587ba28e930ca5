#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "relay/sse.h"

#include "member.h"
#include "probe.h"

#include "trial.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

/* Who looks on may leave; that is noticed so soon. */
#define LOOK_MS		200

/* Data of one event, and all of the text that is told. */
#define EVENT_BYTES	(64 * 1024)
#define TEXT_BYTES	(16 * 1024)

#define STEPS		5

struct trial {
	CURL *curl;
	const struct probe_watch *watch;
	struct buf *answer;
	struct probe_result *result;
	struct sse *sse;	/* NULL: no stream is asked for */
	bool told[STEPS];
	size_t text_bytes;
	bool whole;		/* the stream came to its end */
};

/* ---- steps ---- */

static void
say_address(const struct trial *t, char *out, size_t size)
{
	char *ip = NULL;
	long port = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_PRIMARY_IP, &ip);
	(void)curl_easy_getinfo(t->curl, CURLINFO_PRIMARY_PORT, &port);
	(void)snprintf(out, size, "%s port %ld", ip != NULL ? ip : "?", port);
}

static void
say_status(const struct trial *t, char *out, size_t size)
{
	long status = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)snprintf(out, size, "status %ld", status);
}

/* In the order in which they come; one that does not, as there is no TLS, is
 * left out. */
static const struct {
	const char *name;
	CURLINFO after_us;
	void (*say)(const struct trial *t, char *out, size_t size);
} steps[] = {
	{ "resolve", CURLINFO_NAMELOOKUP_TIME_T, NULL },
	{ "connect", CURLINFO_CONNECT_TIME_T, say_address },
	{ "tls", CURLINFO_APPCONNECT_TIME_T, NULL },
	{ "sent", CURLINFO_PRETRANSFER_TIME_T, NULL },
	{ "first_byte", CURLINFO_STARTTRANSFER_TIME_T, say_status },
};
_Static_assert(NITEMS(steps) == STEPS, "one flag each");

static void
tell_steps(struct trial *t)
{
	char text[128];
	curl_off_t us;
	size_t i;

	for (i = 0; i < STEPS; i++) {
		us = 0;
		if (t->told[i] || curl_easy_getinfo(t->curl,
		    steps[i].after_us, &us) != CURLE_OK || us <= 0)
			continue;
		text[0] = '\0';
		if (steps[i].say != NULL)
			steps[i].say(t, text, sizeof(text));
		t->told[i] = true;
		t->watch->step(t->watch->arg, steps[i].name,
		    (int64_t)us / 1000, text);
		if (steps[i].after_us == CURLINFO_STARTTRANSFER_TIME_T)
			t->result->first_byte_ms = (int64_t)us / 1000;
	}
}

/* ---- the stream ---- */

static void
take_error(struct trial *t, const json_t *error)
{

	(void)snprintf(t->result->message, sizeof(t->result->message),
	    "%.40s: %.200s", text_of(error, "type"), text_of(error,
	    "message"));
}

static void
take_event(struct trial *t, const struct sse_event *ev)
{
	json_t *j = json_loadb(ev->data, ev->data_len, 0, NULL);
	const char *type = text_of(j, "type"), *text;

	text = text_of(json_object_get(j, "delta"), "text");
	if (strcmp(type, "message_stop") == 0)
		t->whole = true;
	else if (strcmp(type, "error") == 0)
		take_error(t, json_object_get(j, "error"));
	else if (strcmp(type, "content_block_delta") == 0 &&
	    text[0] != '\0' && t->text_bytes < TEXT_BYTES) {
		t->text_bytes += strlen(text);
		t->watch->text(t->watch->arg, text);
	}
	json_decref(j);
}

static void
read_events(struct trial *t, const char *p, size_t n)
{
	struct sse_event ev;
	size_t used;

	while (n > 0 && sse_push(t->sse, p, n, &used, &ev) == 1) {
		if (!ev.comment_only)
			take_event(t, &ev);
		p += used;
		n -= used;
	}
}

/* Of the answer only the beginning is kept. */
static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct trial *t = arg;

	(void)size;
	tell_steps(t);
	if (buf_len(t->answer) + n <= t->answer->max &&
	    buf_append(t->answer, p, n) == -1)
		return (0);
	if (t->sse != NULL)
		read_events(t, p, n);
	return (n);
}

/* ---- all of it ---- */

static CURLcode
result_of(CURLM *m)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(m, &left)) != NULL) {
		if (msg->msg == CURLMSG_DONE)
			return (msg->data.result);
	}
	return (CURLE_ABORTED_BY_CALLBACK);
}

static CURLcode
go(struct trial *t, CURLM *m)
{
	int running = 1;

	if (curl_multi_add_handle(m, t->curl) != CURLM_OK)
		return (CURLE_OUT_OF_MEMORY);
	while (curl_multi_perform(m, &running) == CURLM_OK) {
		tell_steps(t);
		if (running == 0 || t->watch->stops(t->watch->arg) ||
		    curl_multi_poll(m, NULL, 0, LOOK_MS, NULL) != CURLM_OK)
			break;
	}
	return (result_of(m));
}

static void
judge_end(struct trial *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->sse != NULL && status >= 200 && status <= 299 && !t->whole &&
	    t->result->message[0] == '\0')
		(void)snprintf(t->result->message,
		    sizeof(t->result->message), "the answer is no stream of "
		    "events that came to its end");
}

CURLcode
trial_perform(CURL *curl, bool stream, const struct probe_watch *watch,
    struct buf *answer, struct probe_result *result)
{
	struct trial t = {
		.curl = curl,
		.watch = watch,
		.answer = answer,
		.result = result,
	};
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	CURLM *m = curl_multi_init();

	if (m == NULL || (stream &&
	    (t.sse = sse_new(EVENT_BYTES)) == NULL) ||
	    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) ||
	    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &t))
		goto done;
	if ((rc = go(&t, m)) == CURLE_OK)
		judge_end(&t);
	(void)curl_multi_remove_handle(m, curl);
done:
	sse_free(t.sse);
	if (m != NULL)
		(void)curl_multi_cleanup(m);
	return (rc);
}
