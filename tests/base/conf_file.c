#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_file.h"

int
conf_file_setup(void **state)
{
	struct conf_file *f = calloc(1, sizeof(*f));
	int fd;

	if (f == NULL)
		return (-1);
	strcpy(f->path, "/tmp/test_conf.XXXXXX");
	if ((fd = mkstemp(f->path)) == -1)
		return (-1);
	close(fd);
	*state = f;
	return (0);
}

int
conf_file_teardown(void **state)
{
	struct conf_file *f = *state;

	unlink(f->path);
	free(f);
	unsetenv("LEASEHOLD_QUEUE_MAX");
	unsetenv("LEASEHOLD_STORE");
	unsetenv("LEASEHOLD_STORE_FILE");
	unsetenv("LEASEHOLD_CONFIG");
	return (0);
}

void
conf_file_write(struct conf_file *f, const char *text, size_t n)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	err_clear(&f->err);
}

const struct conf_setting *
conf_file_setting(const char *name)
{
	const struct conf_setting *s = conf_find(name);

	if (s == NULL)
		fail_msg("no setting %s", name);
	return (s);
}
