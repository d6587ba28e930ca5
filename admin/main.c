#include <signal.h>

#include "command.h"

int
main(int argc, char **argv)
{

	/* A file that may not grow further is an error like others. */
	(void)signal(SIGXFSZ, SIG_IGN);
	return (command_main(argc, argv));
}
