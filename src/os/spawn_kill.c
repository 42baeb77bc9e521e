/*
 * Finding and ending what a job left behind.
 *
 * A process that left the group (setsid, a daemon) is found by the MLBUILD_JOB
 * that it inherited. When its parent dies it becomes a child of ours, because we
 * are a subreaper; so killing orphans until no more turn up ends whole families.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/vec.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/spawn.h"
#include "os/spawn_priv.h"

/* A process that waits for a dead disk cannot be killed: give up on it after this. */
#define PATIENCE_NS UINT64_C(5000000000)
#define FILE_LIMIT (16 * MLB_MIB)
#define EXEC_NS                                                                                    \
	UINT64_C(1000000) /* that a process is waited for which is in the middle of an exec */
#define MAX_UNSURE 50     /* rounds that find nobody and cannot be sure of it */

MLB_VEC_NAMED(pids, pid_t);

static bool
read_proc(struct mlb_buf *out, pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	mlb_buf_clear(out);
	return mlb_fs_read(out, path, NULL) == 0;
}

bool
mlb_proc_read(struct mlb_proc *out, pid_t pid)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_LIMIT);
	unsigned long long start;
	int ppid, pgrp, session;
	const char *end;
	bool ok = false;

	/* The name, in parentheses, may itself hold parentheses and spaces. */
	if (read_proc(&text, pid, "stat") && (end = strrchr(mlb_buf_str(&text), ')')) &&
	    sscanf(end + 1,
		   " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &out->state, &ppid, &pgrp, &session, &start) == 5) {
		out->ppid = ppid;
		out->pgrp = pgrp;
		out->session = session;
		out->start = start;
		ok = true;
	}
	mlb_buf_release(&text);
	return ok;
}

uint64_t
mlb_proc_start(pid_t pid)
{
	struct mlb_proc p;

	return mlb_proc_read(&p, pid) ? p.start : 0;
}

enum carries { CARRIES_NOT, CARRIES_IT, CARRIES_UNKNOWN };

/*
 * A job that is started inside a job has the outer one's id and a slash before
 * its own. In the middle of an exec a process has no environment to be read:
 * then nothing is known of it, and it must be asked again.
 */
static enum carries
carries_job(pid_t pid, const char *id, struct mlb_buf *text)
{
	static const char name[] = "MLBUILD_JOB=";
	size_t n = strlen(id);
	const char *p, *end;

	if (!read_proc(text, pid, "environ"))
		return CARRIES_NOT;
	if (text->len == 0)
		return CARRIES_UNKNOWN;
	end = mlb_buf_str(text) + text->len;
	for (p = mlb_buf_str(text); p < end; p += strlen(p) + 1) {
		if (strncmp(p, name, sizeof(name) - 1) != 0)
			continue;
		p += sizeof(name) - 1;
		return strncmp(p, id, n) == 0 && (p[n] == '\0' || p[n] == '/') ? CARRIES_IT
									       : CARRIES_NOT;
	}
	return CARRIES_NOT;
}

static void
list_all(struct pids *out)
{
	DIR *d = opendir("/proc");

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (isdigit((unsigned char)e->d_name[0]))
			mlb_vec_push(out, (pid_t)strtol(e->d_name, NULL, 10));
	closedir(d);
}

/* A file of numbers; false if it cannot be read. */
static bool
list_from(struct pids *out, struct mlb_buf *text, const char *path)
{
	char *p, *end;

	mlb_buf_clear(text);
	if (mlb_fs_read(text, path, NULL) != 0)
		return false;
	for (p = text->data; p && text->len; p = end) {
		pid_t pid = (pid_t)strtol(p, &end, 10);

		if (end == p)
			break;
		mlb_vec_push(out, pid);
	}
	return true;
}

/*
 * Our children, by the threads' lists of them; false if the kernel keeps none.
 * Orphans come to the first thread, and only the one that builds starts any: where
 * that is the first one too, the others have nobody whom we might look for.
 */
static bool
list_children_fast(struct pids *out, struct mlb_buf *text)
{
	bool ok = true;
	DIR *d;

	if (gettid() == getpid())
		return list_from(out, text, "/proc/thread-self/children");
	d = opendir("/proc/self/task");
	if (!d)
		return false;
	for (struct dirent *e; ok && (e = readdir(d));) {
		char path[300];

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/children", e->d_name);
		/* A thread may have ended meanwhile; the file lacks only with all. */
		if (!list_from(out, text, path))
			ok = mlb_fs_exists("/proc/thread-self/children");
	}
	closedir(d);
	return ok;
}

static void
list_children(struct pids *out, struct mlb_buf *text)
{
	struct mlb_proc p;
	pid_t self = getpid();
	size_t n = 0;

	if (list_children_fast(out, text))
		return;
	out->n = 0;
	list_all(out);
	for (size_t i = 0; i < out->n; i++)
		if (mlb_proc_read(&p, out->v[i]) && p.ppid == self)
			out->v[n++] = out->v[i];
	out->n = n;
}

