#include "engine/commits.h"

#include <string.h>

enum { MAX_LOCK = 1 << 30 };

void
mlb_commits_release(struct mlb_commits *c)
{
	mlb_strmap_release(&c->seen);
	mlb_arena_release(&c->arena);
}

static void
hand_out(struct mlb_commits *c, const char *text, size_t len)
{
	struct mlb_lockfile lock;
	bool read;

	mlb_lockfile_init(&lock);
	read = mlb_lockfile_parse(&lock, text, len, NULL) == 0;
	c->fn(c->ctx, read ? &lock : NULL, text, len);
	mlb_lockfile_release(&lock);
}

int
mlb_commits_take(struct mlb_commits *c, const char *rev, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_err why = MLB_ERR_INIT;
	char id[MLB_OID_HEX + 1];
	int rc = mlb_vcs_file_id(c->p->vcs, rev, "mlbuild.lock", id, &why);
	bool is_new = false;

	if (rc == 0 && id[0])
		mlb_strmap_add(&c->seen, mlb_arena_strdup(&c->arena, id), MLB_OID_HEX, &is_new);
	if (is_new)
		rc = mlb_vcs_blob_read(c->p->vcs, id, &text, &why);
	if (is_new && rc == 0)
		hand_out(c, mlb_buf_str(&text), text.len);
	/* A tag may name anything; a commit may be from before there was a lock. */
	if (rc == MLB_ENOTFOUND || rc == MLB_EINVALID)
		rc = 0;
	else if (rc)
		mlb_err_set(err, why.code, "%s", why.text);
	mlb_err_release(&why);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_commits_take_all(struct mlb_commits *c, struct mlb_err *err)
{
	struct mlb_strvec refs = MLB_VEC_INIT;
	int rc = mlb_vcs_refs_but_pins(c->p->vcs, &refs, err);

	if (rc == 0)
		rc = mlb_commits_take(c, "HEAD", err);
	for (size_t i = 0; i < refs.n && rc == 0; i++)
		rc = mlb_commits_take(c, refs.v[i], err);
	mlb_strvec_release(&refs);
	return rc;
}
