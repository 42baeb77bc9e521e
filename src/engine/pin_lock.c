/*
 * The lock in a snapshot.  Sources that git does not keep are named by the lock, and
 * that on disk is from before the build: the snapshot's names them as they are now.
 * HEAD can be the pin only if its own lock does too.
 */
#include "engine/pin_lock.h"

#include <stdlib.h>
#include <string.h>

#include "os/fs.h"

enum { MAX_LOCK = 1 << 30 };

/* A source that is there, and of which git has not the bytes. Of a directory git may have a part: that counts as kept. */
static bool
is_ours(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_g_node *node = &b->g->node[n];
	const char *path;

	if (!b->plan->node[n].wanted || !(node->flags & MLB_G_SOURCE) || node->out.n != 1 ||
	    strcmp(mlb_g_str(b->g, node->name), mlb_g_str(b->g, node->base)) != 0 ||
	    !b->plan->out[node->out.first].kind)
		return false;
	path = mlb_g_path(b->g, b->g->output[node->out.first].path);
	return !mlb_vcs_keeps(b->p->vcs, path) && !mlb_vcs_has_below(b->p->vcs, path);
}

static void
parse(struct mlb_lockfile *out, const struct mlb_buf *text)
{
	mlb_lockfile_init(out);
	if (text->len && mlb_lockfile_parse(out, mlb_buf_str(text), text->len, NULL) != 0) {
		mlb_lockfile_release(out);
		mlb_lockfile_init(out);
	}
}

/* What the lock says of a source now. */
static void
set_source(struct mlb_builder *b, uint32_t n, struct mlb_lockfile *lock)
{
	const struct mlb_g_node *node = &b->g->node[n];
	const struct mlb_now *now = &b->plan->out[node->out.first];
	struct mlb_lock_output out = {
		.path = mlb_g_path(b->g, b->g->output[node->out.first].path),
		.kind = now->kind,
		.digest = now->digest,
		.size = now->size,
	};
	const struct mlb_lock_block block = { .kind = mlb_kind_names[node->kind],
					      .name = mlb_g_str(b->g, node->base),
					      .stamp = "",
					      .output = &out,
					      .n_outputs = 1 };

	mlb_lockfile_set(lock, &block);
}

static bool
says_so(const struct mlb_builder *b, uint32_t n, struct mlb_lockfile *lock)
{
	const struct mlb_g_node *node = &b->g->node[n];
	const struct mlb_lock_block *block = mlb_lockfile_get(lock, mlb_g_str(b->g, node->base));

	return block && !block->other && block->n_outputs == 1 &&
	       mlb_digest_equal(&block->output[0].digest, &b->plan->out[node->out.first].digest);
}

int
mlb_pin_lock(struct mlb_builder *b, struct mlb_buf *out, bool *differs, struct mlb_err *err)
{
	struct mlb_buf head = MLB_BUF_INIT(MAX_LOCK), disk = MLB_BUF_INIT(MAX_LOCK);
	char *path = mlb_project_path(b->p, "mlbuild.lock");
	struct mlb_lockfile of_head, now;
	bool any = false;

	*differs = false;
	for (uint32_t n = 0; n < b->g->n_nodes && !any; n++)
		any = is_ours(b, n);
	if (any && b->head[0])
		mlb_vcs_read(b->p->vcs, b->head, "mlbuild.lock", &head, NULL);
	if (any && mlb_fs_exists(path))
		mlb_fs_read(&disk, path, NULL);
	parse(&of_head, &head);
	parse(&now, &disk);
	for (uint32_t n = 0; n < b->g->n_nodes && any; n++)
		if (is_ours(b, n)) {
			*differs |= !says_so(b, n, &of_head);
			set_source(b, n, &now);
		}
	if (any)
		mlb_lockfile_format(out, &now);
	mlb_lockfile_release(&now);
	mlb_lockfile_release(&of_head);
	mlb_buf_release(&disk);
	mlb_buf_release(&head);
	free(path);
	return mlb_buf_check(out, "mlbuild.lock", err);
}
