/* The log's commits: those that changed mlbuild.lock. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/log.h"
#include "store/vcs_walk.h"

enum { MAX_LOCK = 1 << 30 };

/* ---------------------------------------------------------- locks */

/* One that is not in use; what cannot be read is as if it were empty. */
static struct mlb_log_lock *
lock_of(struct mlb_log *l, const char *id)
{
	struct mlb_log_lock *oldest = &l->lock[0];

	for (size_t i = 0; i < MLB_LOG_LOCKS; i++) {
		if (l->lock[i].used && strcmp(l->lock[i].id, id) == 0) {
			l->lock[i].used = ++l->clock;
			return &l->lock[i];
		}
		if (l->lock[i].used < oldest->used)
			oldest = &l->lock[i];
	}
	mlb_versions_release(&oldest->versions);
	mlb_buf_release(&oldest->text);
	mlb_buf_init(&oldest->text, MAX_LOCK);
	memset(&oldest->versions, 0, sizeof(oldest->versions));
	oldest->parsed = false;
	oldest->used = ++l->clock;
	memcpy(oldest->id, id, strlen(id) + 1);
	if (*id)
		(void)mlb_vcs_blob_read(l->p->vcs, id, &oldest->text, NULL);
	return oldest;
}

static const struct mlb_versions *
parsed(struct mlb_log *l, struct mlb_log_lock *lock, const char *commit)
{
	if (!lock->parsed)
		(void)mlb_versions_parse(&lock->versions, l->p, commit, mlb_buf_str(&lock->text),
					 lock->text.len, NULL);
	lock->parsed = true;
	return &lock->versions;
}

/* The text of a target's block; len 0 without one. */
static const char *
block_text(const struct mlb_log_lock *lock, const char *name, size_t *len)
{
	const char *text = mlb_buf_str(&lock->text), *end;
	size_t n = strlen(name);

	*len = 0;
	for (const char *at = text; (at = strstr(at, name)) != NULL; at += n) {
		if (at == text || at[-1] != ' ' || at[n] != ']')
			continue;
		while (at > text && at[-1] != '\n')
			at--;
		if (*at != '[') {
			at = strchr(at, ']');
			continue;
		}
		end = strstr(at, "\n\n");
		*len = end ? (size_t)(end - at) : strlen(at);
		return at;
	}
	return "";
}

static bool
same_block(const struct mlb_log_lock *a, const struct mlb_log_lock *b, const char *name)
{
	size_t a_len, b_len;
	const char *x = block_text(a, name, &a_len), *y = block_text(b, name, &b_len);

	return a_len == b_len && memcmp(x, y, a_len) == 0;
}

/* ---------------------------------------------------------- one commit */

struct commit {
	struct mlb_log *l;
	const struct mlb_vcs_step *step;
	struct mlb_log_lock *own;
};

static void
add_action(struct commit *c, const char *what, const struct mlb_version *before,
	   const struct mlb_version *now)
{
	struct mlb_log *l = c->l;
	const struct mlb_version *v = now ? now : before;
	struct mlb_log_action a = { .target = mlb_arena_strdup(&l->entry, v->name),
				    .what = what,
				    .key = "",
				    .metrics = "",
				    .commands = 1 };
	char hex[MLB_HEX_LEN + 1];
	struct mlb_result r;

	if (now && !now->folded && !mlb_digest_is_zero(&now->key)) {
		mlb_digest_hex(hex, &now->key);
		a.key = mlb_arena_strdup(&l->entry, hex);
		if (l->cache && mlb_results_find(l->p->results, &r, &l->entry, &now->key, NULL) == 0)
			a.duration = r.duration;
	}
	mlb_log_compare(l, &a, before, now);
	mlb_vec_push(&l->action, a);
}

static void
compare(struct commit *c, const struct mlb_version *now)
{
	const struct mlb_version *first = NULL;

	if (now->row || !mlb_log_means(c->l, now->name, now->base, now->kind))
		return;
	for (size_t i = 0; i < c->step->n_before; i++) {
		struct mlb_log_lock *lock = lock_of(c->l, c->step->before[i]);
		const struct mlb_version *before =
			mlb_versions_find(parsed(c->l, lock, c->step->parent[i]), now->name);

		if (before && mlb_version_same(before, now))
			return;
		if (!first)
			first = before;
	}
	add_action(c, first ? "changed" : "added", first, now);
}

static void
find_removed(struct commit *c)
{
	const struct mlb_versions *own = parsed(c->l, c->own, c->step->commit);
	const struct mlb_versions *before;

	if (c->step->n_before != 1)
		return; /* a merge took one side's word for it */
	before = parsed(c->l, lock_of(c->l, c->step->before[0]), c->step->parent[0]);
	for (size_t i = 0; i < before->all.n; i++) {
		const struct mlb_version *v = &before->all.v[i];

		if (!v->row && mlb_log_means(c->l, v->name, v->base, v->kind) &&
		    !mlb_versions_find(own, v->name))
			add_action(c, "removed", v, NULL);
	}
}

/* Without looking at all of it: has the one target that is asked for changed? */
static bool
may_concern(struct commit *c)
{
	if (!c->l->word || !c->l->exact)
		return true;
	for (size_t i = 0; i < c->step->n_before; i++)
		if (same_block(c->own, lock_of(c->l, c->step->before[i]), c->l->word))
			return false;
	return true;
}

static int
step(void *ctx, const struct mlb_vcs_step *s, struct mlb_err *err)
{
	struct mlb_log *l = ctx;
	struct commit c = { l, s, NULL };
	struct mlb_log_entry e = {
		.what = MLB_LOG_COMMIT,
		.id = s->commit,
		.time = s->time,
		.commit = s->commit,
		.author = s->author,
		.subject = s->subject,
		.words = "",
	};
	const struct mlb_versions *own;
	int rc;

	/* More than that many parents would push each other out of what is kept. */
	if (!s->changed || s->n_before >= MLB_LOG_LOCKS)
		return 0;
	c.own = lock_of(l, s->file);
	if (!may_concern(&c))
		return 0;
	/* git's time has no fractions: what was built in the same second was committed then. */
	rc = mlb_log_runs_until(l, s->time + 999999999, err);
	if (rc)
		return rc;
	own = parsed(l, c.own, s->commit);
	for (size_t i = 0; i < own->all.n; i++)
		compare(&c, &own->all.v[i]);
	find_removed(&c);
	if (!l->action.n) {
		mlb_arena_release(&l->entry);
		return 0;
	}
	return mlb_log_tell(l, &e);
}

int
mlb_log_commits(struct mlb_log *l, struct mlb_err *err)
{
	static const char *const head[] = { "HEAD" };
	char id[MLB_OID_HEX + 1];
	int rc = mlb_vcs_head(l->p->vcs, id, err);

	if (rc == 0 && id[0])
		rc = mlb_vcs_walk(l->p->vcs, head, 1, "mlbuild.lock", step, l, err);
	return rc;
}
