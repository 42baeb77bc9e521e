#include "store/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/machine.h"

#define MAGIC "mlbuild-lease 1\n"
#define NAME_BYTES 8
#define TEXT_MAX 4096

static char *
gate_path(const char *cache_dir)
{
	return mlb_asprintf("%s/leases/gate", cache_dir);
}

static void
make_dir(const char *cache_dir)
{
	char *dir = mlb_asprintf("%s/leases", cache_dir);

	if (mlb_fs_mkdirs(dir, NULL) == 0)
		mlb_fs_share(dir);
	free(dir);
}

/* The gate's file; made where it is not there and can be. -1 and errno. */
static int
open_gate(const char *cache_dir)
{
	char *path = gate_path(cache_dir);
	int e, fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT) {
		make_dir(cache_dir);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
		mlb_fs_share(path);
	}
	if (fd < 0 && (errno == EACCES || errno == EROFS))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	e = errno;
	free(path);
	errno = e;
	return fd;
}

static int
wait_for(int fd, int how)
{
	while (flock(fd, how) != 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

/* ---------------------------------------------------------- one's own */

static bool
write_lease(int fd, const char *who)
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), MAGIC "%" PRId64 "\n%.*s\n", mlb_clock_wall(),
			 (int)MLB_MIN(strcspn(who, "\n"), sizeof(text) / 2), who);

	return n > 0 && write(fd, text, (size_t)n) == n;
}

/* A file of our own, held before the gate lets anyone look. */
static void
make_file(struct mlb_lease *l, const char *cache_dir, const char *who)
{
	uint8_t bytes[NAME_BYTES];
	char name[2 * NAME_BYTES + 1];

	if (mlb_machine_random(bytes, sizeof(bytes), NULL) != 0)
		return;
	mlb_hex_encode(name, bytes, sizeof(bytes));
	l->path = mlb_asprintf("%s/leases/%s", cache_dir, name);
	l->fd = open(l->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (l->fd >= 0 && flock(l->fd, LOCK_EX | LOCK_NB) == 0 && write_lease(l->fd, who)) {
		mlb_fs_share(l->path);
		return;
	}
	if (l->fd >= 0) {
		unlink(l->path);
		close(l->fd);
	}
	free(l->path);
	*l = (struct mlb_lease)MLB_LEASE_INIT;
}

void
mlb_lease_begin(struct mlb_lease *l, const char *cache_dir, const char *who)
{
	int gate = open_gate(cache_dir);

	*l = (struct mlb_lease)MLB_LEASE_INIT;
	if (gate < 0 || wait_for(gate, LOCK_SH) != 0) {
		if (gate >= 0)
			close(gate);
		return;
	}
	make_file(l, cache_dir, who);
	if (l->fd < 0)
		l->fd = gate;
	else
		close(gate);
}

void
mlb_lease_end(struct mlb_lease *l)
{
	if (l->path)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	*l = (struct mlb_lease)MLB_LEASE_INIT;
}

/* ---------------------------------------------------------- others' */

static bool
is_lease(const char *name)
{
	uint8_t bytes[NAME_BYTES];

	return strlen(name) == (size_t)2 * NAME_BYTES && mlb_hex_decode(bytes, name, NAME_BYTES);
}

/* What a lease says of itself; of one that says nothing only that it is there. */
static void
read_lease(struct mlb_lease_info *out, int fd)
{
	char text[TEXT_MAX + 1];
	ssize_t n = pread(fd, text, TEXT_MAX, 0);
	char *line, *end;

	text[n > 0 ? n : 0] = '\0';
	if (strncmp(text, MAGIC, strlen(MAGIC)) != 0) {
		out->who = mlb_strdup("");
		return;
	}
	out->started = strtoll(text + strlen(MAGIC), &end, 10);
	line = *end == '\n' ? end + 1 : end;
	out->who = mlb_strndup(line, strcspn(line, "\n"));
}

static void
look_at(struct mlb_leases *alive, const char *dir, const char *name)
{
	struct mlb_lease_info info = { .name = NULL };
	char *path = mlb_asprintf("%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);

	if (fd < 0 && errno == EACCES)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		unlink(path); /* its process is gone */
	} else if (fd >= 0 || errno != ENOENT) {
		info.name = mlb_strdup(name);
		if (fd >= 0)
			read_lease(&info, fd);
		else
			info.who = mlb_strdup("");
		mlb_vec_push(alive, info);
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

void
mlb_leases_release(struct mlb_leases *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].who);
	}
	mlb_vec_release(l);
}

static int
list_alive(struct mlb_leases *alive, const char *cache_dir, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/leases", cache_dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_list(&list, dir, err);

	for (size_t i = 0; i < list.n && rc == 0; i++)
		if (is_lease(list.v[i].name))
			look_at(alive, dir, list.v[i].name);
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

int
mlb_gate_close(struct mlb_lock *gate, struct mlb_leases *alive, const char *cache_dir,
	       unsigned seconds, struct mlb_err *err)
{
	bool got;
	int rc, fd = open_gate(cache_dir);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot make leases in '%s'", cache_dir);
	/* New ones that hold it shared may keep us out for ever: there is an end to waiting. */
	rc = mlb_lock_wait_fd(gate, fd, true, -1, (int)seconds * 1000, &got, err);
	if (rc)
		return mlb_err_wrap(err, "leases in '%s'", cache_dir);
	if (!got)
		return mlb_err_set(err, MLB_ESYSTEM,
				   "a process that cannot write to '%s' reads from it: "
				   "nothing is removed, try again when it has ended",
				   cache_dir);
	return list_alive(alive, cache_dir, err);
}

int
mlb_gate_hold(struct mlb_lock *gate, const char *cache_dir, struct mlb_err *err)
{
	int fd = open_gate(cache_dir);

	if (fd < 0 || wait_for(fd, LOCK_SH) != 0) {
		int e = errno;

		if (fd >= 0)
			close(fd);
		return mlb_err_errno(err, e, "cannot make leases in '%s'", cache_dir);
	}
	gate->fd = fd;
	return 0;
}

void
mlb_gate_open(struct mlb_lock *gate)
{
	if (gate->fd >= 0)
		close(gate->fd);
	gate->fd = -1;
}
