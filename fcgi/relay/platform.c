#include <stdlib.h>
#include <string.h>

#include "relay/platform.h"
#include "relay/platform_claude.h"

static const struct platform platforms[] = {
	{
		.name = "claude",
		.request = platform_claude_request,
		.pass_header = platform_claude_pass_header,
	},
	{
		.name = "claude_console",
		.request = platform_claude_request,
		.pass_header = platform_claude_pass_header,
	},
};

const struct platform *
platform_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		if (strcmp(platforms[i].name, name) == 0)
			return (&platforms[i]);
	}
	return (NULL);
}

void
outgoing_init(struct outgoing *o)
{

	memset(o, 0, sizeof(*o));
	buf_init(&o->text, SIZE_MAX);
}

void
outgoing_fini(struct outgoing *o)
{

	buf_wipe(&o->text);
	free(o->headers);
	outgoing_init(o);
}
