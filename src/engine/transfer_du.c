/* What a remote takes. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/transfer_care.h"
#include "engine/transfer_priv.h"
#include "store/remote_lease.h"

#define MAX_TEXT ((size_t)1 << 30)

struct counting {
	struct mlb_remote_du *du;
	struct mlb_digest_set packs, objects;
};

static int
count_entry(void *ctx, const struct mlb_remote_place *p)
{
	struct counting *c = ctx;

	mlb_digest_set_add(&c->packs, &p->pack.name);
	if (mlb_digest_set_add(&c->objects, &p->at.digest)) {
		c->du->objects++;
		/* A list's chunks are objects of their own. */
		c->du->objects_bytes += p->at.type == MLB_BLOB_CHUNKS ? 0 : p->at.size;
	}
	return 0;
}

static int
count_record(void *ctx, const struct mlb_segment_record *r)
{
	(void)r;
	((struct mlb_remote_du *)ctx)->records++;
	return 0;
}

static void
count_packs(struct counting *c, const struct mlb_transfer_list *l)
{
	struct mlb_digest d;

	for (size_t i = 0; i < l->entry.n; i++) {
		if (strlen(l->entry.v[i].name) != MLB_HEX_LEN + 5 ||
		    !mlb_digest_parse(&d, l->entry.v[i].name, MLB_HEX_LEN))
			continue;
		c->du->packs++;
		c->du->packs_bytes += l->entry.v[i].size;
		c->du->unlisted += !mlb_digest_set_has(&c->packs, &d);
	}
}

static int
get(struct mlb_transfer *t, struct mlb_crew *crew, struct mlb_buf *out, const char *dir,
    const char *name, struct mlb_err *err)
{
	char *path = mlb_asprintf("%s/%s", dir, name);
	struct mlb_transfer_op o;
	int rc;

	mlb_transfer_get(&o, crew, path, 0, MLB_REMOTE_TO_END, MAX_TEXT);
	rc = mlb_transfer_run(t, &o, MLB_SESSION_SOON, err);
	if (o.op.fault == MLB_FAULT_ABSENT) {
		mlb_err_release(err);
		rc = 0;
	}
	*out = o.data;
	memset(&o.data, 0, sizeof(o.data));
	mlb_transfer_op_release(&o);
	free(path);
	return rc;
}

/* What its roots name, without what is below: that would take a walk through all trees. */
static int
count_clone(struct mlb_transfer *t, struct mlb_crew *crew, struct mlb_remote_du *du,
	    const struct mlb_transfer_entry *e, struct mlb_err *err)
{
	struct mlb_remote_clone clone = { .name = mlb_strdup(e->name), .when = e->mtime };
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_roots roots = { 0 };
	int rc = get(t, crew, &text, "roots", e->name, err);

	if (rc == 0 && mlb_roots_parse(&roots, mlb_buf_str(&text), text.len, NULL) == 0) {
		clone.host = mlb_strdup(roots.host ? roots.host : "");
		clone.dir = mlb_strdup(roots.dir ? roots.dir : "");
		clone.needs = roots.root.n;
	}
	mlb_vec_push(&du->clone, clone);
	mlb_roots_release(&roots);
	mlb_buf_release(&text);
	return rc;
}

static int
count_condemned(struct mlb_transfer *t, struct mlb_crew *crew, struct mlb_remote_du *du,
		const struct mlb_transfer_list *packs, const char *name, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_remote_packs list = MLB_VEC_INIT;
	struct mlb_digest_set set = { 0 };
	struct mlb_digest d;
	int rc = get(t, crew, &text, "leases", name, err);

	if (rc == 0)
		mlb_remote_condemned_parse(&list, mlb_buf_str(&text), text.len, NULL);
	for (size_t i = 0; i < list.n; i++)
		mlb_digest_set_add(&set, &list.v[i]);
	for (size_t i = 0; i < packs->entry.n; i++)
		if (strlen(packs->entry.v[i].name) == MLB_HEX_LEN + 5 &&
		    mlb_digest_parse(&d, packs->entry.v[i].name, MLB_HEX_LEN) &&
		    mlb_digest_set_has(&set, &d))
			du->condemned_bytes += packs->entry.v[i].size;
	mlb_digest_set_release(&set);
	mlb_vec_release(&list);
	mlb_buf_release(&text);
	return rc;
}

enum { PACKS, INDEX, ACTIONS, ROOTS, LEASES, N_DIRS };

static int
list_all(struct mlb_transfer *t, struct mlb_transfer_list list[N_DIRS], struct mlb_err *err)
{
	int rc = 0;

	for (int i = 0; i < N_DIRS; i++)
		mlb_transfer_submit(t, &list[i].o, MLB_SESSION_SOON);
	for (int i = 0; i < N_DIRS; i++) {
		mlb_crew_lock(list[i].o.crew);
		while (!list[i].o.ended)
			mlb_crew_wait(list[i].o.crew);
		mlb_crew_unlock(list[i].o.crew);
		if (rc == 0 && list[i].o.op.rc)
			rc = mlb_transfer_error(t, &list[i].o, err);
	}
	return rc;
}

static void
count_files(const struct mlb_transfer_list *l, uint64_t *n, uint64_t *bytes)
{
	*n = l->entry.n;
	for (size_t i = 0; i < l->entry.n; i++)
		*bytes += l->entry.v[i].size;
}

int
mlb_transfer_du(struct mlb_transfer *t, struct mlb_remote_du *out, struct mlb_err *err)
{
	static const char *const dir[N_DIRS] = { "packs", "index", "actions", "roots", "leases" };
	struct counting c = { .du = out };
	struct mlb_transfer_list list[N_DIRS];
	struct mlb_crew *crew;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!t->view)
		return 0;
	crew = mlb_crew_new(1);
	for (int i = 0; i < N_DIRS; i++)
		mlb_transfer_list_init(&list[i], crew, dir[i]);
	rc = list_all(t, list, err);
	if (rc == 0) {
		mlb_remote_view_each(t->view, count_entry, &c);
		mlb_remote_view_each_record(t->view, count_record, out);
		count_packs(&c, &list[PACKS]);
		count_files(&list[INDEX], &out->indexes, &out->indexes_bytes);
		count_files(&list[ACTIONS], &out->segments, &out->segments_bytes);
	}
	for (size_t i = 0; i < list[ROOTS].entry.n && rc == 0; i++)
		rc = count_clone(t, crew, out, &list[ROOTS].entry.v[i], err);
	for (size_t i = 0; i < list[LEASES].entry.n && rc == 0; i++) {
		const char *name = list[LEASES].entry.v[i].name;

		out->pushes += mlb_remote_lease_kind(name) == MLB_LEASE_PUSH;
		if (mlb_remote_lease_kind(name) == MLB_LEASE_CONDEMNED)
			rc = count_condemned(t, crew, out, &list[PACKS], name, err);
	}
	for (int i = 0; i < N_DIRS; i++)
		mlb_transfer_list_release(&list[i]);
	mlb_digest_set_release(&c.packs);
	mlb_digest_set_release(&c.objects);
	mlb_crew_free(crew);
	return rc;
}

void
mlb_remote_du_release(struct mlb_remote_du *du)
{
	for (size_t i = 0; i < du->clone.n; i++) {
		free(du->clone.v[i].name);
		free(du->clone.v[i].host);
		free(du->clone.v[i].dir);
	}
	mlb_vec_release(&du->clone);
}
