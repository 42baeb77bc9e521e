/* A push says that it goes on, and learns what a collection is about to remove (transfer_gc.c). */
#include <stdlib.h>
#include <string.h>

#include "engine/push.h"
#include "os/clock.h"

#define NS INT64_C(1000000000)

static int
put_lease(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	struct mlb_transfer_op o;
	int rc;

	mlb_remote_lease_format(&text, p->lease_start);
	mlb_transfer_put(&o, p->crew, p->lease, &text, NULL);
	rc = mlb_transfer_run(p->t, &o, MLB_SESSION_SOON, err);
	if (rc == 0) {
		p->renewed = mlb_clock_wall();
		if (!p->lease_start)
			p->lease_start = o.op.mtime;
	}
	mlb_transfer_op_release(&o);
	return rc;
}

/* One that cannot be read says nothing; its collector cannot read it either. */
static int
read_condemned(struct mlb_pushing *p, const char *name, struct mlb_err *err)
{
	char *path = mlb_asprintf("leases/%s", name);
	struct mlb_remote_packs packs;
	struct mlb_transfer_op o;
	int rc;

	mlb_transfer_get(&o, p->crew, path, 0, MLB_REMOTE_TO_END, MLB_REMOTE_LEASE_MAX);
	rc = mlb_transfer_run(p->t, &o, MLB_SESSION_SOON, err);
	if (rc && o.op.fault == MLB_FAULT_ABSENT) {
		mlb_err_release(err);
		rc = 0;
	} else if (rc == 0 && mlb_remote_condemned_parse(&packs, mlb_buf_str(&o.data), o.data.len,
							 NULL) == 0) {
		for (size_t i = 0; i < packs.n; i++)
			mlb_digest_set_add(&p->condemned, &packs.v[i]);
		mlb_vec_release(&packs);
	}
	mlb_transfer_op_release(&o);
	free(path);
	return rc;
}

int
mlb_push_look(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_transfer_list l;
	int rc = 0;

	if (!p->lease)
		rc = mlb_remote_lease_name(&p->lease, MLB_LEASE_PUSH, err);
	if (rc == 0)
		rc = put_lease(p, err);
	if (rc)
		return rc;
	p->looked = mlb_clock_wall();
	mlb_transfer_list_init(&l, p->crew, "leases");
	rc = mlb_transfer_run(p->t, &l.o, MLB_SESSION_SOON, err);
	for (size_t i = 0; i < l.entry.n && rc == 0; i++) {
		const struct mlb_transfer_entry *e = &l.entry.v[i];

		if (!p->lease_start && strcmp(e->name, strchr(p->lease, '/') + 1) == 0)
			p->lease_start = e->mtime;
		if (mlb_remote_lease_kind(e->name) == MLB_LEASE_CONDEMNED)
			rc = read_condemned(p, e->name, err);
	}
	mlb_transfer_list_release(&l);
	return rc;
}

int
mlb_push_renew(struct mlb_pushing *p, struct mlb_err *err)
{
	if (!p->lease || mlb_clock_wall() - p->renewed < (int64_t)(p->guard / 4) * NS)
		return 0;
	return put_lease(p, err);
}

bool
mlb_push_took_long(const struct mlb_pushing *p)
{
	int64_t since = mlb_clock_wall() - p->looked;

	return since < 0 || since > (int64_t)(p->guard / 2) * NS;
}

void
mlb_push_leave(struct mlb_pushing *p)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE };
	const char *name = p->lease;

	if (!p->lease)
		return;
	op.names = &name;
	op.n_names = 1;
	/* If it stays it is over a day after its last renewal. */
	mlb_session_run(p->t->session, &op, NULL, NULL);
	mlb_err_release(&op.err);
	free(p->lease);
	p->lease = NULL;
}

bool
mlb_push_is_there(const struct mlb_pushing *p, const struct mlb_digest *digest)
{
	struct mlb_remote_place at;

	return p->t->view && mlb_remote_view_locate_but(p->t->view, &at, digest, &p->condemned);
}
