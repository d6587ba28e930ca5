#include <stdio.h>
#include <stdlib.h>

#include "metrics/metrics.h"

static const char *const kinds[] = {
	[METRIC_COUNTER] = "counter",
	[METRIC_GAUGE] = "gauge",
	[METRIC_HISTOGRAM] = "histogram",
};

/* Print the metrics as a list for leasehold-api(7). */
int
main(void)
{
	const struct metric_info *m;
	unsigned int i, j;

	puts(".Bl -tag -width Ds");
	for (i = 1; i < NMETRICS; i++) {
		m = metric_info((enum metric)i);
		printf(".It Li %s\n(%s", m->name, kinds[m->kind]);
		for (j = 0; j < METRIC_LABELS &&
		    m->labels[j].domain != DOMAIN_NONE; j++)
			printf("%s%s", j == 0 ? "; by " : ", ",
			    m->labels[j].name);
		printf(")\n%s\n", m->help);
	}
	puts(".El");
	return (ferror(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}
