/* What a job is started with: its argument vector and its environment. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/job_int.h"
#include "graph/refs.h"

extern char **environ;

/* ------------------------------------------------------------ environment */

static size_t
name_len(const char *var)
{
	const char *eq = strchr(var, '=');
	return eq ? (size_t)(eq - var) : strlen(var);
}

static bool
names(const char *var, const char *const *list)
{
	size_t len = name_len(var);

	for (; list && *list; list++)
		if (name_len(*list) == len && memcmp(*list, var, len) == 0)
			return true;
	return false;
}

const char *const *
mlb_job_env(struct mlb_arena *arena, const char *const *change, const char *id, const char *dir)
{
	const char *own[3] = { mlb_arena_printf(arena, "MLBUILD_JOB=%s", id),
			       mlb_arena_printf(arena, "PWD=%s", dir), NULL };
	size_t n = 0, n_change = 0, at = 0;
	const char **env;

	while (environ && environ[n])
		n++;
	while (change && change[n_change])
		n_change++;
	env = mlb_arena_alloc(arena, (n + n_change + MLB_ARRAY_LEN(own)) * sizeof(*env));
	for (size_t i = 0; i < n; i++)
		if (!names(environ[i], change) && !names(environ[i], own))
			env[at++] = environ[i];
	for (size_t i = 0; i < n_change; i++)
		if (strchr(change[i], '=') && !names(change[i], own))
			env[at++] = change[i];
	env[at++] = own[0];
	env[at++] = own[1];
	env[at] = NULL;
	return env;
}

/* --------------------------------------------------------------- arguments */

/* The shell's words. A prefix that is itself not plain words is cut at its blanks. */
static void
shell_words(struct mlb_strvec *argv, const char *shell)
{
	if (shell[0] == '\0') {
		mlb_strvec_push(argv, "/bin/sh");
		mlb_strvec_push(argv, "-ec");
		return;
	}
	if (mlb_shell_simple(argv, shell) && argv->n > 0)
		return;
	mlb_strvec_release(argv);
	while (*shell) {
		size_t len = strcspn(shell, " \t\n");
		if (len) {
			char *word = mlb_strndup(shell, len);
			mlb_strvec_push(argv, word);
			free(word);
		}
		shell += len;
		shell += strspn(shell, " \t\n");
	}
}

/* "bash -ec TEXT" becomes "bash -e FILE": the option that takes a text goes. */
static void
drop_text_option(struct mlb_strvec *argv)
{
	char *last = argv->v[argv->n - 1];
	size_t len = strlen(last);

	if (argv->n < 2 || last[0] != '-' || len < 2)
		return;
	if (last[1] != '-' && len > 2) {
		last[len - 1] = '\0';
		return;
	}
	free(last);
	argv->n--;
}

void
mlb_job_shell_argv(struct mlb_strvec *argv, const char *shell, const char *command,
		   const char *script_path)
{
	shell_words(argv, shell);
	if (script_path && strlen(command) > MLB_JOB_MAX_TEXT) {
		drop_text_option(argv);
		mlb_strvec_push(argv, script_path);
	} else {
		mlb_strvec_push(argv, command);
	}
}

void
mlb_job_argv(struct mlb_strvec *argv, const char *shell, const char *command,
	     const char *script_path)
{
	if (shell[0] == '\0' && strlen(command) <= MLB_JOB_MAX_TEXT &&
	    mlb_shell_simple(argv, command) && argv->n > 0)
		return;
	mlb_strvec_release(argv);
	mlb_job_shell_argv(argv, shell, command, script_path);
}
