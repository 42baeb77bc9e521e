/* For tests of the compiler: an mlbuild.ini in the scratch directory to a graph, and what to ask it. */
#ifndef TESTS_GRAPH_UNIT_H
#define TESTS_GRAPH_UNIT_H

#include "unit.h"

#include <sys/stat.h>

#include "graph/graph.h"
#include "os/fs.h"
#include "store/scan.h"
#include "store/vcs.h"

static inline void
put(const char *path, const char *text)
{
	assert_int_equal(mlb_fs_mkparents(path, NULL), 0);
	put_file(path, text);
}

/* A repository as `git init` makes it, without needing git. */
static inline void
make_repository(void)
{
	put(".git/HEAD", "ref: refs/heads/main\n");
	put(".git/config", "[core]\n\trepositoryformatversion = 0\n");
	assert_int_equal(mlb_fs_mkdirs(".git/objects", NULL), 0);
	assert_int_equal(mlb_fs_mkdirs(".git/refs/heads", NULL), 0);
}

/* Compile ./mlbuild.ini; the error's code and text are in err. */
static inline int
compile_ini(struct mlb_graph **out, const char *ini, struct mlb_err *err)
{
	char root[4096];
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_compile in = { root, NULL, NULL, NULL };
	struct mlb_config *config = NULL;
	int rc;

	put_file("mlbuild.ini", ini);
	assert_non_null(getcwd(root, sizeof(root)));
	rc = mlb_config_load(&config, root, NULL, NULL, 0, err);
	if (rc == 0 && access(".git", F_OK) == 0)
		rc = mlb_vcs_open(&in.vcs, root, &why, err);
	in.config = config;
	if (rc == 0)
		rc = mlb_graph_compile(out, &in, err);
	mlb_vcs_close(in.vcs);
	mlb_config_free(config);
	mlb_buf_release(&why);
	return rc;
}

static inline struct mlb_graph *
graph_of(const char *ini)
{
	struct mlb_graph *g = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(compile_ini(&g, ini, &err));
	return g;
}

static inline const struct mlb_g_node *
node(const struct mlb_graph *g, const char *name)
{
	uint32_t n = mlb_graph_find(g, name);

	if (n == MLB_NONE)
		print_error("there is no node '%s'\n", name);
	assert_int_not_equal(n, MLB_NONE);
	return &g->node[n];
}

static inline const char *
command(const struct mlb_graph *g, const char *name)
{
	return mlb_g_str(g, node(g, name)->command);
}

/* "path<producer path" in the graph's order; sources without '<'. */
static inline void
assert_inputs(const struct mlb_graph *g, const char *name, const char *want)
{
	const struct mlb_g_node *n = node(g, name);
	struct mlb_buf got = MLB_BUF_INIT(100000);

	for (uint32_t i = 0; i < n->in.n; i++) {
		const struct mlb_g_input *in = &g->input[n->in.first + i];

		mlb_buf_addf(&got, "%s%s", i ? " " : "", mlb_g_path(g, in->path));
		if (in->producer != MLB_NONE)
			mlb_buf_addf(&got, "<%s", mlb_g_str(g, g->node[in->producer].name));
	}
	if (strcmp(mlb_buf_str(&got), want) != 0)
		print_error("inputs of %s\n", name);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

/* Names of the nodes in a range of index[]. */
static inline void
assert_nodes(const struct mlb_graph *g, const struct mlb_range *r, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(100000);

	for (uint32_t i = 0; i < r->n; i++)
		mlb_buf_addf(&got, "%s%s", i ? " " : "", mlb_g_str(g, g->node[g->index[r->first + i]].name));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

static inline const struct mlb_g_fact *
fact(const struct mlb_graph *g, enum mlb_fact_kind kind, const char *subject)
{
	for (uint32_t i = 0; i < g->n_facts; i++) {
		const struct mlb_g_fact *f = &g->fact[i];
		const char *s = f->kind == MLB_FACT_ENV ? mlb_g_str(g, f->subject) : mlb_g_path(g, f->subject);

		if (f->kind == kind && strcmp(s, subject) == 0)
			return f;
	}
	return NULL;
}

/* Compiling fails, and the message has these words. */
static inline void
assert_refused(const char *ini, const char *words)
{
	struct mlb_graph *g = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	assert_err(compile_ini(&g, ini, &err), MLB_EINVALID, words);
	assert_null(g);
}

#endif
