/*
 * The program git: the one place that starts it, and only for what libgit2 cannot do.
 * Blobs that a partial clone has to fetch, filters of .gitattributes that are
 * programs, an index in a form that libgit2 does not know, whether git trusts
 * a repository of another user, the locks of a repository that libgit2 cannot open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/spawn.h"
#include "store/vcs_git.h"

enum { ARGS_MAX = 16, PIPE_MAX = 64 * 1024 };

/* Ours, but that it takes no locks for convenience, asks nobody, and speaks English. */
static char **
environment(void)
{
	static const char *const own[] = { "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
					   "LC_ALL=C" };
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = mlb_calloc(n + MLB_ARRAY_LEN(own) + 1, sizeof(*env));
	for (size_t i = 0; i < n; i++) {
		bool is_own = false;

		for (size_t k = 0; k < MLB_ARRAY_LEN(own) && !is_own; k++)
			is_own = strncmp(environ[i], own[k], strcspn(own[k], "=") + 1) == 0;
		if (!is_own)
			env[kept++] = mlb_strdup(environ[i]);
	}
	for (size_t k = 0; k < MLB_ARRAY_LEN(own); k++)
		env[kept++] = mlb_strdup(own[k]);
	return env;
}

/* The last line that says something, of what is in a pipe. */
static void
add_reason(struct mlb_buf *out, int fd)
{
	char text[PIPE_MAX + 1];
	ssize_t len = read(fd, text, PIPE_MAX);
	char *last;

	if (len < 0)
		len = 0;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	last = strrchr(text, '\n');
	mlb_buf_adds(out, last ? last + 1 : text);
}

static int
fail(int said, const char *command, const struct mlb_exit *status, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(PIPE_MAX);

	add_reason(&text, said);
	if (status->signal)
		mlb_err_set(err, MLB_ESYSTEM, "'git %s' was ended by signal %d", command,
			    status->signal);
	else
		mlb_err_set(err, MLB_ESYSTEM, "'git %s' failed with exit code %d%s%s", command,
			    status->code, text.len ? ": " : "", mlb_buf_str(&text));
	mlb_buf_release(&text);
	return MLB_ESYSTEM;
}

/* What git says beside its output goes into a pipe; what that cannot take is lost, nobody waits. */
static int
start(const char *const *argv, const char *command, const char *dir, struct mlb_buf *out,
      struct mlb_err *err)
{
	char **env;
	int said[2], rc;
	struct mlb_spawn what = { .argv = argv, .dir = dir };
	struct mlb_exit status = { 0 };

	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0)
		return mlb_err_errno(err, errno, "cannot make a pipe");
	env = environment();
	what.envp = (const char *const *)env;
	what.err_fd = said[1];
	rc = mlb_spawn_capture(out, &status, &what, 0, err);
	if (rc == 0 && (status.code != 0 || status.signal))
		rc = fail(said[0], command, &status, err);
	close(said[0]);
	close(said[1]);
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
	return rc;
}

int
mlb_git_program(struct mlb_vcs *v, const char *const *args, struct mlb_buf *out,
		struct mlb_err *err)
{
	char *git_dir = mlb_asprintf("--git-dir=%s", v->git.repository_path(v->repo));
	char *work_tree = mlb_asprintf("--work-tree=%s", v->workdir);
	const char *argv[ARGS_MAX + 4] = { "git", git_dir, work_tree };
	int rc;

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[3 + i] = args[i];
	rc = start(argv, args[0], v->workdir, out, err);
	free(work_tree);
	free(git_dir);
	return rc;
}

int
mlb_git_program_in(const char *dir, const char *const *args, struct mlb_buf *out,
		   struct mlb_err *err)
{
	const char *argv[ARGS_MAX + 2] = { "git" };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[1 + i] = args[i];
	return start(argv, args[0], dir, out, err);
}

bool
mlb_git_program_trusts(const char *dir)
{
	const char *const argv[] = { "git", "rev-parse", "--git-dir", NULL };
	struct mlb_buf out = MLB_BUF_INIT(MLB_MIB);
	bool trusts = start(argv, argv[1], dir, &out, NULL) == 0 && out.len;

	mlb_buf_release(&out);
	return trusts;
}
