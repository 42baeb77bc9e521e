/*
 * This runs in a signal handler (point 1 of the header): no allocation, no stdio, no
 * opendir. /proc is listed by getdents64, and its files are read into one buffer.
 */
#include "os/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
	MOST = 32768,           /* processes that are looked at */
	MAX_FILE = 2 * 1048576, /* of an environment: what is behind that is not seen */
	MAX_LIST = 65536,       /* of a directory at a time */
	MAX_ROUNDS = 20,        /* who is forked while we look is found in the next one */
};

/* A process of the machine. */
struct mlb_kin {
	pid_t pid, parent;
	uint64_t start; /* clock ticks after boot: with it the number is nobody else's */
	char state;
	bool ours;
};

struct entry { /* of getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

void
mlb_family_init(struct mlb_family *f)
{
	const char *own = getenv("MLBUILD_JOB");

	f->all = mlb_calloc(MOST, sizeof(*f->all));
	f->stopped = mlb_calloc(MOST, sizeof(*f->stopped));
	f->text = mlb_calloc(1, MAX_FILE);
	f->own = own ? mlb_asprintf("MLBUILD_JOB=%s", own) : mlb_strdup("");
	f->n_stopped = 0;
}

void
mlb_family_release(struct mlb_family *f)
{
	free(f->all);
	free(f->stopped);
	free(f->text);
	free(f->own);
	memset(f, 0, sizeof(*f));
}

/* ---------------------------------------------------------- /proc, without stdio */

/* "/proc/PID/FILE" */
static void
proc_path(char path[64], pid_t pid, const char *file)
{
	static const char dir[] = "/proc/";
	char digit[16];
	size_t n = 0, at = sizeof(dir) - 1;
	unsigned v = (unsigned)pid;

	memcpy(path, dir, at);
	do
		digit[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		path[at++] = digit[--n];
	path[at++] = '/';
	memcpy(path + at, file, strlen(file) + 1);
}

/* Bytes read, and a NUL behind them; 0 if there are none. */
static size_t
read_proc(char *text, size_t size, pid_t pid, const char *file)
{
	char path[64];
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	proc_path(path, pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (len + 1 < size &&
	       ((n = read(fd, text + len, size - 1 - len)) > 0 || (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	close(fd);
	text[len] = '\0';
	return len;
}

static uint64_t
number(const char *s)
{
	uint64_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	return n;
}

/* Behind the name, which is in parentheses and may hold some: state, parent; the start is 18 fields on (proc(5)). */
static bool
read_stat(struct mlb_kin *k, pid_t pid)
{
	char text[1024];
	const char *at;
	unsigned left = 18;

	if (!read_proc(text, sizeof(text), pid, "stat") || !(at = strrchr(text, ')')) ||
	    at[1] != ' ' || !at[2] || at[3] != ' ')
		return false;
	*k = (struct mlb_kin){ .pid = pid, .parent = (pid_t)number(at + 4), .state = at[2] };
	for (at += 4; *at && left; at++)
		left -= *at == ' ';
	k->start = number(at);
	return true;
}

/* Of a job, and not of the one that we ourselves run in. */
static bool
carries_job(const struct mlb_family *f, pid_t pid)
{
	static const char name[] = "MLBUILD_JOB=";
	size_t len = read_proc(f->text, MAX_FILE, pid, "environ");

	for (const char *p = f->text; p < f->text + len; p += strlen(p) + 1)
		if (strncmp(p, name, sizeof(name) - 1) == 0)
			return strcmp(p, f->own) != 0;
	return false;
}

static unsigned
list_all(struct mlb_family *f)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned n = 0;
	long len;

	if (fd < 0)
		return 0;
	while ((len = syscall(SYS_getdents64, fd, f->text, MAX_LIST)) > 0)
		for (long at = 0; at < len && n < MOST;) {
			struct entry e;

			memcpy(&e, f->text + at, offsetof(struct entry, name));
			n += read_stat(&f->all[n],
				       (pid_t)number(f->text + at + offsetof(struct entry, name)));
			at += e.len;
		}
	close(fd);
	return n;
}

/* ---------------------------------------------------------- who belongs to us */

static bool
is_leader(pid_t pid, const atomic_int *leader, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (atomic_load(&leader[i]) == pid)
			return true;
	return false;
}

static bool
is_ours(const struct mlb_family *f, unsigned n, pid_t pid)
{
	for (unsigned i = 0; i < n; i++)
		if (f->all[i].pid == pid)
			return f->all[i].ours;
	return false;
}

/* The leaders, orphans of theirs, and their descendants, generation by generation. */
static void
mark(struct mlb_family *f, unsigned n, const atomic_int *leader, unsigned n_leaders)
{
	pid_t self = getpid();
	bool more = true;

	for (unsigned i = 0; i < n; i++)
		f->all[i].ours = f->all[i].parent == self &&
				 (is_leader(f->all[i].pid, leader, n_leaders) ||
				  carries_job(f, f->all[i].pid));
	while (more) {
		more = false;
		for (unsigned i = 0; i < n; i++) {
			if (f->all[i].ours || f->all[i].parent <= 1 || f->all[i].parent == self ||
			    !is_ours(f, n, f->all[i].parent))
				continue;
			f->all[i].ours = more = true;
		}
	}
}

static bool
was_stopped(const struct mlb_family *f, const struct mlb_kin *k)
{
	for (unsigned i = 0; i < f->n_stopped; i++)
		if (f->stopped[i].pid == k->pid && f->stopped[i].start == k->start)
			return true;
	return false;
}

/* One round: did it find any that still ran? */
static bool
stop_once(struct mlb_family *f, const atomic_int *leader, unsigned n_leaders)
{
	unsigned n = list_all(f);
	bool found = false;

	mark(f, n, leader, n_leaders);
	for (unsigned i = 0; i < n; i++) {
		const struct mlb_kin *k = &f->all[i];

		if (!k->ours || strchr("ZXTt", k->state) || was_stopped(f, k) ||
		    f->n_stopped == MOST)
			continue;
		if (kill(k->pid, SIGSTOP) == 0) {
			f->stopped[f->n_stopped++] = *k;
			found = true;
		}
	}
	return found;
}

void
mlb_family_stop(struct mlb_family *f, const atomic_int *leader, unsigned n)
{
	f->n_stopped = 0;
	for (int round = 0; round < MAX_ROUNDS && stop_once(f, leader, n); round++)
		;
}

/*
 * Whatever the state is by now: who waits in vfork(2) for a child that was stopped stops
 * only when that goes on.
 */
void
mlb_family_continue(struct mlb_family *f)
{
	for (unsigned i = 0; i < f->n_stopped; i++) {
		struct mlb_kin k;

		if (read_stat(&k, f->stopped[i].pid) && k.start == f->stopped[i].start)
			kill(k.pid, SIGCONT);
	}
	f->n_stopped = 0;
}
