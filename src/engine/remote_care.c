/* A remote looked after: what it takes, whether it is right, and what of it may go. */
#include <poll.h>
#include <string.h>

#include "base/hex.h"
#include "engine/exchange.h"
#include "engine/transfer_care.h"
#include "os/clock.h"

struct care {
	struct mlb_project *p;
	const struct mlb_remote_care *c;
	uint64_t began; /* monotonic ns */
};

static void
tell(struct care *s, struct mlb_event *e)
{
	e->node = e->kind = e->by = e->file = "";
	if (!e->text)
		e->text = "";
	e->len = strlen(e->text);
	e->duration = mlb_clock_mono() - s->began;
	if (s->c->on_event)
		s->c->on_event(s->c->ctx, e);
}

/* A mlb_transfer_tick. */
static int
tick(void *ctx, const struct mlb_transfer_progress *t)
{
	struct care *s = ctx;
	struct mlb_event e = { .type = MLB_EV_PROGRESS,
			       .files = t->objects,
			       .bytes = t->bytes,
			       .total_bytes = t->all_bytes };
	struct pollfd fd = { .fd = s->p->cancel_fd, .events = POLLIN };

	tell(s, &e);
	return poll(&fd, 1, 0) > 0;
}

/* The remote of that name, of which is known what it has. */
static int
begin(struct mlb_remote_use **out, struct mlb_project *p, const char *name, struct mlb_err *err)
{
	int rc = mlb_project_past(p, err);

	if (rc == 0)
		rc = mlb_project_remotes(p, err);
	if (rc == 0)
		rc = mlb_remotes_named(out, p->remotes, name, err);
	if (rc)
		return rc;
	(*out)->asked = true;
	if (mlb_transfer_refresh((*out)->transfer, &(*out)->fault, &(*out)->err))
		return mlb_exchange_unusable(*out, err);
	return 0;
}

static int
wrap(int rc, const struct mlb_remote_use *u, struct mlb_err *err)
{
	if (rc)
		mlb_transfer_wrap(err, u->name);
	return rc;
}

int
mlb_remote_usage(struct mlb_project *p, const char *name, struct mlb_remote_usage *out,
		 struct mlb_err *err)
{
	struct mlb_remote_use *u = NULL;
	struct mlb_remote_du du = { 0 };
	int rc = begin(&u, p, name, err);

	memset(out, 0, sizeof(*out));
	if (rc)
		return rc;
	rc = mlb_transfer_du(u->transfer, &du, err);
	*out = (struct mlb_remote_usage){
		.packs = du.packs,
		.packs_bytes = du.packs_bytes,
		.objects = du.objects,
		.objects_bytes = du.objects_bytes,
		.records = du.records,
		.rest_bytes = du.indexes_bytes + du.segments_bytes,
		.condemned_bytes = du.condemned_bytes,
		.pushes = du.pushes,
		.clones = du.clone.n,
	};
	mlb_remote_du_release(&du);
	return wrap(rc, u, err);
}

static void
note_bad(void *ctx, const struct mlb_digest *digest, const struct mlb_digest *pack, bool whole)
{
	char object[MLB_HEX_LEN + 1], in[MLB_HEX_LEN + 1];
	struct mlb_event e = { .type = MLB_EV_NOTE };
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);

	mlb_digest_hex(object, digest);
	mlb_digest_hex(in, pack);
	if (whole)
		mlb_buf_addf(&text, "pack %s is not there, or not what its name says", in);
	else
		mlb_buf_addf(&text, "object %s in pack %s is damaged", object, in);
	e.text = mlb_buf_str(&text);
	tell(ctx, &e);
	mlb_buf_release(&text);
}

int
mlb_remote_verify(struct mlb_project *p, const struct mlb_remote_care *c,
		  struct mlb_remote_verified *report, struct mlb_err *err)
{
	struct care s = { .p = p, .c = c, .began = mlb_clock_mono() };
	const struct mlb_remote_verify v = {
		.percent = c->percent, .on_bad = note_bad, .tick = tick, .ctx = &s
	};
	struct mlb_remote_verify_report r = { 0 };
	struct mlb_remote_use *u = NULL;
	int rc = begin(&u, p, c->name, err);

	memset(report, 0, sizeof(*report));
	if (rc)
		return rc;
	rc = wrap(mlb_transfer_verify(u->transfer, &v, &r, err), u, err);
	*report = (struct mlb_remote_verified){ .packs = r.packs,
						.objects = r.objects,
						.bytes = r.bytes,
						.bad_packs = r.bad_packs,
						.bad_objects = r.bad_objects,
						.duration = mlb_clock_mono() - s.began };
	if (rc == 0 && (r.bad_packs || r.bad_objects))
		rc = mlb_err_set(err, MLB_ECORRUPT,
				 "remote '%s' (%s) is damaged: 'mlbuild push', by whoever has what "
				 "was in it, sends that again",
				 u->name, u->url);
	return rc;
}

int
mlb_remote_gc(struct mlb_project *p, const struct mlb_remote_care *c,
	      struct mlb_remote_collected *report, struct mlb_err *err)
{
	struct care s = { .p = p, .c = c, .began = mlb_clock_mono() };
	const struct mlb_remote_gc gc = {
		.keep_days = c->keep_days, .dry_run = c->dry_run, .tick = tick, .ctx = &s
	};
	struct mlb_remote_gc_report r = { 0 };
	struct mlb_remote_use *u = NULL;
	int rc = begin(&u, p, c->name, err);

	memset(report, 0, sizeof(*report));
	if (rc == 0 && !u->write)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "[remote %s] has write = no: nothing is removed there", u->name);
	if (rc)
		return rc;
	rc = wrap(mlb_transfer_gc(u->transfer, &gc, &r, err), u, err);
	*report = (struct mlb_remote_collected){ .packs = r.packs,
						 .bytes = r.bytes,
						 .condemned = r.condemned,
						 .condemned_bytes = r.condemned_bytes,
						 .waiting = r.waiting,
						 .waiting_bytes = r.waiting_bytes,
						 .removed = r.removed,
						 .removed_bytes = r.removed_bytes,
						 .rescued = r.rescued,
						 .next = r.next,
						 .duration = mlb_clock_mono() - s.began };
	return rc;
}
