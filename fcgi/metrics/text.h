#ifndef METRICS_TEXT_H_
#define METRICS_TEXT_H_

struct buf;
struct slot_sums;

/**
 * metrics_text(sums, out):
 * All metrics as Prometheus reads them (text format 0.0.4), sorted as the table
 * has them; a counter without labels is there from the beginning, with 0.
 * ${sums} is sorted.  0, or -1 if ${out} has no room.
 */
int metrics_text(const struct slot_sums *sums, struct buf *out)
    __attribute__((__warn_unused_result__));

#endif /* !METRICS_TEXT_H_ */
