/* What the lock of the commit names and the cache here lacks: from remotes, before anything is reproduced. */
#include <string.h>

#include "engine/exchange.h"
#include "engine/reproduce.h"

static bool
lacks(struct mlb_repro *r)
{
	const struct mlb_exchange none = { 0 };
	struct mlb_exchange_report report = { 0 };
	struct mlb_exchange_run run = { .p = r->p, .x = &none, .report = &report };
	struct mlb_locked_list list;
	bool read = mlb_locked_read(&list, r->p, r->commit, NULL) == 0, any = false;

	for (size_t i = 0; read && i < list.all.n && !any; i++)
		any = !mlb_cas_has(r->p->cas, &list.all.v[i].digest) &&
		      !mlb_exchange_is_gits(&run, &list.all.v[i]);
	mlb_locked_release(&list);
	return any;
}

static void
pass_on(void *ctx, const struct mlb_event *e)
{
	const struct mlb_repro *r = ctx;

	/* What nobody has is told target by target, in the end. */
	if (e->type == MLB_EV_NOTE && r->opt->on_event)
		r->opt->on_event(r->opt->ctx, e);
}

void
mlb_repro_fetch(struct mlb_repro *r)
{
	const char *rev = r->commit;
	const struct mlb_exchange x = { .word = r->opt->word,
					.n_words = r->opt->rebuild ? 0 : r->opt->n_words,
					.rev = &rev,
					.n_revs = 1,
					.on_event = pass_on,
					.ctx = r };
	struct mlb_exchange_report report = { 0 };
	struct mlb_err why = MLB_ERR_INIT;

	/* Where there is no remote not even the cache is opened. */
	if (mlb_project_config(r->p, NULL) != 0 || !r->p->config->remote.n)
		return;
	if (mlb_project_past(r->p, NULL) == 0 && lacks(r)) {
		int rc = mlb_fetch(r->p, &x, &report, &why);

		if (rc == MLB_EREMOTE && r->opt->on_event) {
			const struct mlb_event e = { .type = MLB_EV_NOTE,
						     .node = "",
						     .kind = "",
						     .by = "",
						     .file = "",
						     .text = why.text,
						     .len = strlen(why.text) };

			r->opt->on_event(r->opt->ctx, &e);
		}
	}
	/* The project that stands for the commit has handles of its own. */
	mlb_project_close_cache(r->p);
	mlb_err_release(&why);
	mlb_exchange_report_release(&report);
}
