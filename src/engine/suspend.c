#include "engine/suspend.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/project.h"
#include "os/clock.h"

int
mlb_suspension_init(struct mlb_suspension *s, struct mlb_err *err)
{
	s->group = mlb_calloc(MLB_MAX_GROUPS, sizeof(*s->group));
	mlb_family_init(&s->family);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->wake_fd < 0 ? mlb_err_errno(err, errno, "cannot make an eventfd") : 0;
}

void
mlb_suspension_release(struct mlb_suspension *s)
{
	if (s->group && s->wake_fd >= 0)
		close(s->wake_fd);
	mlb_family_release(&s->family);
	free(s->group);
	s->group = NULL;
}

static void
signal_all(struct mlb_suspension *s, int sig)
{
	unsigned n = atomic_load(&s->n_groups);

	for (unsigned i = 0; i < n; i++) {
		int group = atomic_load(&s->group[i]);

		if (group > 1)
			kill(-group, sig);
	}
}

void
mlb_suspension_add(struct mlb_suspension *s, pid_t group)
{
	for (unsigned i = 0; i < MLB_MAX_GROUPS; i++) {
		if (atomic_load(&s->group[i]))
			continue;
		atomic_store(&s->group[i], group);
		if (i >= atomic_load(&s->n_groups))
			atomic_store(&s->n_groups, i + 1);
		break;
	}
	if (atomic_load(&s->since))
		kill(-group, SIGSTOP);
}

void
mlb_suspension_remove(struct mlb_suspension *s, pid_t group)
{
	unsigned n = atomic_load(&s->n_groups);

	for (unsigned i = 0; i < n; i++)
		if (atomic_load(&s->group[i]) == group)
			atomic_store(&s->group[i], 0);
}

void
mlb_suspend(struct mlb_project *p)
{
	struct mlb_suspension *s = p->suspension;
	uint_least64_t none = 0;
	int saved = errno;

	/* At first those who are known, at once; then who left their groups is looked for. */
	if (atomic_compare_exchange_strong(&s->since, &none, mlb_clock_mono())) {
		signal_all(s, SIGSTOP);
		mlb_family_stop(&s->family, s->group, atomic_load(&s->n_groups));
	}
	errno = saved;
}

void
mlb_continue(struct mlb_project *p)
{
	struct mlb_suspension *s = p->suspension;
	uint64_t since = atomic_exchange(&s->since, 0), one = 1;
	int saved = errno;

	if (since) {
		atomic_fetch_add(&s->total_ns, mlb_clock_mono() - since);
		mlb_family_continue(&s->family);
		signal_all(s, SIGCONT);
		if (write(s->wake_fd, &one, sizeof(one)) < 0)
			errno = saved; /* a full counter wakes as well */
	}
	errno = saved;
}
