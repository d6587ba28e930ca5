#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/options.h"

static void
usage(FILE *out, const char *name, const char *what)
{

	fprintf(out, "usage: %s [--config FILE]\n\n", name);
	fprintf(out, "The %s of Leasehold.  It expects a listening socket\n",
	    what);
	fputs("as standard input, as spawn-fcgi gives it.\n"
	    "\n"
	    "  -c, --config FILE  settings (default: $LEASEHOLD_CONFIG, or\n",
	    out);
	fprintf(out, "                     %s)\n", conf_default_path());
	fputs("  -h, --help         this text\n"
	    "  -V, --version      the version\n"
	    "\n"
	    "SIGTERM drains and exits, SIGHUP or SIGUSR2 reads the settings\n"
	    "again and opens the log anew.\n", out);
}

int
options_read(const char *name, const char *what, int argc, char **argv,
    const char **conf_path)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	*conf_path = NULL;
	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			*conf_path = optarg;
			break;
		case 'h':
			usage(stdout, name, what);
			return (EXIT_SUCCESS);
		case 'V':
			printf("%s " PACKAGE_VERSION "\n", name);
			return (EXIT_SUCCESS);
		default:
			usage(stderr, name, what);
			return (2);
		}
	}
	if (optind == argc)
		return (-1);
	usage(stderr, name, what);
	return (2);
}
