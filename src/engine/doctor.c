/* What is right and wrong with this machine and this project, and how to mend it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/project.h"
#include "os/fs.h"
#include "os/machine.h"

#define LITTLE_SPACE (5 * MLB_GIB)

struct doctor {
	mlb_finding_fn *fn;
	void *ctx;
	int rc;
};

static void
tell(struct doctor *d, enum mlb_finding level, const char *mend, char *what)
{
	struct mlb_finding_info f = { level, what, mend };

	if (d->rc == 0)
		d->rc = d->fn(d->ctx, &f);
	free(what);
}

static void
look_at_machine(struct doctor *d)
{
	struct mlb_buf size = MLB_BUF_INIT(MLB_KIB);

	mlb_add_size(&size, mlb_machine_memory());
	tell(d, MLB_FINDING_OK, "",
	     mlb_asprintf("machine: %u processors, %s of memory, %u graphics processors",
			  mlb_machine_cpus(), mlb_buf_str(&size), mlb_machine_gpus()));
	mlb_buf_release(&size);
}

static void
look_at_disk(struct doctor *d, const char *dir)
{
	struct mlb_buf size = MLB_BUF_INIT(MLB_KIB);
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir, &fs))
		return;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	mlb_add_size(&size, left);
	tell(d, left < LITTLE_SPACE ? MLB_FINDING_PROBLEM : MLB_FINDING_OK,
	     left < LITTLE_SPACE ? "free some: every output is kept once more in the cache" : "",
	     mlb_asprintf("disk: %s free", mlb_buf_str(&size)));
	mlb_buf_release(&size);
	if (mlb_fs_is_network(dir))
		tell(d, MLB_FINDING_NOTE,
		     "a local disk is faster; '[cache] dir' may stay on the network",
		     mlb_strdup("disk: the project is on a network file system"));
}

/* A reflink costs nothing; without it every output is copied into the cache. */
static void
look_at_reflinks(struct doctor *d, const char *dir)
{
	struct mlb_buf tmp = MLB_BUF_INIT(64 * MLB_KIB);
	bool reflinked = false;
	char *a, *b;

	if (mlb_fs_tempdir(&tmp, dir, ".mlbuild-doctor-", NULL)) {
		tell(d, MLB_FINDING_PROBLEM,
		     "make it writable: mlbuild keeps its state in .mlbuild there",
		     mlb_asprintf("disk: '%s' cannot be written", dir));
		mlb_buf_release(&tmp);
		return;
	}
	a = mlb_asprintf("%s/a", mlb_buf_str(&tmp));
	b = mlb_asprintf("%s/b", mlb_buf_str(&tmp));
	if (mlb_fs_write(a, "x", 1, false, NULL) == 0)
		mlb_fs_copy(a, b, 0644, &reflinked, NULL, NULL);
	tell(d, MLB_FINDING_OK, "",
	     mlb_strdup(
		     reflinked
			     ? "disk: copies share their blocks (reflink)"
			     : "disk: no reflinks here, so outputs are copied; '[cache] link = hardlink' is "
			       "possible for large files"));
	mlb_fs_remove_tree(mlb_buf_str(&tmp), NULL);
	free(b);
	free(a);
	mlb_buf_release(&tmp);
}

static void
look_at_git(struct doctor *d, struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_project_vcs(p, &err))
		tell(d, MLB_FINDING_PROBLEM, "",
		     mlb_asprintf("git: %s", err.text ? err.text : "cannot be read"));
	else if (!p->vcs)
		tell(d, MLB_FINDING_NOTE,
		     mlb_vcs_near(p->root)
			     ? "builds work as outside of git: artifacts have no commit to be traced to"
			     : "'git init' and a commit give every artifact a commit to be traced to",
		     mlb_asprintf("git: %s", p->vcs_why));
	else
		tell(d, MLB_FINDING_OK, "",
		     mlb_asprintf("git: repository at %s", mlb_vcs_workdir(p->vcs)));
	if (p->vcs && mlb_vcs_ignored(p->vcs, "mlbuild.lock"))
		tell(d, MLB_FINDING_PROBLEM,
		     "take it out of .gitignore and commit it: it says which bytes a commit means",
		     mlb_strdup("git: mlbuild.lock is ignored"));
	mlb_err_release(&err);
}

static void
look_at_targets(struct doctor *d, struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_project_load(p, &err)) {
		tell(d, MLB_FINDING_PROBLEM, "correct mlbuild.ini",
		     mlb_asprintf("mlbuild.ini: %s", err.text));
		mlb_err_release(&err);
		return;
	}
	tell(d, MLB_FINDING_OK, "",
	     mlb_asprintf("mlbuild.ini: %u target%s", p->graph->n_nodes,
			  p->graph->n_nodes == 1 ? "" : "s"));
	for (uint32_t i = 0; i < p->graph->n_nodes; i++)
		for (uint32_t s = 0; s < p->graph->node[i].secret.n; s++) {
			const char *var = mlb_g_str(
				p->graph, p->graph->pair[p->graph->node[i].secret.first + s].name);

			if (getenv(var))
				continue;
			tell(d, MLB_FINDING_NOTE, "set it before you build that target",
			     mlb_asprintf("environment: '%s', a secret of '%s', is not set", var,
					  mlb_g_str(p->graph, p->graph->node[i].name)));
		}
}

