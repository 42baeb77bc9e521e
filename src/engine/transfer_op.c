/* Operations of a transfer: bounded, and with the remote's name in what they say. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/transfer_priv.h"

static void
op_done(struct mlb_remote_op *op)
{
	struct mlb_transfer_op *o = op->ctx;
	struct mlb_crew *crew = o->crew;

	/* The step may release the operation at once. */
	if (o->then) {
		mlb_crew_add(crew, o->then);
		return;
	}
	mlb_crew_lock(crew);
	o->ended = true;
	mlb_crew_changed(crew);
	mlb_crew_unlock(crew);
}

static int
take_bytes(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_transfer_op *o = op->ctx;

	mlb_buf_add(&o->data, data, len);
	return mlb_buf_check(&o->data, o->name, err);
}

static void
op_init(struct mlb_transfer_op *o, struct mlb_crew *crew, enum mlb_remote_verb verb,
	const char *name, size_t most)
{
	memset(o, 0, sizeof(*o));
	mlb_buf_init(&o->data, most);
	o->crew = crew;
	o->name = mlb_strdup(name);
	o->op.verb = verb;
	o->op.name = o->name;
	o->op.done = op_done;
	o->op.ctx = o;
}

void
mlb_transfer_get(struct mlb_transfer_op *o, struct mlb_crew *crew, const char *name,
		 uint64_t offset, uint64_t len, size_t most)
{
	op_init(o, crew, MLB_REMOTE_GET, name, most);
	o->op.offset = offset;
	o->op.len = len;
	o->op.sink = take_bytes;
}

void
mlb_transfer_put(struct mlb_transfer_op *o, struct mlb_crew *crew, const char *name,
		 struct mlb_buf *data, const struct mlb_digest *sha256)
{
	op_init(o, crew, MLB_REMOTE_PUT, name, data->max);
	o->data = *data;
	memset(data, 0, sizeof(*data));
	o->op.data = mlb_buf_str(&o->data);
	o->op.size = o->data.len;
	o->op.sha256 = sha256 ? sha256->b : NULL;
}

void
mlb_transfer_op_release(struct mlb_transfer_op *o)
{
	mlb_err_release(&o->op.err);
	mlb_buf_release(&o->data);
	free(o->name);
	o->name = NULL;
}

void
mlb_transfer_submit(struct mlb_transfer *t, struct mlb_transfer_op *o, enum mlb_session_priority p)
{
	mlb_session_submit(t->session, &o->op, p);
}

int
mlb_transfer_error(struct mlb_transfer *t, struct mlb_transfer_op *o, struct mlb_err *err)
{
	if (err && err->code == MLB_OK && o->op.err.text) {
		*err = o->op.err;
		o->op.err = (struct mlb_err)MLB_ERR_INIT;
		if (o->op.fault != MLB_FAULT_CANCELLED)
			mlb_transfer_wrap(err, mlb_session_name(t->session));
	}
	return o->op.rc;
}

int
mlb_transfer_run(struct mlb_transfer *t, struct mlb_transfer_op *o, enum mlb_session_priority p,
		 struct mlb_err *err)
{
	mlb_transfer_submit(t, o, p);
	mlb_crew_lock(o->crew);
	while (!o->ended)
		mlb_crew_wait(o->crew);
	mlb_crew_unlock(o->crew);
	return o->op.rc ? mlb_transfer_error(t, o, err) : 0;
}

/* ---------------------------------------------------------- listing */

#define MOST_ENTRIES 4000000 /* of one listing: what says more means harm */

static int
take_entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct mlb_transfer_op *o = op->ctx;
	struct mlb_transfer_list *l = o->ctx;
	struct mlb_transfer_entry own = { NULL, e->size, e->mtime };

	if (l->entry.n >= MOST_ENTRIES)
		return mlb_err_set(err, MLB_ETOOBIG, "'%s' has more than %d files", o->name,
				   MOST_ENTRIES);
	own.name = mlb_strdup(e->name);
	mlb_vec_push(&l->entry, own);
	return 0;
}

void
mlb_transfer_list_init(struct mlb_transfer_list *l, struct mlb_crew *crew, const char *dir)
{
	memset(l, 0, sizeof(*l));
	op_init(&l->o, crew, MLB_REMOTE_LIST, dir, 0);
	l->o.op.entry = take_entry;
	l->o.ctx = l;
}

void
mlb_transfer_list_release(struct mlb_transfer_list *l)
{
	for (size_t i = 0; i < l->entry.n; i++)
		free(l->entry.v[i].name);
	mlb_vec_release(&l->entry);
	mlb_transfer_op_release(&l->o);
}

char *
mlb_transfer_pack_name(const struct mlb_digest *pack)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, pack);
	return mlb_asprintf("packs/%s.pack", hex);
}
