#include "log_file.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static struct log_file *
make(void **state)
{
	struct log_file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_log.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/log", f->dir);
	snprintf(f->old, sizeof(f->old), "%s.1", f->path);
	snprintf(f->target, sizeof(f->target), "file:%s", f->path);
	clock_fake_init(&f->clock, INT64_C(1795159758123));
	*state = f;
	return (f);
}

int
log_file_setup(void **state)
{
	struct log_file *f = make(state);

	f->log = log_open(f->target, LOG_LEVEL_INFO, &f->clock.clock, NULL);
	return (f->log == NULL ? -1 : 0);
}

int
log_file_setup_json(void **state)
{
	struct log_file *f = make(state);

	f->log = log_open_json(f->target, &f->clock.clock, NULL);
	return (f->log == NULL ? -1 : 0);
}

int
log_file_teardown(void **state)
{
	struct log_file *f = *state;

	log_close(f->log);
	unlink(f->path);
	unlink(f->old);
	rmdir(f->dir);
	free(f->text);
	free(f);
	return (0);
}

const char *
log_file_read(struct log_file *f, const char *path)
{
	struct stat st;
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	free(f->text);
	f->text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(f->text);
	assert_int_equal(fread(f->text, 1, (size_t)st.st_size, in), st.st_size);
	fclose(in);
	return (f->text);
}

const char *
log_file_result(struct log_file *f)
{

	log_close(f->log);
	f->log = NULL;
	return (log_file_read(f, f->path));
}

bool
log_file_appears(struct log_file *f, const char *path, const char *what)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (access(path, R_OK) == 0 &&
		    strstr(log_file_read(f, path), what) != NULL)
			return (true);
		usleep(10000);
	}
	return (false);
}
