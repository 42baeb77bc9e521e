/*
 * What the machine can do, for tests/bench/store.py to compare with:
 *
 *	probe create DIR FILES PER_DIR SIZE   files of SIZE bytes, by open, write, close
 *	probe walk DIR                        lstat of everything below, on two threads
 *	probe read DIR                        open, read and hash everything below, on two threads
 *	probe hash FILE                       SHA-256 by libcrypto, one thread
 *	probe write FILE BYTES                one file, written and synced
 *
 * Prints the seconds that it took. A benchmark's helper: any failure ends it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
/* The plain functions, as mlbuild has them: EVP costs more than hashing a small file. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK (1 << 20)

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
create(const char *dir, long files, long per_dir, size_t size)
{
	char *data = calloc(1, size + 1), path[4096];

	for (long i = 0; i < files; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%04ld", dir, i / per_dir);
		if (i % per_dir == 0 && mkdir(path, 0777) != 0)
			err(1, "%s", path);
		snprintf(path, sizeof(path), "%s/%04ld/%07ld.bin", dir, i / per_dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
			err(1, "%s", path);
	}
	free(data);
}

/* The directories right below the one that is walked, shared out among the threads. */
struct walk {
	char **dir;
	size_t n;
	atomic_size_t next;
	atomic_size_t files;
	int read; /* and not only lstat */
};

static void
read_file(int at, const char *name)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	static _Thread_local char data[BLOCK];
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	SHA256_CTX h;
	ssize_t n;

	if (fd < 0)
		err(1, "%s", name);
	SHA256_Init(&h);
	while ((n = read(fd, data, sizeof(data))) > 0)
		SHA256_Update(&h, data, (size_t)n);
	SHA256_Final(digest, &h);
	close(fd);
}

static void
walk_dir(struct walk *w, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	if (!stream)
		err(1, "%s", name);
	while ((e = readdir(stream))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			err(1, "%s", e->d_name);
		if (S_ISDIR(st.st_mode)) {
			walk_dir(w, fd, e->d_name);
			continue;
		}
		if (w->read)
			read_file(fd, e->d_name);
		atomic_fetch_add(&w->files, 1);
	}
	closedir(stream);
}

static void *
walk_some(void *arg)
{
	struct walk *w = arg;
	size_t i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->n)
		walk_dir(w, AT_FDCWD, w->dir[i]);
	return NULL;
}

static void
walk(const char *top, int read)
{
	struct walk w = { .read = read };
	DIR *stream = opendir(top);
	pthread_t other;
	struct dirent *e;

	if (!stream)
		err(1, "%s", top);
	while ((e = readdir(stream))) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
		w.dir = realloc(w.dir, (w.n + 1) * sizeof(*w.dir));
		w.dir[w.n++] = strdup(path);
	}
	closedir(stream);
	if (pthread_create(&other, NULL, walk_some, &w) != 0)
		errx(1, "cannot start a thread");
	walk_some(&w);
	pthread_join(other, NULL);
	for (size_t i = 0; i < w.n; i++)
		free(w.dir[i]);
	free(w.dir);
}

static void
hash(const char *path)
{
	EVP_MD_CTX *h = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *data = malloc(BLOCK);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 || EVP_DigestInit_ex(h, EVP_sha256(), NULL) != 1)
		err(1, "%s", path);
	while ((n = read(fd, data, BLOCK)) > 0)
		EVP_DigestUpdate(h, data, (size_t)n);
	EVP_DigestFinal_ex(h, digest, NULL);
	EVP_MD_CTX_free(h);
	close(fd);
	free(data);
}

static void
write_one(const char *path, long long bytes)
{
	char *data = calloc(1, BLOCK);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		err(1, "%s", path);
	for (; bytes > 0; bytes -= BLOCK)
		if (write(fd, data, BLOCK) != BLOCK)
			err(1, "%s", path);
	if (fsync(fd) != 0 || close(fd) != 0)
		err(1, "%s", path);
	free(data);
}

int
main(int argc, char **argv)
{
	double began = now();

	if (argc == 6 && strcmp(argv[1], "create") == 0)
		create(argv[2], atol(argv[3]), atol(argv[4]), (size_t)atol(argv[5]));
	else if (argc == 3 && strcmp(argv[1], "walk") == 0)
		walk(argv[2], 0);
	else if (argc == 3 && strcmp(argv[1], "read") == 0)
		walk(argv[2], 1);
	else if (argc == 3 && strcmp(argv[1], "hash") == 0)
		hash(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "write") == 0)
		write_one(argv[2], atoll(argv[3]));
	else
		errx(2, "what? see the comment at the top of probe.c");
	printf("%.6f\n", now() - began);
	return 0;
}