/* poll(2) on descriptors of processes that are to end, until one has or time is over; closes them. */
static void
wait_for_one(struct pids *fd, uint64_t deadline)
{
	struct pollfd *p = mlb_calloc(fd->n + 1, sizeof(*p));
	uint64_t now = 0;
	int n = -1;

	for (size_t i = 0; i < fd->n; i++)
		p[i] = (struct pollfd){ .fd = fd->v[i], .events = POLLIN };
	while (fd->n && n < 0 && (now = mlb_clock_mono()) < deadline) {
		n = poll(p, (nfds_t)fd->n, (int)((deadline - now) / 1000000) + 1);
		if (n < 0 && errno != EINTR)
			break;
	}
	for (size_t i = 0; i < fd->n; i++)
		close(fd->v[i]);
	fd->n = 0;
	free(p);
}

static void
add_pidfd(struct pids *fd, pid_t pid)
{
	int n = (int)syscall(SYS_pidfd_open, pid, 0);

	if (n >= 0)
		mlb_vec_push(fd, n);
}

/* Wait until it has ended, if it can be waited for. */
static void
wait_for(pid_t pid, uint64_t deadline)
{
	struct pids fd = MLB_VEC_INIT;

	add_pidfd(&fd, pid);
	wait_for_one(&fd, deadline);
	mlb_vec_release(&fd);
}

/* Wait for a child that was killed, but not forever. */
static void
reap(pid_t pid, uint64_t deadline)
{
	wait_for(pid, deadline);
	while (waitpid(pid, NULL, WNOHANG) < 0 && errno == EINTR)
		;
}

/*
 * No event tells that an exec is through, after which a process can be read again: it takes
 * microseconds, or the process ends.
 */
static void
wait_for_exec(struct pids *unsure)
{
	wait_for_one(unsure, mlb_clock_mono() + EXEC_NS);
}

/*
 * An ended orphan has no environment left to tell its job. One that is neither in
 * our session nor leads its group cannot be a child that somebody here started.
 */
static bool
is_dead_orphan(const struct mlb_proc *p, pid_t pid, pid_t group)
{
	if (p->pgrp == group)
		return true;
	return p->session != getsid(0) && p->pgrp != pid;
}

/*
 * One round over our children: how many were alive and have been killed.
 * *again: somebody may have been missed, because his parent ended while we looked
 * or because he was in the middle of an exec; descriptors of the latter are added to unsure.
 */
static int
kill_children(const char *id, pid_t group, struct mlb_buf *text, uint64_t deadline, bool *again,
	      struct pids *unsure)
{
	struct pids child = MLB_VEC_INIT;
	pid_t session = getsid(0);
	int found = 0;

	*again = false;
	list_children(&child, text);
	for (size_t i = 0; i < child.n; i++) {
		pid_t pid = child.v[i];
		enum carries carries;
		struct mlb_proc p;

		/*
		 * The leader is left to mlb_child_reap, which wants its exit status. Who is in
		 * our session and another group is another job's, or will be found by
		 * mlb_spawn_kill_strays: two system calls, where /proc costs twenty.
		 */
		if (pid == group || (getpgid(pid) != group && getsid(pid) == session) ||
		    !mlb_proc_read(&p, pid))
			continue;
		if (p.state == 'Z' || p.state == 'X') {
			if (is_dead_orphan(&p, pid, group)) {
				reap(pid, deadline);
				*again = true;
			}
			continue;
		}
		carries = p.pgrp == group ? CARRIES_IT : carries_job(pid, id, text);
		if (carries == CARRIES_UNKNOWN) {
			*again = true;
			add_pidfd(unsure, pid);
		}
		if (carries != CARRIES_IT)
			continue;
		found++;
		kill(pid, SIGKILL);
		reap(pid, deadline);
	}
	mlb_vec_release(&child);
	*again |= found > 0;
	return found;
}

/* Only then is the leader killed here; what remains of it is mlb_child_reap's. */
static bool
leader_alive(pid_t group)
{
	siginfo_t info = { 0 };

	return group > 1 && waitid(P_PID, (id_t)group, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

int
mlb_spawn_kill_job(const char *id, pid_t group)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_LIMIT);
	uint64_t deadline = mlb_clock_mono() + PATIENCE_NS;
	struct pids unsure = MLB_VEC_INIT;
	bool whole = leader_alive(group), again;
	unsigned rounds = 0;
	int total = whole, found;

	/* First one by one, to count them; the group as a whole leaves nobody time to fork. */
	total += kill_children(id, group, &text, deadline, &again, &unsure);
	/* The leader is dead, so his children are ours: if there are none, nobody is left to have any. */
	if (!whole && !again)
		goto out;
	do {
		if (group > 1)
			kill(-group, SIGKILL);
		found = kill_children(id, group, &text, deadline, &again, &unsure);
		total += found;
		wait_for_exec(&unsure);
		rounds = again && !found ? rounds + 1 : 0;
	} while (again && rounds < MAX_UNSURE && mlb_clock_mono() < deadline);
	if (leader_alive(group))
		wait_for(group, deadline);
	/* Those who died with their leader have come to us only now. */
	if (whole)
		kill_children(id, group, &text, deadline, &again, &unsure);
out:
	wait_for_one(&unsure, 0); /* they are only closed */
	mlb_vec_release(&unsure);
	mlb_buf_release(&text);
	return total;
}

