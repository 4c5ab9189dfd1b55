/*
 * replay.c - the seeds of a fuzz target through its door, without a fuzzer: what is in the corpus never harms anybody, and no target rots
 * between two days on which somebody fuzzes.
 *
 * usage: TARGET_replay FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX (1u << 20) /* the largest is far below */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own size, so that a sanitizer sees who reads past its end. */
static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* The seed, and what is left of it when it was cut short: half of it, all but its last byte. */
static int
replay(const char *folder, const char *name)
{
	static uint8_t seed[SEED_MAX];
	char path[4096];
	size_t size;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "rb")) == NULL) {
		perror(path);
		return 1;
	}
	size = fread(seed, 1, sizeof(seed), f);
	(void)fclose(f);
	if (size == sizeof(seed)) {
		(void)fprintf(stderr, "%s: too large for a seed\n", path);
		return 1;
	}
	(void)printf("%s\n", name); /* the last one is who harmed */
	(void)fflush(stdout);
	feed(seed, size);
	feed(seed, size / 2);
	feed(seed, size > 0 ? size - 1 : 0);
	return 0;
}

int
main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *e;
	unsigned n = 0, bad = 0;

	if (d == NULL) {
		(void)fprintf(stderr, "usage: TARGET_replay FOLDER\n");
		return 64;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		bad += (unsigned)replay(argv[1], e->d_name);
	}
	(void)closedir(d);
	if (n == 0)
		(void)fprintf(stderr, "%s: no seeds\n", argv[1]);
	return bad > 0 || n == 0;
}
