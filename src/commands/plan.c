#include "commands/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "commands/jsonline.h"
#include "commands/lines.h"

enum { FOLDED_FROM = 6 }; /* instances: fewer have a line each */

/* By enum mlb_fate. */
static const struct {
	const char *state;  /* in status */
	const char *future; /* in a dry run */
	const char *json;
	enum paint paint;
} fates[] = {
	[MLB_FATE_CURRENT] = { "up to date", "up to date", "current", PAINT_GOOD },
	[MLB_FATE_RESTORE] = { "in the cache", "will be restored", "restore", PAINT_BUSY },
	[MLB_FATE_RUN] = { "stale", "will run", "run", PAINT_WARN },
	[MLB_FATE_MAYBE] = { "may be stale", "may run", "maybe", PAINT_WARN },
	[MLB_FATE_BLOCKED] = { "blocked", "blocked", "blocked", PAINT_BAD },
	[MLB_FATE_NO] = { "says no", "says no", "no", PAINT_BAD },
};

void
plan_view_init(struct plan_view *v, struct app *app)
{
	memset(v, 0, sizeof(*v));
	v->app = app;
	tabular_init(&v->table, &app->out);
}

void
plan_view_release(struct plan_view *v)
{
	free(v->fold.base);
	mlb_strvec_release(&v->fold.name);
	mlb_strvec_release(&v->fold.reason);
	tabular_release(&v->table);
}

const char *
plan_fate_json(int fate)
{
	return fates[fate].json;
}

void
plan_add_failure(struct jsonline *l, const struct mlb_past_failure *f)
{
	if (!f)
		return;
	mlb_json_key(&l->j, "failed");
	mlb_json_object(&l->j);
	jsonline_time(l, "at", f->at);
	jsonline_str(l, "run", f->run);
	jsonline_str(l, "reason", f->reason);
	jsonline_str(l, "log", f->log);
	mlb_json_end_object(&l->j);
}

static void
print_json(struct out *out, const struct mlb_plan_info *i)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "target", i->name);
	jsonline_str(&l, "kind", i->kind);
	jsonline_str(&l, "fate", fates[i->fate].json);
	jsonline_str(&l, "reason", i->reason);
	jsonline_bool(&l, "present", i->present);
	jsonline_bool(&l, "asked", i->asked);
	jsonline_seconds(&l, "expected", i->expected);
	jsonline_int(&l, "actions", i->actions);
	plan_add_failure(&l, i->failed);
	jsonline_end(&l);
}

static void
begin_row(struct plan_view *v, int fate, const char *name)
{
	tabular_add(&v->table, fates[fate].paint,
		    v->future ? fates[fate].future : fates[fate].state);
	tabular_add(&v->table, PAINT_BOLD, name);
}

static void
add_row(struct plan_view *v, const struct mlb_plan_info *i)
{
	begin_row(v, (int)i->fate, i->name);
	if (i->actions > 1)
		tabular_addf(&v->table, PAINT_PLAIN, "%u commands: %s", i->actions, i->reason);
	else
		tabular_add(&v->table, PAINT_PLAIN, i->reason);
	tabular_end_row(&v->table);
}

/* "fit@*  10 instances: param C: '1' -> '2'" */
static void
add_folded(struct plan_view *v)
{
	const struct plan_fold *f = &v->fold;
	char *all = mlb_asprintf("%s@*", f->base);

	begin_row(v, f->fate, all);
	if (f->differ)
		tabular_addf(&v->table, PAINT_PLAIN, "%zu instances, %s: %s", f->name.n,
			     f->name.v[0], f->reason.v[0]);
	else
		tabular_addf(&v->table, PAINT_PLAIN, "%zu instances%s%s", f->name.n,
			     *f->reason.v[0] ? ": " : "", f->reason.v[0]);
	tabular_end_row(&v->table);
	free(all);
}

/* What was held back becomes rows. */
static void
end_fold(struct plan_view *v)
{
	struct plan_fold *f = &v->fold;

	if (!f->base)
		return;
	if (f->name.n >= FOLDED_FROM) {
		add_folded(v);
	} else {
		for (size_t i = 0; i < f->name.n; i++) {
			begin_row(v, f->fate, f->name.v[i]);
			tabular_add(&v->table, PAINT_PLAIN, f->reason.v[i]);
			tabular_end_row(&v->table);
		}
	}
	free(f->base);
	f->base = NULL;
	mlb_strvec_release(&f->name);
	mlb_strvec_release(&f->reason);
	f->differ = false;
}

/* Is it an instance that may be told with others of its target? Then it is held back. */
static bool
hold_back(struct plan_view *v, const struct mlb_plan_info *i)
{
	struct plan_fold *f = &v->fold;
	size_t len = strcspn(i->name, "@");

	if (f->base && (f->fate != (int)i->fate || strncmp(f->base, i->name, len) != 0 ||
			f->base[len] != '\0' || i->name[len] != '@'))
		end_fold(v);
	if (v->all || i->name[len] != '@' || i->actions > 1)
		return false;
	if (!f->base)
		f->base = mlb_strndup(i->name, len);
	f->fate = (int)i->fate;
	f->differ |= f->reason.n != 0 && strcmp(f->reason.v[0], i->reason) != 0;
	mlb_strvec_push(&f->name, i->name);
	mlb_strvec_push(&f->reason, i->reason);
	return true;
}

int
plan_view_take(void *view, const struct mlb_plan_info *i)
{
	struct plan_view *v = view;

	v->total++;
	v->count[i->fate]++;
	if (i->fate == MLB_FATE_RUN || i->fate == MLB_FATE_MAYBE)
		v->expected += i->expected;
	if (v->app->opt.json) {
		print_json(&v->app->out, i);
		return out_closed(&v->app->out);
	}
	if (i->fate == MLB_FATE_CURRENT && !v->all)
		return 0;
	if (!hold_back(v, i)) {
		end_fold(v);
		add_row(v, i);
	}
	return 0;
}

bool
plan_view_stale(const struct plan_view *v)
{
	return v->count[MLB_FATE_RUN] + v->count[MLB_FATE_MAYBE] + v->count[MLB_FATE_BLOCKED] != 0;
}

void
plan_view_print(struct plan_view *v)
{
	struct out *out = &v->app->out;
	const char *separator = "";

	end_fold(v);
	tabular_print(&v->table, out, "");
	if (v->total == 0) {
		out_adds(out, CMD_NO_TARGETS);
		return;
	}
	if (v->count[MLB_FATE_CURRENT] == v->total) {
		out_addf(out, "everything is up to date (%u target%s)\n", v->total,
			 v->total == 1 ? "" : "s");
		return;
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(fates); i++) {
		if (!v->count[i])
			continue;
		out_addf(out, "%s%u %s", separator, v->count[i],
			 v->future ? fates[i].future : fates[i].state);
		separator = ", ";
	}
	if (v->future && v->expected) {
		out_adds(out, " (");
		lines_duration(&out->buf, v->expected);
		out_adds(out, " of work last time)");
	}
	out_adds(out, "\n");
}
