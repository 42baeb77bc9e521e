#include <string.h>

#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/note.h"
#include "commands/remote_care.h"
#include "commands/signals.h"
#include "commands/tabular.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "dry-run", "with gc: say what would be done, and do nothing" },
	{ "json", NULL },
	{ "keep-days", "with gc: keep what came in N days (default: 30)" },
	{ "local", "with add: into .mlbuild/config.ini, which is not committed" },
	{ "sample", "with verify: read N percent of the packs, at random" },
	CMD_OPTIONS_END,
};

const struct cmd cmd_remote = {
	.name = "remote",
	.summary = "caches that a team shares: list, add, try, collect",
	.usage = "list|add|check|du|verify|gc [NAME] [URL]",
	.about = "'list' shows the remotes in the order in which they are asked. 'add' writes one\n"
		 "into mlbuild.ini. 'check' makes a round trip and says what is wrong: with the\n"
		 "URL, credentials, rights, certificates or clocks. 'du' says what a remote\n"
		 "'verify' reads all of it, 'gc' removes what no project needs any more.",
	.option = options,
	.words = WORDS_NONE,
	.min_words = 1,
	.max_words = 3,
	.project = true,
	.run = run,
};

struct list {
	struct app *app;
	struct tabular table;
	bool any;
};

static const char *
rights(const struct mlb_remote_info *r)
{
	if (r->read && r->write)
		return r->push ? "read, write, push" : "read, write";
	if (r->write)
		return r->push ? "write, push" : "write";
	return r->read ? "read" : "unused";
}

static int
take(void *ctx, const struct mlb_remote_info *r)
{
	struct list *l = ctx;

	l->any = true;
	if (l->app->opt.json) {
		struct jsonline j;

		jsonline_begin(&j, &l->app->out);
		jsonline_str(&j, "name", r->name);
		jsonline_str(&j, "url", r->url);
		jsonline_str(&j, "backend", r->backend);
		jsonline_bool(&j, "read", r->read);
		jsonline_bool(&j, "write", r->write);
		jsonline_bool(&j, "push", r->push);
		jsonline_end(&j);
		return 0;
	}
	tabular_add(&l->table, PAINT_BOLD, r->name);
	tabular_add(&l->table, PAINT_PLAIN, r->url);
	tabular_add(&l->table, PAINT_DIM, rights(r));
	tabular_end_row(&l->table);
	return 0;
}

static int
list_remotes(struct app *app, struct mlb_err *err)
{
	struct list l = { .app = app };
	int rc;

	tabular_init(&l.table, &app->out);
	rc = mlb_remote_list(app->project, take, &l, err);
	if (rc == 0)
		tabular_print(&l.table, &app->out, "");
	if (rc == 0 && !l.any && !app->opt.json)
		out_adds(&app->err,
			 "there are no remotes: 'mlbuild remote add NAME URL' adds one\n");
	tabular_release(&l.table);
	return rc;
}

static int
add(struct app *app, struct mlb_err *err)
{
	char *note = NULL;
	int rc = mlb_remote_add(app->project, app->word[1], app->word[2], app->opt.local, &note,
				err);

	note_print(app, note);
	return rc;
}

struct trial {
	struct app *app;
	const char *remote;
};

static void
print_step(struct trial *t, const char *remote, const struct mlb_remote_step *s)
{
	struct out *o = &t->app->out;

	if (!t->remote || strcmp(t->remote, remote) != 0) {
		paint_adds(&o->buf, o->color, PAINT_BOLD, remote);
		out_adds(o, "\n");
	}
	t->remote = remote;
	out_adds(o, "  ");
	paint_adds(&o->buf, o->color, s->good ? PAINT_GOOD : PAINT_BAD,
		   s->good ? "ok    " : "failed");
	out_addf(o, "  %s: ", s->what);
	out_clean(o, s->text);
	out_adds(o, "\n");
	if (*s->advice)
		out_addf(o, "          %s\n", s->advice);
	out_flush(o);
}

static void
step(void *ctx, const char *remote, const struct mlb_remote_step *s)
{
	struct trial *t = ctx;
	struct jsonline j;

	if (!t->app->opt.json) {
		print_step(t, remote, s);
		return;
	}
	jsonline_begin(&j, &t->app->out);
	jsonline_str(&j, "remote", remote);
	jsonline_str(&j, "step", s->what);
	jsonline_bool(&j, "good", s->good);
	jsonline_str(&j, "text", s->text);
	jsonline_str(&j, "advice", s->advice);
	jsonline_end(&j);
}

static int
check(struct app *app, struct mlb_err *err)
{
	struct trial t = { .app = app };
	int rc;

	signals_begin(app->project, true);
	rc = mlb_remote_check(app->project, app->n_words > 1 ? app->word[1] : NULL, step, &t, err);
	signals_end();
	return rc;
}

static const struct {
	const char *name;
	size_t least, most; /* words */
	const char *words;  /* those behind it */
	int (*run)(struct app *app, struct mlb_err *err);
} verbs[] = {
	{ "add", 3, 3, " NAME URL", add },  { "check", 1, 2, " [NAME]", check },
	{ "du", 2, 2, " NAME", remote_du }, { "gc", 2, 2, " NAME", remote_gc },
	{ "list", 1, 1, "", list_remotes }, { "verify", 2, 2, " NAME", remote_verify },
};

static int
run(struct app *app, struct mlb_err *err)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(verbs); i++) {
		int rc;

		if (strcmp(app->word[0], verbs[i].name) != 0)
			continue;
		if (app->n_words < verbs[i].least || app->n_words > verbs[i].most)
			return mlb_err_set(err, MLB_EINVALID, "mlbuild remote %s",
					   cmd_remote.usage);
		rc = cmd_open(app, err);
		return rc ? rc : verbs[i].run(app, err);
	}
	return mlb_err_set(err, MLB_EINVALID, "'%s': mlbuild remote %s", app->word[0],
			   cmd_remote.usage);
}
