/* Lost objects whose bytes are still to be had. */
#include <stdlib.h>
#include <string.h>

#include "engine/fsck.h"
#include "os/fs.h"
#include "store/tree.h"

enum { MAX_FILE = 1 << 30, MAX_ACTION = 256 << 20 };

static bool
is_wanted(const struct mlb_fsck_state *s, const struct mlb_fsck_lost *l)
{
	return l && !l->recovered && !mlb_inventory_find(&s->inv, &l->digest);
}

static void
recovered(struct mlb_fsck_state *s, struct mlb_fsck_lost *l, const char *from)
{
	l->recovered = mlb_arena_strdup(&s->arena, from);
}

/* ---------------------------------------------------------- one file */

static bool
from_workspace(struct mlb_fsck_state *s, struct mlb_fsck_lost *l, const char *path)
{
	char *full = mlb_project_path(s->p, path);
	struct mlb_digest now;
	struct mlb_stat st;
	bool got = mlb_fs_stat(&st, full, NULL) == 0 && st.type == MLB_F_FILE &&
		   mlb_fs_hash(&now, NULL, full, NULL) == 0 && mlb_digest_equal(&now, &l->digest) &&
		   mlb_cas_put_file(s->p->cas, &now, NULL, full, NULL) == 0 &&
		   mlb_digest_equal(&now, &l->digest);

	if (got)
		recovered(s, l, path);
	free(full);
	return got;
}

static bool
from_git(struct mlb_fsck_state *s, struct mlb_fsck_lost *l, const char *path)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	struct mlb_digest now;
	bool got = false;

	if (mlb_project_vcs(s->p, NULL) == 0 && s->p->vcs &&
	    mlb_vcs_read(s->p->vcs, "HEAD", path, &text, NULL) == 0) {
		mlb_sha256_of(&now, mlb_buf_str(&text), text.len);
		got = mlb_digest_equal(&now, &l->digest) &&
		      mlb_cas_put(s->p->cas, &now, mlb_buf_str(&text), text.len, NULL) == 0;
	}
	if (got)
		recovered(s, l, mlb_arena_printf(&s->arena, "HEAD:%s", path));
	mlb_buf_release(&text);
	return got;
}

static void
try_path(struct mlb_fsck_state *s, struct mlb_fsck_lost *l, const char *path)
{
	if (is_wanted(s, l) && path[0] && !from_workspace(s, l, path))
		from_git(s, l, path);
}

/* ---------------------------------------------------------- directories */

struct inside {
	struct mlb_fsck_state *s;
	const char *dir;
};

static int
try_inside(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct inside *in = ctx;
	struct mlb_fsck_lost *l = mlb_fsck_lost_of(in->s, &e->digest);

	(void)err;
	if (l && (e->kind == MLB_T_FILE || e->kind == MLB_T_EXEC))
		try_path(in->s, l, mlb_arena_printf(&in->s->arena, "%s/%s", in->dir, path));
	return 0;
}

/* Where the directory is as it should be, its nodes and links come back with it. */
static void
from_same_dir(struct mlb_fsck_state *s, const struct mlb_holder *h)
{
	char *full = mlb_project_path(s->p, h->path);
	struct mlb_digest now;
	uint64_t size;

	if (mlb_tree_store(&now, &size, full, NULL, NULL) == 0 &&
	    mlb_digest_equal(&now, &h->digest) &&
	    mlb_tree_store(&now, &size, full, s->p->cas, NULL) == 0)
		for (uint32_t i = 0; i < s->lost.n; i++) {
			struct mlb_fsck_lost *l = s->lost.entry[i].u.ptr;

			if (is_wanted(s, l) && mlb_cas_has(s->p->cas, &l->digest))
				recovered(s, l, h->path);
		}
	free(full);
}

static void
try_dirs(struct mlb_fsck_state *s)
{
	for (uint32_t i = 0; i < s->dirs.n; i++) {
		const struct mlb_holder *h = s->dirs.entry[i].u.ptr;
		struct inside in = { s, h->path };

		from_same_dir(s, h);
		/* As far as its nodes can be read. */
		mlb_tree_each(s->p->cas, &h->digest, try_inside, &in, NULL);
	}
}

/* ---------------------------------------------------------- action texts */

static void
try_action(struct mlb_fsck_state *s, struct mlb_plan *plan, uint32_t n)
{
	struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, &plan->node[n].key);
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_action a;
	struct mlb_digest key;

	if (is_wanted(s, l) && plan->node[n].key_known) {
		mlb_node_action(plan, n, &plan->arena, &a);
		mlb_action_text(&text, plan->g, &a);
		mlb_sha256_of(&key, mlb_buf_str(&text), text.len);
		if (mlb_digest_equal(&key, &l->digest) &&
		    mlb_cas_put(s->p->cas, &key, mlb_buf_str(&text), text.len, NULL) == 0)
			recovered(s, l, "mlbuild.ini");
	}
	mlb_buf_release(&text);
}

/* What the graph says now; not for files of `each`, whose texts nobody keeps. */
static void
try_actions(struct mlb_fsck_state *s)
{
	struct mlb_plan_options o = { .n_words = 0 };
	struct mlb_plan *plan = NULL;
	bool any = false;

	for (uint32_t i = 0; i < s->lost.n; i++)
		any |= is_wanted(s, s->lost.entry[i].u.ptr);
	if (!any || mlb_plan_new(&plan, s->p, &o, NULL) != 0)
		return;
	if (mlb_plan_simulate(plan, NULL) == 0)
		for (uint32_t n = 0; n < plan->g->n_nodes; n++)
			try_action(s, plan, n);
	mlb_plan_free(plan);
}

int
mlb_fsck_salvage(struct mlb_fsck_state *s, struct mlb_err *err)
{
	for (uint32_t i = 0; i < s->lost.n; i++) {
		const struct mlb_fsck_lost *l = s->lost.entry[i].u.ptr;

		/* Else the store takes it for one that it has. */
		if (!mlb_inventory_find(&s->inv, &l->digest))
			mlb_cas_mark_bad(s->p->cas, &l->digest);
	}
	for (size_t i = 0; i < s->owners.holder.n; i++) {
		const struct mlb_holder *h = &s->owners.holder.v[i];

		if (!h->is_tree)
			try_path(s, mlb_fsck_lost_of(s, &h->digest), h->path);
	}
	try_dirs(s);
	try_actions(s);
	/* What is given up for want of time is not lost. */
	if (s->p->io.stops(&s->p->io))
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	return mlb_cas_sync(s->p->cas, err);
}
