#ifndef ADMIN_TRIAL_H_
#define ADMIN_TRIAL_H_

#include <curl/curl.h>
#include <stdbool.h>

struct buf;
struct probe_result;
struct probe_watch;

/**
 * trial_perform(curl, stream, watch, answer, result):
 * Perform what ${curl} is set up for, and tell ${watch} how it goes.
 * ${stream}: a stream of events is asked for, whose text is told as it comes;
 * what is wrong with it, an error event or an early end, goes to
 * ${result}->message.  ${answer} keeps the beginning of what came.
 */
CURLcode trial_perform(CURL *curl, bool stream,
    const struct probe_watch *watch, struct buf *answer,
    struct probe_result *result);

#endif /* !ADMIN_TRIAL_H_ */
