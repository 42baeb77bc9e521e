/* Writing an experiment down. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/builder.h"
#include "engine/experiment.h"
#include "engine/known.h"
#include "engine/metrics.h"
#include "engine/needs.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_TEXT = 256 << 20, MAX_SUBJECT = 120 };

struct keeping {
	struct mlb_project *p;
	struct mlb_arena *arena;
	struct mlb_builder *b; /* NULL: it could not even be planned */
	struct mlb_experiment x;
	struct mlb_buf text; /* trailers */
	struct mlb_buf lock;
};

/* ---------------------------------------------------------- what it is */

static int
by_name(const void *a, const void *b)
{
	const struct mlb_experiment_param *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* What -p gave, with files resolved. */
static void
find_params(struct keeping *k)
{
	const struct mlb_strmap *map = &k->b->p->config->params.map;
	struct mlb_experiment_param *p = mlb_arena_alloc(k->arena, (map->n + 1) * sizeof(*p));
	size_t n = 0;

	for (uint32_t i = 0; i < map->n; i++) {
		const struct mlb_param *param = map->entry[i].u.ptr;

		if (strcmp(param->file, "-p") != 0 || param->map)
			continue;
		p[n].name = param->name;
		p[n++].value = param->text;
	}
	if (n > 1)
		qsort(p, n, sizeof(*p), by_name);
	k->x.param = p;
	k->x.n_params = n;
}

/* By the records of what was asked for: the same whenever it is asked. */
static void
find_times(struct keeping *k)
{
	struct mlb_plan *plan = k->b->plan;

	for (uint32_t n = 0; n < plan->g->n_nodes; n++) {
		const struct mlb_node *node = &plan->node[n];
		struct mlb_result r;

		if (!node->asked || !node->key_known || plan->g->node[n].flags & MLB_G_EACH ||
		    mlb_known_record(plan, &node->key, &r, NULL) != 0)
			continue;
		k->x.duration += r.duration;
		if (r.started > k->x.time)
			k->x.time = r.started;
	}
}

/* ---------------------------------------------------------- its text */

static void
add_value(struct mlb_buf *b, const char *value)
{
	struct mlb_json j;

	for (const char *s = value; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || *value == '"') {
			mlb_json_init(&j, b);
			mlb_json_str(&j, value);
			return;
		}
	mlb_buf_adds(b, value);
}

static void
add_trailer(struct keeping *k, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	mlb_buf_addf(&k->text, "Mlbuild-%s: ", name);
	add_value(&k->text, value);
	mlb_buf_addc(&k->text, '\n');
}

static void
write_trailers(struct keeping *k)
{
	struct mlb_buf time = MLB_BUF_INIT(MLB_KIB);
	const struct mlb_experiment *x = &k->x;

	add_trailer(k, "Project", mlb_experiment_project(k->p));
	for (size_t i = 0; i < x->n_targets; i++)
		add_trailer(k, "Target", x->target[i]);
	for (size_t i = 0; i < x->n_params; i++) {
		mlb_buf_addf(&k->text, "Mlbuild-Param: %s=", x->param[i].name);
		add_value(&k->text, x->param[i].value);
		mlb_buf_addc(&k->text, '\n');
	}
	if (strcmp(x->status, "done") != 0)
		add_trailer(k, "Status", x->status);
	add_trailer(k, "Reason", x->reason);
	if (x->time) {
		mlb_add_time(&time, x->time);
		add_trailer(k, "Time", mlb_buf_str(&time));
	}
	if (x->duration)
		mlb_buf_addf(&k->text, "Mlbuild-Seconds: %.3f\n", (double)x->duration / 1e9);
	if (x->metrics[0])
		mlb_buf_addf(&k->text, "Mlbuild-Metrics: %s\n", x->metrics);
	mlb_buf_release(&time);
}

/* "experiment: model.C=0.1 seed=3", in one line and not for ever. */
static const char *
subject(struct keeping *k)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	const char *s;

	mlb_buf_adds(&b, "experiment:");
	for (size_t i = 0; i < k->x.n_params && b.len < MAX_SUBJECT; i++) {
		mlb_buf_addf(&b, " %s=", k->x.param[i].name);
		add_value(&b, k->x.param[i].value);
	}
	if (b.len > MAX_SUBJECT)
		mlb_buf_truncate(&b, MAX_SUBJECT);
	s = mlb_arena_strdup(k->arena, mlb_buf_str(&b));
	mlb_buf_release(&b);
	return s;
}

/* ---------------------------------------------------------- where it rests */

static int
keep_in_git(struct keeping *k, struct mlb_err *err)
{
	struct mlb_builder *b = k->b;
	const struct mlb_pin_file lock = { "mlbuild.lock", mlb_buf_str(&k->lock), k->lock.len };
	const struct mlb_pin_spec spec = {
		.file = &lock,
		.n_file = 1,
		.subject = subject(k),
		.trailers = mlb_buf_str(&k->text),
		.refs = MLB_EXPERIMENTS,
		.always = true,
		.tree = b->pin,
		.parent = b->head,
	};
	char id[MLB_OID_HEX + 1];
	int rc = mlb_vcs_pin(b->p->vcs, &spec, id, err);

	if (rc == 0)
		k->x.id = mlb_arena_strdup(k->arena, id);
	return rc;
}

