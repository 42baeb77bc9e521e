/*
 * The journal again: mlbuild dies at one system call after the other, while it
 * runs jobs and while it undoes those of a dead one.
 */
#include "journal_fixture.h"

#include <sys/ptrace.h>
#include <sys/syscall.h>

#define BUDGET_NS UINT64_C(30000000000)

/* Is the process about to write into the journal? */
static bool
enters_pwrite(pid_t pid)
{
	struct __ptrace_syscall_info info;

	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_pwrite64;
}

/*
 * Run fn in a process that dies at the k-th stop, of two for each system call, after
 * the first time that it writes into the journal. False if it got to its end, after
 * *stops of them; -1 where tracing is not allowed.
 */
static int
dies_at(struct fixture *f, void (*fn)(struct fixture *), unsigned k, unsigned *stops)
{
	bool counts = false;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		raise(SIGSTOP);
		fn(f);
		_exit(0);
	}
	for (*stops = 0;;) {
		int sig = 0;

		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
			return WEXITSTATUS(status) == 77 ? -1 : 0;
		}
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP)
			ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
		else if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			sig = WSTOPSIG(status);
		counts = counts || enters_pwrite(pid);
		if (counts && (*stops)++ == k) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFSIGNALED(status));
			return 1;
		}
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig), 0);
	}
}

/*
 * The i-th place to die at, of so many stops: scattered, so that little time tries
 * places everywhere and enough of it every one. To enter a call changes nothing:
 * every second stop will do. 0: all have been tried, or time is up.
 */
static unsigned
place(unsigned i, unsigned stops, uint64_t began)
{
	const unsigned stride = 89; /* a prime */
	unsigned n = stops / 2;

	if (n % stride == 0)
		n++;
	if (i >= n || (i >= 20 && mlb_clock_mono() - began > BUDGET_NS))
		return 0;
	return 2 * (i * stride % n) + 1;
}

static void
succeed_then_fail(struct fixture *f)
{
	unsigned undone;
	struct mlb_journal *j;

	mlb_spawn_subreaper(NULL);
	if (mlb_journal_open(&j, mlb_buf_str(&f->root), mlb_buf_str(&f->state), &undone, NULL, NULL))
		_exit(9);
	run_job(f, j, "new", 0, "");
	put(f, "accepted", "");
	run_job(f, j, "bad", 1, "");
	mlb_journal_close(j);
}

static void
only_recover(struct fixture *f)
{
	unsigned undone;
	struct mlb_journal *j;

	if (mlb_journal_open(&j, mlb_buf_str(&f->root), mlb_buf_str(&f->state), &undone, NULL, NULL))
		_exit(9);
	mlb_journal_close(j);
}

/* The old output of "d" is to be kept: never lost, and not there twice. */
static void
assert_kept(struct fixture *f, bool any, bool is_new)
{
	assert_holds(f, KEPT "/x", any && is_new ? "old" : "");
}

static void
killed_at_every_system_call(void **state)
{
	struct fixture *f = *state;
	unsigned n_old = 0, n_new = 0, stops = 0, k;
	uint64_t began = mlb_clock_mono();

	old_outputs(f, true);
	if (dies_at(f, succeed_then_fail, UINT_MAX, &stops) < 0)
		skip();
	for (unsigned i = 0; (k = place(i / 2, stops, began)); i++) {
		bool any = i % 2, is_new;
		unsigned more;
		old_outputs(f, any);
		dies_at(f, succeed_then_fail, k, &more);
		recover(f, NULL);
		char *text = generation(f);
		is_new = strcmp(text, "new") == 0;
		if (!is_new && (strcmp(text, any ? "old" : "") != 0 || exists(f, "accepted")))
			fail_msg("killed at system call %u: '%s' is there", k, text);
		assert_kept(f, any, is_new);
		n_new += is_new;
		n_old += !is_new;
		free(text);
	}
	assert_true(n_old > 3 && n_new > 3);
}

static void
killed_while_recovering(void **state)
{
	struct fixture *f = *state;
	unsigned stops = 0, k;
	uint64_t began = mlb_clock_mono();

	old_outputs(f, true);
	leave_a_half(f);
	if (dies_at(f, only_recover, UINT_MAX, &stops) < 0)
		skip();
	for (unsigned i = 0; (k = place(i / 2, stops, began)); i++) {
		bool any = i % 2;
		unsigned more;
		old_outputs(f, any);
		leave_a_half(f);
		dies_at(f, only_recover, k, &more);
		recover(f, NULL);
		char *text = generation(f);
		assert_string_equal(text, any ? "old" : "");
		free(text);
		assert_kept(f, any, false);
		assert_holds(f, ".mlbuild/failed/train/a", "half");
	}
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(killed_at_every_system_call),
		TEST(killed_while_recovering),
	};

	mlb_spawn_subreaper(NULL);
	return cmocka_run_group_tests_name("journal, call by call", tests, NULL, NULL);
}
