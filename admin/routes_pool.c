#include "queue.h"
#include "status.h"

#include "api.h"

json_t *
api_status(struct api_call *c, struct err *err)
{

	return (status_get(c->store, err));
}

json_t *
api_workers(struct api_call *c, struct err *err)
{

	return (status_workers(c->store, err));
}

json_t *
api_queue(struct api_call *c, struct err *err)
{

	return (queue_status(c->store, err));
}