/* Is there such a program? One with a '/' in it is looked for as it is. */
static bool
in_path(const char *program)
{
	const char *path = getenv("PATH");

	if (strchr(program, '/'))
		return program[0] != '/' || access(program, X_OK) == 0;
	while (path && *path) {
		size_t len = strcspn(path, ":");
		char *file = mlb_asprintf("%.*s/%s", (int)len, path, program);
		bool there = access(file, X_OK) == 0;

		free(file);
		if (there)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void
look_at_shell(struct doctor *d, const struct mlb_graph *g, uint32_t n)
{
	const char *shell = mlb_g_str(g, g->node[n].shell);
	char *program = mlb_strndup(shell, strcspn(shell, " \t"));

	if (program[0] && !strpbrk(program, "'\"\\") && !in_path(program))
		tell(d, MLB_FINDING_PROBLEM, "install it, or correct 'shell'",
		     mlb_asprintf("shell: '%s', which '%s' is run by, is not there", program,
				  mlb_g_str(g, g->node[n].base)));
	free(program);
}

static void
look_at_needs(struct doctor *d, const struct mlb_graph *g, uint32_t n)
{
	const struct mlb_g_exec *exec = &g->exec[g->node[n].exec];
	const char *name = mlb_g_str(g, g->node[n].base);
	struct mlb_buf want = MLB_BUF_INIT(MLB_KIB);

	if (exec->gpus > mlb_machine_gpus())
		tell(d, MLB_FINDING_NOTE, "it runs with all there are: another machine may suit it",
		     mlb_asprintf("machine: '%s' wants %u graphics processors, there are %u", name,
				  exec->gpus, mlb_machine_gpus()));
	if (exec->mem > mlb_machine_memory()) {
		mlb_add_size(&want, exec->mem);
		tell(d, MLB_FINDING_NOTE,
		     "it runs alone, and may run out of memory: another machine may suit it",
		     mlb_asprintf("machine: '%s' wants %s of memory, there is less", name,
				  mlb_buf_str(&want)));
	}
	mlb_buf_release(&want);
}

/* The instances of a matrix have one section: it is looked at once. */
static void
look_at_commands(struct doctor *d, const struct mlb_graph *g)
{
	for (uint32_t n = 0; n < g->n_nodes; n++) {
		if (g->node[n].flags & MLB_G_SOURCE ||
		    (n && g->node[n].base == g->node[n - 1].base))
			continue;
		look_at_shell(d, g, n);
		look_at_needs(d, g, n);
	}
}

/* Sources that a bare build would be blocked by. */
static void
look_at_sources(struct doctor *d, struct mlb_project *p)
{
	struct mlb_plan_options o = { .n_words = 0 };
	struct mlb_plan *plan = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_plan_new(&plan, p, &o, &err) == 0 && mlb_plan_simulate(plan, &err) == 0)
		for (uint32_t n = 0; n < plan->g->n_nodes; n++)
			if (plan->g->node[n].flags & MLB_G_SOURCE &&
			    plan->node[n].fate == MLB_FATE_BLOCKED)
				tell(d, MLB_FINDING_PROBLEM, "",
				     mlb_asprintf("sources: '%s': %s",
						  mlb_g_str(p->graph, p->graph->node[n].name),
						  plan->node[n].reason));
	mlb_plan_free(plan);
	mlb_err_release(&err);
}

static void
look_at_lock(struct doctor *d, struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_project_whole_lock(p, &err))
		tell(d, MLB_FINDING_PROBLEM, "bring it back as it was committed, or remove it",
		     mlb_asprintf("mlbuild.lock: %s", err.text));
	else if (p->graph)
		look_at_sources(d, p);
	mlb_err_release(&err);
}

static void
look_at_state(struct doctor *d, struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_project_store(p, &err) || mlb_project_cache(p, &err))
		tell(d, MLB_FINDING_PROBLEM,
		     "free space or rights in .mlbuild, or remove .mlbuild/state.db: it can be "
		     "made again",
		     mlb_asprintf("state: %s", err.text));
	else
		tell(d, MLB_FINDING_OK, "", mlb_asprintf("state: %s", p->state_dir));
	mlb_err_release(&err);
}

int
mlb_doctor(const char *dir, mlb_finding_fn *fn, void *ctx, struct mlb_err *err)
{
	struct doctor d = { fn, ctx, 0 };
	struct mlb_open open = { .dir = dir };
	struct mlb_err none = MLB_ERR_INIT;
	struct mlb_project *p = NULL;
	struct mlb_stat st;

	if (mlb_fs_stat(&st, dir, err))
		return MLB_ENOTFOUND;
	if (st.type != MLB_F_DIR)
		return mlb_err_set(err, MLB_EINVALID, "'%s' is no directory", dir);
	look_at_machine(&d);
	if (mlb_project_open(&p, &open, &none)) {
		look_at_disk(&d, dir);
		tell(&d, MLB_FINDING_NOTE, "'mlbuild init' begins one",
		     mlb_strdup("project: there is none here"));
		mlb_err_release(&none);
		return d.rc < 0 ? d.rc : 0;
	}
	look_at_disk(&d, p->root);
	look_at_reflinks(&d, p->root);
	look_at_targets(&d, p);
	if (p->graph)
		look_at_commands(&d, p->graph);
	look_at_state(&d, p);
	look_at_lock(&d, p);
	look_at_git(&d, p);
	mlb_project_close(p);
	return d.rc < 0 ? d.rc : 0;
}
