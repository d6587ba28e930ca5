#include <string.h>

#include "doctor.h"
#include "events.h"
#include "openapi.h"
#include "queue.h"
#include "status.h"

#include "api.h"

/* When there may be a place again, s. */
#define EVENTS_RETRY_S	30

json_t *
api_status(struct api_call *c, struct err *err)
{

	return (status_get(c->store, err));
}

json_t *
api_openapi(struct api_call *c, struct err *err)
{

	return (openapi_show(c->settings->mount, err));
}

json_t *
api_workers(struct api_call *c, struct err *err)
{

	return (status_workers(c->store, err));
}

json_t *
api_doctor(struct api_call *c, struct err *err)
{
	json_t *answer;

	if (api_begin_long(c))
		return (NULL);
	answer = doctor_inside(c->settings->conf_path, err);
	api_end_long(c);
	return (answer);
}

json_t *
api_queue(struct api_call *c, struct err *err)
{

	return (queue_status(c->store, err));
}

json_t *
api_events(struct api_call *c, struct err *err)
{

	(void)err;
	if (strcmp(c->http->method, "HEAD") == 0)
		return (api_done(c));
	if (c->settings->events == NULL)
		return (api_refuse(c, 404, "there are no events here"));
	if (!events_reserve(c->settings->events, &c->who)) {
		c->retry_after_s = EVENTS_RETRY_S;
		return (api_refuse(c, 429, "as many listen as can, or as one "
		    "may"));
	}
	c->listens = true;
	return (api_done(c));
}