uint64_t
mlb_spawn_ticks(void)
{
	struct timespec t;
	long hz = sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * (uint64_t)hz +
	       (uint64_t)t.tv_nsec * (uint64_t)hz / UINT64_C(1000000000);
}

/*
 * Does it carry a job's id that is not the one we ourselves run in? An empty one says
 * that it is no job's, and may outlive us.
 */
static bool
carries_any_job(pid_t pid, struct mlb_buf *text, bool *marked)
{
	static const char name[] = "MLBUILD_JOB=";
	const char *own = getenv("MLBUILD_JOB");
	const char *p, *end;

	*marked = false;
	if (!read_proc(text, pid, "environ"))
		return false;
	end = mlb_buf_str(text) + text->len;
	for (p = mlb_buf_str(text); p < end; p += strlen(p) + 1)
		if (strncmp(p, name, sizeof(name) - 1) == 0) {
			*marked = true;
			p += sizeof(name) - 1;
			return *p && (!own || strcmp(p, own) != 0);
		}
	return false;
}

/* One round: how many were killed. */
static int
kill_unmarked(uint64_t since, struct mlb_buf *text, uint64_t deadline)
{
	struct pids child = MLB_VEC_INIT;
	int found = 0;

	list_children(&child, text);
	for (size_t i = 0; i < child.n; i++) {
		struct mlb_proc p;
		bool marked;

		if (!mlb_proc_read(&p, child.v[i]) || p.start < since)
			continue;
		/* Without a mark, another session or group tells it from a child that somebody here started. */
		if (!carries_any_job(child.v[i], text, &marked) &&
		    (marked || (p.session == getsid(0) && p.pgrp == getpgrp())))
			continue;
		found++;
		kill(child.v[i], SIGKILL);
		reap(child.v[i], deadline);
	}
	mlb_vec_release(&child);
	return found;
}

int
mlb_spawn_kill_strays(uint64_t since)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_LIMIT);
	uint64_t deadline = mlb_clock_mono() + PATIENCE_NS;
	int total = 0, found;

	do {
		found = kill_unmarked(since, &text, deadline);
		total += found;
	} while (found && mlb_clock_mono() < deadline);
	mlb_buf_release(&text);
	return total;
}

static bool
is_ours(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && st.st_uid == geteuid();
}

/*
 * One round over all processes younger than the job: how many survivors were
 * seen. *again as above: who has vanished may have left a child behind us.
 */
static int
kill_everywhere(const char *id, pid_t group, uint64_t since, struct mlb_buf *text, bool *again,
		struct pids *dying, struct pids *unsure)
{
	struct pids all = MLB_VEC_INIT;
	pid_t self = getpid();
	int found = 0;

	*again = false;

	list_all(&all);
	for (size_t i = 0; i < all.n; i++) {
		pid_t pid = all.v[i];
		enum carries carries;
		struct mlb_proc p;

		if (pid == self || pid <= 1)
			continue;
		if (!mlb_proc_read(&p, pid)) {
			*again = true;
			continue;
		}
		if (p.start < since || p.state == 'Z' || p.state == 'X' || !is_ours(pid) ||
		    p.pgrp == 0)
			continue;
		carries = group && p.pgrp == group ? CARRIES_IT : carries_job(pid, id, text);
		if (carries == CARRIES_UNKNOWN) {
			*again = true;
			add_pidfd(unsure, pid);
		}
		if (carries == CARRIES_IT) {
			found++;
			kill(pid, SIGKILL);
			add_pidfd(dying, pid);
		}
	}
	mlb_vec_release(&all);
	*again |= found > 0;
	return found;
}

int
mlb_spawn_kill_survivors(const char *id, pid_t group, uint64_t start, const char *boot_id)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_LIMIT), boot = MLB_BUF_INIT(FILE_LIMIT);
	uint64_t deadline = mlb_clock_mono() + PATIENCE_NS;
	struct pids dying = MLB_VEC_INIT, unsure = MLB_VEC_INIT;
	int total = 0, found, last = 0;
	unsigned rounds = 0;
	bool again = true;

	/* After a reboot nothing survives, and every number means something else. */
	mlb_machine_boot_id(&boot);
	if (strcmp(mlb_buf_str(&boot), boot_id) != 0)
		goto out;
	/* A group's number is free for others once its leader is gone. */
	if (group <= 1 || start == 0 || mlb_proc_start(group) != start)
		group = 0;
	/* Those killed in one round may be seen dying in the next: they count once. */
	while (again && rounds < MAX_UNSURE && mlb_clock_mono() < deadline) {
		found = kill_everywhere(id, group, start, &text, &again, &dying, &unsure);
		total += MLB_MAX(found - last, 0);
		last = found;
		rounds = found ? 0 : rounds + 1;
		wait_for_one(&dying, deadline);
		wait_for_exec(&unsure);
	}
out:
	mlb_vec_release(&dying);
	mlb_vec_release(&unsure);
	mlb_buf_release(&boot);
	mlb_buf_release(&text);
	return total;
}
