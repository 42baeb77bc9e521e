#include "engine/dead.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"

#define META "dead"
enum { MAX_DEAD = 1 << 30 };

/* A target's output, or in one. */
static bool
is_made(const struct mlb_project *p, const char *path)
{
	char *part = mlb_strdup(path);
	bool made = false;

	for (char *end = part + strlen(part); end && !made; end = strrchr(part, '/')) {
		uint32_t at;

		*end = '\0';
		at = mlb_project_path_index(p, part);
		made = at != MLB_NONE && p->graph->path_producer[at] != MLB_NONE;
	}
	free(part);
	return made;
}

bool
mlb_dead_is_used(const struct mlb_project *p, const char *path)
{
	const struct mlb_graph *g = p->graph;
	uint32_t at = mlb_project_path_index(p, path);
	char *below = mlb_asprintf("%s/", path);
	size_t len = strlen(below);
	bool used = is_made(p, path) || (at != MLB_NONE && g->path_want[at] == MLB_WANT_CONTENT);

	for (at = mlb_graph_path_from(g, below); !used && at < g->n_paths; at++) {
		if (strncmp(mlb_g_path(g, at), below, len) != 0)
			break;
		used = g->path_producer[at] != MLB_NONE || g->path_want[at] == MLB_WANT_CONTENT;
	}
	free(below);
	return used;
}

/* ---------------------------------------------------------- in the lock */

struct walk {
	struct mlb_project *p;
	mlb_dead_fn *fn;
	void *ctx;
};

static int
walk_outputs(struct walk *w, const struct mlb_lock_output *o, uint32_t n, struct mlb_err *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		if (!is_made(w->p, o[i].path))
			rc = w->fn(w->ctx, o[i].path, &o[i].digest, err);
	return rc;
}

/* A table that the cache does not have tells nothing. */
static int
walk_table(struct walk *w, const struct mlb_digest *table, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_DEAD);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_table_row *row;
	size_t n = 0;
	int rc = 0;

	if (mlb_cas_read(w->p->cas, &text, table, NULL) ||
	    mlb_table_parse(&row, &n, &arena, mlb_buf_str(&text), text.len, NULL))
		n = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = walk_outputs(w, row[i].output, row[i].n_outputs, err);
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_dead_in_lock(struct mlb_project *p, mlb_dead_fn *fn, void *ctx, struct mlb_err *err)
{
	struct walk w = { p, fn, ctx };
	int rc = mlb_project_cache(p, err);

	if (rc == 0)
		rc = mlb_project_whole_lock(p, err);
	for (uint32_t i = 0; rc == 0 && i < p->lock.map.n; i++) {
		const struct mlb_lock_block *b = p->lock.map.entry[i].u.ptr;

		if (b && !mlb_digest_is_zero(&b->table))
			rc = walk_table(&w, &b->table, err);
		else if (b && !mlb_digest_is_zero(&b->key)) /* a source has none */
			rc = walk_outputs(&w, b->output, b->n_outputs, err);
	}
	return rc;
}

/* ---------------------------------------------------------- remembered */

int
mlb_dead_remembered(struct mlb_project *p, mlb_dead_fn *fn, void *ctx, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_DEAD);
	struct mlb_digest digest;
	int rc = mlb_meta_get(p->db, META, &text, err);
	char *line = text.data;

	while (rc == 0 && line && *line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (strlen(line) > MLB_HEX_LEN + 1 && mlb_digest_parse(&digest, line, MLB_HEX_LEN))
			rc = fn(ctx, line + MLB_HEX_LEN + 1, &digest, err);
		line = end ? end + 1 : NULL;
	}
	mlb_buf_release(&text);
	return rc;
}

struct memory {
	struct mlb_arena arena;
	struct mlb_strmap known; /* paths that have a line */
	struct mlb_buf text;
};

/* The first digest of a path counts: that of the lock comes before those of older ones. */
static int
add_line(void *ctx, const char *path, const struct mlb_digest *digest, struct mlb_err *err)
{
	struct memory *m = ctx;
	char hex[MLB_HEX_LEN + 1];
	bool is_new;

	(void)err;
	mlb_strmap_add(&m->known, mlb_arena_strdup(&m->arena, path), strlen(path), &is_new);
	if (!is_new || strchr(path, '\n'))
		return 0;
	mlb_digest_hex(hex, digest);
	mlb_buf_addf(&m->text, "%s %s\n", hex, path);
	return 0;
}

int
mlb_dead_remember(struct mlb_project *p, struct mlb_err *err)
{
	struct memory m = { MLB_ARENA_INIT, MLB_STRMAP_INIT, MLB_BUF_INIT(MAX_DEAD) };
	int rc = mlb_dead_in_lock(p, add_line, &m, err);

	/* Those of before follow: nothing to write where the lock adds none. */
	if (rc == 0 && m.text.len) {
		rc = mlb_dead_remembered(p, add_line, &m, err);
		if (rc == 0)
			rc = mlb_buf_check(&m.text, "the list of dead outputs", err);
		if (rc == 0)
			rc = mlb_meta_set(p->db, META, mlb_buf_str(&m.text), m.text.len, err);
	}
	mlb_strmap_release(&m.known);
	mlb_arena_release(&m.arena);
	mlb_buf_release(&m.text);
	return rc;
}
