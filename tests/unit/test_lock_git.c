/* How git merges lock files, by the real git merge-file. */
#include "lock_test.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "os/fs.h"

/* git merge-file on ours, base and theirs: the merged text; *conflicts as git counts them. */
static char *
git_merge(const char *ours, const char *base, const char *theirs, const char *style, int *conflicts)
{
	struct mlb_buf out = MLB_BUF_INIT(MAX);
	int status;
	pid_t pid;

	put_file("ours", ours);
	put_file("base", base);
	put_file("theirs", theirs);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execlp("git", "git", "merge-file", "-q", style, "ours", "base", "theirs",
		       (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*conflicts = WEXITSTATUS(status);
	assert_true(*conflicts < 99);
	assert_int_equal(mlb_fs_read(&out, "ours", NULL), 0);
	return mlb_buf_detach(&out);
}

static int
have_git(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execlp("git", "git", "--version", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static unsigned seed = 1;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* A lock of targets "t00".."tNN": version 0 means absent. */
static char *
lock_of(const unsigned *version, unsigned n)
{
	struct mlb_lockfile l;
	char *text;

	mlb_lockfile_init(&l);
	for (unsigned i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%02u", i);
		if (version[i])
			set(&l, "model", name, version[i], 1 + i % 3);
	}
	text = format(&l);
	mlb_lockfile_release(&l);
	return text;
}

#define TARGETS 12

/* Each target is changed, added or removed by one side at most: git merges without a conflict. */
static void
test_git_merges_different_targets(void **state)
{
	(void)state;
	if (!have_git())
		skip();
	for (unsigned round = 0; round < 150; round++) {
		unsigned base[TARGETS], ours[TARGETS], theirs[TARGETS], want[TARGETS];
		char *text[3], *merged, *wanted;
		int conflicts;
		bool moved = false; /* the target before was added or removed */

		for (unsigned i = 0; i < TARGETS; i++) {
			unsigned who = rnd(3), what = rnd(3), *side = who == 1 ? ours : theirs;

			/* Additions and removals at one place do conflict in git, whatever the format. */
			if (moved)
				what = 2;
			moved = who && what < 2;
			base[i] = ours[i] = theirs[i] = want[i] = what == 0 && who ? 0 : 10 + i;
			if (who)
				side[i] = want[i] = what == 1 ? 0 : 200 + round + i;
		}
		text[0] = lock_of(ours, TARGETS);
		text[1] = lock_of(base, TARGETS);
		text[2] = lock_of(theirs, TARGETS);
		wanted = lock_of(want, TARGETS);
		merged = git_merge(text[0], text[1], text[2], "-q", &conflicts);
		if (conflicts)
			print_error("round %u:\n%s\n", round, merged);
		assert_int_equal(conflicts, 0);
		assert_string_equal(merged, wanted);
		free(merged);
		free(wanted);
		for (unsigned i = 0; i < 3; i++)
			free(text[i]);
	}
}

static bool
is_version(const struct mlb_lock_block *b, unsigned version, unsigned n_outputs)
{
	struct mlb_digest key = digest(version);

	if (!b || b->n_outputs != n_outputs || !mlb_digest_equal(&b->key, &key))
		return false;
	for (unsigned i = 0; i < n_outputs; i++) {
		struct mlb_digest d = digest(version * 100 + i);

		if (!mlb_digest_equal(&b->output[i].digest, &d))
			return false;
	}
	return true;
}

/* Every candidate is one that a side wrote; nothing is a mixture. */
static void
check_candidates(struct mlb_lockfile *l, const unsigned *ours, const unsigned *theirs,
		 unsigned *found)
{
	for (unsigned i = 0; i < TARGETS; i++) {
		const struct mlb_lock_block *b;
		char name[16];
		bool saw_ours = false, saw_theirs = false;

		snprintf(name, sizeof(name), "t%02u", i);
		for (b = mlb_lockfile_get(l, name); b; b = b->other) {
			bool is_ours = is_version(b, ours[i], 1 + i % 3),
			     is_theirs = is_version(b, theirs[i], 1 + i % 3);

			assert_true(is_ours || is_theirs);
			saw_ours = saw_ours || is_ours;
			saw_theirs = saw_theirs || is_theirs;
		}
		if (ours[i] == theirs[i] && ours[i])
			assert_true(saw_ours);
		*found += (ours[i] != theirs[i] && saw_ours && saw_theirs);
	}
}

static void
test_git_conflicts_are_candidates(void **state)
{
	static const char *const styles[] = { "-q", "--diff3", "--zdiff3" };
	unsigned found = 0, rounds = 0;

	(void)state;
	if (!have_git())
		skip();
	for (unsigned round = 0; round < 150; round++) {
		unsigned base[TARGETS], ours[TARGETS], theirs[TARGETS];
		char *text[3], *merged;
		struct mlb_lockfile l;
		int conflicts;

		for (unsigned i = 0; i < TARGETS; i++) {
			base[i] = rnd(4) ? 10 + i : 0;
			ours[i] = rnd(3) ? base[i] : rnd(4) ? 100 + i + round : 0;
			theirs[i] = rnd(3) ? base[i] : rnd(4) ? 500 + i + round : 0;
		}
		text[0] = lock_of(ours, TARGETS);
		text[1] = lock_of(base, TARGETS);
		text[2] = lock_of(theirs, TARGETS);
		merged = git_merge(text[0], text[1], text[2], styles[round % 3], &conflicts);
		parse_ok(&l, merged, strlen(merged));
		assert_int_equal(l.conflict, conflicts > 0);
		check_candidates(&l, ours, theirs, &found);
		rounds += conflicts > 0;
		mlb_lockfile_release(&l);
		free(merged);
		for (unsigned i = 0; i < 3; i++)
			free(text[i]);
	}
	assert_true(rounds > 50);
	assert_true(found > 50);
}

/* One side's run changed the first output, the other's the last: the middle merges cleanly. */
static void
test_mixture_is_not_used(void **state)
{
	struct mlb_lock_output out[5];
	struct mlb_lock_block b = {
		.kind = "model", .name = "m", .key = digest(1), .output = out, .n_outputs = 5
	};
	char paths[5][8], *text[3], *merged;
	struct mlb_lockfile l[3], got;
	int conflicts;

	(void)state;
	if (!have_git())
		skip();
	for (unsigned i = 0; i < 3; i++) {
		mlb_lockfile_init(&l[i]);
		set(&l[i], "model", "a", 1, 1);
		set(&l[i], "model", "z", 1, 1);
		for (unsigned k = 0; k < 5; k++) {
			snprintf(paths[k], sizeof(paths[k]), "o%u", k);
			out[k] = (struct mlb_lock_output){ paths[k], 'f', digest(k), 1 };
		}
		if (i == 0)
			out[0].digest = digest(77);
		if (i == 2)
			out[3].digest = digest(88);
		mlb_lockfile_set(&l[i], &b);
		text[i] = format(&l[i]);
	}
	merged = git_merge(text[0], text[1], text[2], "-q", &conflicts);
	assert_int_equal(conflicts, 1);
	parse_ok(&got, merged, strlen(merged));
	assert_null(mlb_lockfile_get(&got, "m"));
	assert_non_null(mlb_lockfile_get(&got, "a"));
	assert_non_null(mlb_lockfile_get(&got, "z"));
	mlb_lockfile_release(&got);
	free(merged);
	for (unsigned i = 0; i < 3; i++) {
		free(text[i]);
		mlb_lockfile_release(&l[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_git_merges_different_targets),
		scratch_test(test_git_conflicts_are_candidates),
		scratch_test(test_mixture_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