static const char *
id_of(struct keeping *k, const char *text, size_t len)
{
	struct mlb_digest d;
	char hex[MLB_HEX_LEN + 1];

	mlb_sha256_of(&d, text, len);
	mlb_digest_hex(hex, &d);
	return mlb_arena_strndup(k->arena, hex, MLB_OID_HEX);
}

/* One that failed has the same name at every try, and as one that succeeds later. */
static const char *
id_of_try(struct keeping *k)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);
	const char *id;

	for (size_t i = 0; i < k->x.n_targets; i++)
		mlb_buf_addf(&b, "%s\n", k->x.target[i]);
	for (size_t i = 0; i < k->x.n_params; i++)
		mlb_buf_addf(&b, "%s=%s\n", k->x.param[i].name, k->x.param[i].value);
	id = id_of(k, mlb_buf_str(&b), b.len);
	mlb_buf_release(&b);
	return id;
}

static int
keep_in_file(struct keeping *k, const char *id, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	char *path = mlb_experiment_file(k->p, id);
	int rc;

	mlb_buf_addf(&text, MLB_EXPERIMENT_HEAD "\n%s\n%s", mlb_buf_str(&k->text),
		     mlb_buf_str(&k->lock));
	k->x.id = id;
	rc = mlb_fs_mkparents(path, err);
	if (rc == 0)
		rc = mlb_fs_write(path, mlb_buf_str(&text), text.len, true, err);
	free(path);
	mlb_buf_release(&text);
	return rc;
}

static void
forget_try(struct keeping *k)
{
	char *path = mlb_experiment_file(k->p, id_of_try(k));

	if (mlb_fs_exists(path))
		(void)mlb_fs_remove_tree(path, NULL);
	free(path);
}

static int
keep_done(struct keeping *k, struct mlb_err *err)
{
	struct mlb_builder *b = k->b;
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_relock_text(b, &k->lock, err);

	/* What the lock names is durable before the lock is. */
	if (rc == 0)
		rc = mlb_cas_sync(b->p->cas, err);
	if (rc)
		return rc;
	if (b->p->vcs && b->pin[0] && keep_in_git(k, &why) == 0)
		k->x.shared = true;
	else
		rc = keep_in_file(k, id_of(k, mlb_buf_str(&k->text), k->text.len), err);
	/* A repository that cannot be written costs others the experiment, not the build. */
	if (why.text)
		mlb_note(b, "the experiment stays on this machine: %s", why.text);
	mlb_err_release(&why);
	if (rc == 0)
		forget_try(k);
	return rc;
}

static void
add_needs(const struct keeping *k, struct mlb_roots *needs)
{
	struct mlb_lockfile lock;

	mlb_lockfile_init(&lock);
	if (mlb_lockfile_parse(&lock, mlb_buf_str(&k->lock), k->lock.len, NULL) == 0)
		mlb_needs_of_lock(needs, &lock);
	mlb_lockfile_release(&lock);
}

int
mlb_experiment_keep(struct mlb_builder *b, int status, const char *why, struct mlb_experiment *x,
		    struct mlb_roots *needs, struct mlb_err *err)
{
	struct keeping k = { .p = b->p,
			     .arena = &b->plan->arena,
			     .b = b,
			     .text = MLB_BUF_INIT(MAX_TEXT),
			     .lock = MLB_BUF_INIT(MAX_TEXT) };
	char *metrics = mlb_asked_metrics(b->plan);
	int rc = mlb_project_config(b->p, err);

	if (rc == 0) {
		find_params(&k);
		k.x.target = b->opt->word;
		k.x.n_targets = b->opt->n_words;
		find_times(&k);
		k.x.metrics = metrics ? mlb_arena_strdup(&b->plan->arena, metrics) : "";
		k.x.status = status == 0 ? "done" : status == MLB_ECHECK ? "no" : "failed";
		k.x.reason = mlb_arena_strdup(&b->plan->arena, status ? why : "");
		k.x.commit = b->head;
		k.x.name = k.x.author = "";
		write_trailers(&k);
		rc = status ? keep_in_file(&k, id_of_try(&k), err) : keep_done(&k, err);
	}
	if (rc == 0 && status == 0 && needs)
		add_needs(&k, needs);
	if (rc == 0 && x)
		*x = k.x;
	free(metrics);
	mlb_buf_release(&k.lock);
	mlb_buf_release(&k.text);
	return rc;
}

int
mlb_experiment_keep_failed(struct mlb_project *p, struct mlb_arena *arena, struct mlb_experiment *x,
			   struct mlb_err *err)
{
	struct keeping k = { .p = p,
			     .arena = arena,
			     .x = *x,
			     .text = MLB_BUF_INIT(MAX_TEXT),
			     .lock = MLB_BUF_INIT(MAX_TEXT) };
	int rc;

	k.x.status = "failed";
	k.x.metrics = k.x.name = k.x.commit = k.x.author = "";
	write_trailers(&k);
	rc = keep_in_file(&k, id_of_try(&k), err);
	*x = k.x;
	mlb_buf_release(&k.text);
	mlb_buf_release(&k.lock);
	return rc;
}
