#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/err.h"

/* Print the settings as a list for leasehold.conf(5). */
int
main(void)
{
	struct err err = { .code = ERR_NONE };

	if (conf_write_table(stdout, "mdoc", &err) == 0)
		return (EXIT_SUCCESS);
	fprintf(stderr, "settings: %s\n", err.text);
	return (EXIT_FAILURE);
}
