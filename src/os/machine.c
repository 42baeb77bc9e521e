#include "os/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "os/fs.h"

#define CGROUP "/sys/fs/cgroup"

/* A small file of the kernel, without its last line feed; false if it cannot be read. */
static bool
read_line(struct mlb_buf *out, const char *path)
{
	mlb_buf_clear(out);
	if (mlb_fs_read(out, path, NULL) != 0)
		return false;
	if (out->len && out->data[out->len - 1] == '\n')
		mlb_buf_truncate(out, out->len - 1);
	return true;
}

/*
 * The smallest limit on the way from this process's control group (version 2)
 * up to the root. parse returns UINT64_MAX where the text means no limit.
 */
static uint64_t
cgroup_limit(const char *file, uint64_t (*parse)(const char *text))
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_KIB), path = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_buf group = MLB_BUF_INIT(64 * MLB_KIB);
	uint64_t limit = UINT64_MAX;
	const char *line;

	if (!read_line(&text, "/proc/self/cgroup"))
		goto out;
	line = strstr(mlb_buf_str(&text), "0::/");
	if (!line)
		goto out;
	mlb_buf_add(&group, line + 3, strcspn(line + 3, "\n"));
	for (;;) {
		char *slash;

		mlb_buf_clear(&path);
		mlb_buf_addf(&path, CGROUP "%s/%s", mlb_buf_str(&group), file);
		if (read_line(&text, mlb_buf_str(&path))) {
			uint64_t here = parse(mlb_buf_str(&text));

			limit = MLB_MIN(limit, here);
		}
		slash = group.len ? strrchr(group.data, '/') : NULL;
		if (!slash)
			break;
		mlb_buf_truncate(&group, (size_t)(slash - group.data));
	}
out:
	mlb_buf_release(&group);
	mlb_buf_release(&path);
	mlb_buf_release(&text);
	return limit;
}

/* "QUOTA PERIOD" or "max PERIOD", in microseconds: processors, rounded up. */
static uint64_t
parse_cpu_max(const char *text)
{
	unsigned long long quota, period;

	if (sscanf(text, "%llu %llu", &quota, &period) != 2 || !period)
		return UINT64_MAX;
	return MLB_MAX((quota + period - 1) / period, 1);
}

static uint64_t
parse_memory_max(const char *text)
{
	unsigned long long v;

	return sscanf(text, "%llu", &v) == 1 ? v : UINT64_MAX;
}

static unsigned
affinity_cpus(void)
{
	/* The kernel refuses a set that is smaller than its own. */
	for (int room = 1024; room <= 1 << 20; room *= 2) {
		cpu_set_t *set = CPU_ALLOC((size_t)room);
		size_t size = CPU_ALLOC_SIZE((size_t)room);
		int n = 0;

		if (set && sched_getaffinity(0, size, set) == 0)
			n = CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (n > 0)
			return (unsigned)n;
	}
	return 1;
}

unsigned
mlb_machine_cpus(void)
{
	uint64_t quota = cgroup_limit("cpu.max", parse_cpu_max);
	unsigned cpus = affinity_cpus();

	return quota < cpus ? (unsigned)quota : cpus;
}

uint64_t
mlb_machine_memory(void)
{
	uint64_t limit = cgroup_limit("memory.max", parse_memory_max);
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t all = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;

	return all && all < limit ? all : limit;
}

/* As CUDA reads it: the first entry that names no device ends the list. */
static unsigned
visible_devices(const char *list)
{
	unsigned n = 0;

	if (strcmp(list, "NoDevFiles") == 0)
		return 0;
	while (*list && *list != '-') {
		size_t len = strcspn(list, ",");

		if (!len)
			break;
		n++;
		list += len;
		list += *list == ',';
	}
	return n;
}

unsigned
mlb_machine_gpus(void)
{
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");
	unsigned n = 0;
	DIR *d;

	if (visible)
		return visible_devices(visible);
	d = opendir("/dev");
	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));)
		n += strncmp(e->d_name, "nvidia", 6) == 0 && isdigit((unsigned char)e->d_name[6]);
	closedir(d);
	return n;
}

void
mlb_machine_boot_id(struct mlb_buf *out)
{
	read_line(out, "/proc/sys/kernel/random/boot_id");
}

void
mlb_machine_platform(struct mlb_buf *out)
{
	struct utsname u;

	mlb_buf_clear(out);
	if (uname(&u) != 0)
		return;
	for (const char *c = u.sysname; *c; c++)
		mlb_buf_addc(out, (char)tolower((unsigned char)*c));
	mlb_buf_addf(out, "-%s", u.machine);
#ifdef __GLIBC__
	mlb_buf_addf(out, "-glibc%s", gnu_get_libc_version());
#endif
}

int
mlb_machine_random(void *out, size_t len, struct mlb_err *err)
{
	unsigned char *p = out;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlb_err_errno(err, errno, "the kernel gives no random bytes");
		p += n;
		len -= (size_t)n;
	}
	return MLB_OK;
}
