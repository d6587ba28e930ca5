/*
 * Replays a corpus through a fuzzer where libFuzzer is not there.
 *
 *	fuzz_NAME [FILE | FOLDER]...
 *
 * Without arguments it is the folder NAME of the corpus in the source tree.
 * Each input lies in memory of exactly its size, so that a sanitizer or
 * valgrind sees a read beyond its end.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path, size_t size)
{
	uint8_t *data;
	FILE *f;

	if ((f = fopen(path, "rb")) == NULL) {
		perror(path);
		goto err0;
	}
	if ((data = malloc(size == 0 ? 1 : size)) == NULL)
		goto err1;
	if (fread(data, 1, size, f) != size) {
		perror(path);
		goto err2;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	fclose(f);
	return (1);

err2:
	free(data);
err1:
	fclose(f);
err0:
	return (-1);
}

/* Replay a file, or each file of a folder; how many, or -1. */
static int
replay(const char *path)
{
	char sub[PATH_MAX];
	struct dirent *e;
	struct stat st;
	int n, sum = 0;
	DIR *dir;

	if (stat(path, &st)) {
		perror(path);
		return (-1);
	}
	if (!S_ISDIR(st.st_mode))
		return (replay_file(path, (size_t)st.st_size));
	if ((dir = opendir(path)) == NULL) {
		perror(path);
		return (-1);
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(sub, sizeof(sub), "%s/%s", path,
			e->d_name) >= sizeof(sub) || (n = replay(sub)) == -1) {
			sum = -1;
			break;
		}
		sum += n;
	}
	closedir(dir);
	return (sum);
}

int
main(int argc, char *argv[])
{
	char path[PATH_MAX];
	const char *name;
	int i, n, sum = 0;

	if (argc < 2) {
		if ((name = strstr(argv[0], "fuzz_")) == NULL)
			return (1);
		(void)snprintf(path, sizeof(path), CORPUS_DIR "/%s",
		    name + strlen("fuzz_"));
		sum = replay(path);
	}
	for (i = 1; i < argc && sum != -1; i++)
		sum = (n = replay(argv[i])) == -1 ? -1 : sum + n;
	if (sum <= 0) {
		fprintf(stderr, "%s: no corpus\n", argv[0]);
		return (1);
	}
	printf("%s: %d inputs\n", argv[0], sum);
	return (0);
}
