/*
 * The first half of a command's life: inputs looked at once more, files made
 * ready, started. finish.c has the second half.
 */
#include "engine/builder.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/text.h"
#include "engine/each.h"
#include "engine/environment.h"
#include "engine/inputs.h"
#include "engine/undeclared.h"
#include "engine/way.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_COMMAND = 64 << 20, MAX_LOG = 16 << 20 };

struct mlb_work *
mlb_work_new(struct mlb_builder *b, uint32_t n)
{
	struct mlb_work *w = mlb_calloc(1, sizeof(*w));

	w->b = b;
	w->node = n;
	w->cost = b->plan->node[n].path_cost;
	w->grant.token = -1;
	return w;
}

void
mlb_work_clear(struct mlb_work *w)
{
	mlb_job_free(w->job);
	w->job = NULL;
	if (w->root)
		mlb_root_give(w->b->m->roots, w->root);
	w->root = NULL;
	mlb_arena_release(&w->arena);
	mlb_err_release(&w->err);
	w->leader_ended = w->output_ended = false;
	w->stray = NULL;
	w->written = NULL;
	w->n_written = 0;
}

void
mlb_work_free(struct mlb_work *w)
{
	if (!w)
		return;
	mlb_work_clear(w);
	free(w->item);
	free(w);
}

struct mlb_about
mlb_work_about(const struct mlb_work *w)
{
	struct mlb_about a = { w->node, "", 0 };

	if (w->item) {
		a.file = w->b->plan->node[w->node].each->item[w->item[0]].file;
		a.n_files = w->n_items;
	}
	return a;
}

void
mlb_work_give_back(struct mlb_work *w)
{
	int token = w->grant.token;

	mlb_resources_give(w->b->m->resources, &w->grant);
	mlb_jobserver_give(w->b->m->jobserver, token);
}

static const char *
node_name(const struct mlb_work *w)
{
	return mlb_g_str(w->b->g, w->b->g->node[w->node].name);
}

/* ---------------------------------------------------------- before */

static void
list_outputs(struct mlb_work *w)
{
	w->n_outputs = w->action.n_outputs;
	w->output = mlb_arena_alloc(&w->arena, (w->n_outputs + 1) * sizeof(*w->output));
	w->made = mlb_arena_alloc(&w->arena, (w->n_outputs + 1) * sizeof(*w->made));
	for (size_t i = 0; i < w->n_outputs; i++) {
		w->output[i].path = w->action.output[i].path;
		w->output[i].kind = w->action.output[i].kind;
	}
}

static const char *
scratch_dir(struct mlb_work *w)
{
	char hex[MLB_HEX_LEN + 1];

	if (!(w->b->g->node[w->node].flags & MLB_G_SCRATCH))
		return "";
	mlb_digest_hex(hex, w->item ? mlb_each_key(w->b->plan, w->node, w->item[0])
				    : &w->b->plan->node[w->node].key);
	return mlb_arena_printf(&w->arena, "%s/scratch/%.16s", w->b->p->state_dir, hex);
}

/* A file named by what is in it, so that equal lists of commands at one time are one file. */
static int
write_list(struct mlb_work *w, const struct mlb_buf *text, const char **out, struct mlb_err *err)
{
	struct mlb_digest d;
	char hex[MLB_HEX_LEN + 1];
	int rc;

	mlb_sha256_of(&d, mlb_buf_str(text), text->len);
	mlb_digest_hex(hex, &d);
	*out = mlb_arena_printf(&w->arena, "%s/tmp/list-%.16s", w->b->p->state_dir, hex);
	rc = mlb_fs_mkparents(*out, err);
	return rc ? rc : mlb_fs_write(*out, mlb_buf_str(text), text->len, false, err);
}

/* The files of ${NAME:list}: one path a line, relative to the command's directory, of all instances that it names. */
static int
write_lists(struct mlb_work *w, const char ***out, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_range list = b->g->node[w->node].list;
	int rc = 0;

	*out = mlb_arena_alloc(&w->arena, (list.n + 1) * sizeof(**out));
	for (uint32_t i = 0; i < list.n && rc == 0; i++) {
		uint32_t group = mlb_action_list_group(b->g, w->node, i);
		struct mlb_buf text = MLB_BUF_INIT(MAX_COMMAND);

		(*out)[i] = NULL;
		for (uint32_t k = 0; k < group && rc == 0; k++)
			rc = mlb_each_list(b->plan, b->g->index[list.first + i + k], w->action.dir,
					   &text, err);
		if (rc == 0 && group)
			rc = write_list(w, &text, &(*out)[i], err);
		mlb_buf_release(&text);
	}
	return rc;
}

static int
make_command(struct mlb_work *w, const char *scratch, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_COMMAND);
	const char **list;
	int rc = write_lists(w, &list, err);

	if (rc == 0)
		rc = mlb_action_command(&text, &w->action, scratch, list,
					w->b->g->node[w->node].list.n, err);
	if (rc == 0)
		rc = mlb_buf_check(&text, "the command", err);
	if (rc == 0)
		w->command = mlb_arena_strndup(&w->arena, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
	return rc;
}

/* Its text in private roots is the variant's: they have it already, and no cache does. */
static bool
is_rewritten(const struct mlb_project *p, const char *path)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (strcmp(p->file[i].path, path) == 0)
			return true;
	return false;
}

static int
store_input(struct mlb_builder *b, uint32_t at, const struct mlb_now *was, struct mlb_err *err)
{
	int rc = mlb_scan_store(&b->p->scan, at, b->p->cas, err);

	if (rc == 0 && !mlb_cas_has(b->p->cas, &was->digest))
		rc = mlb_err_set(err, MLB_EFAILED, "its input '%s' changed meanwhile: build again",
				 mlb_g_path(b->g, at));
	return rc;
}

/* One input into the work's root, if it is not among the project's files there already. */
static int
put_input(struct mlb_work *w, uint32_t at, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_g_input input = { .path = at, .producer = b->g->path_producer[at] };
	struct mlb_now now = mlb_input_now(b->plan, &input);
	const char *path = mlb_g_path(b->g, at);
	bool made = input.producer != MLB_NONE &&
		    !(b->g->node[input.producer].flags & MLB_G_SOURCE);
	int rc = 0;

	if (!made &&
	    (is_rewritten(b->p, path) ||
	     (now.kind != MLB_O_TREE && mlb_root_holds(w->root, path, &b->p->scan.state[at].st)) ||
	     mlb_root_links(w->root, path)))
		return 0;
	if (!made && !mlb_cas_has(b->p->cas, &now.digest))
		rc = store_input(b, at, &now, err);
	return rc ? rc : mlb_root_input(w->root, path, now.kind, &now.digest, err);
}

/* A private root with what the command reads; of the files of `each` its own, or the directory that they are in. */
static int
prepare_root(struct mlb_work *w, struct mlb_err *err)
{
	const struct mlb_each *e = w->b->plan->node[w->node].each;
	uint32_t last = MLB_NONE;
	const struct mlb_project *p = w->b->p;
	int rc = mlb_root_take_as(&w->root, w->b->m->roots, p->file, p->n_files, err);

	for (uint32_t k = 0; k < mlb_inputs_count(w) && rc == 0; k++)
		rc = put_input(w, mlb_inputs_at(w, k)->path, err);
	for (uint32_t i = 0; i < w->n_items && rc == 0; i++) {
		uint32_t at = e->item[w->item[i]].in_path;

		if (at != last)
			rc = put_input(w, at, err);
		last = at;
	}
	return rc;
}

static bool
is_unknown(struct mlb_work *w, const char *path)
{
	const struct mlb_graph *g = w->b->g;
	const struct mlb_range out = g->node[w->node].out;

	if (w->item)
		return mlb_each_is_unknown(w->b, path);
	for (uint32_t o = out.first; o < out.first + out.n; o++)
		if (strcmp(mlb_g_path(g, g->output[o].path), path) == 0)
			return mlb_is_unknown(w->b, o);
	return false;
}

/* What the user put at an output's path is kept aside once the new output is accepted. */
static void
keep_unknown_outputs(struct mlb_work *w)
{
	for (size_t i = 0; i < w->n_outputs && !w->root; i++) {
		char *to;

		if (!is_unknown(w, w->output[i].path))
			continue;
		to = mlb_aside_for(w->b, w->output[i].path);
		w->output[i].keep = mlb_arena_strdup(&w->arena, to);
		free(to);
	}
}

/* Between start and note nothing may stop us: the command would go on alone. */
static int
start_and_note(struct mlb_work *w, const struct mlb_job_spec *spec, struct mlb_err *err)
{
	sigset_t stop, old;
	int rc;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &stop, &old);
	rc = mlb_job_start(&w->job, spec, w->b->m->journal, err);
	if (rc == 0)
		mlb_suspension_add(w->b->p->suspension, mlb_job_group(w->job));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int
make_way(struct mlb_work *w, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < w->n_outputs && rc == 0 && !w->root; i++)
		rc = mlb_make_way(w->b, w->output[i].path, w->output[i].kind, err);
	return rc;
}

/* Without a secret it would do something else, and nothing in its key would tell. */
static int
check_secrets(struct mlb_work *w, struct mlb_err *err)
{
	const char *name = mlb_work_missing_secret(w);

	if (!name)
		return 0;
	return mlb_err_set(err, MLB_EINVALID,
			   "the secret '%s' is not set: export it, to an empty value if need be",
			   name);
}

static int
start_job(struct mlb_work *w, const char *scratch, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_g_node *node = &b->g->node[w->node];
	struct mlb_job_spec spec = {
		.name = node_name(w),
		.root = w->root ? mlb_root_dir(w->root) : b->p->root,
		.state_dir = b->p->state_dir,
		.dir = mlb_g_str(b->g, node->dir),
		.shell = mlb_g_str(b->g, node->shell),
		.command = w->command,
		.output = w->output,
		.n_outputs = w->n_outputs,
		.scratch = scratch,
		.timeout_ns = b->g->exec[node->exec].timeout,
		.max_log = MAX_LOG,
	};

	if (w->item)
		spec.part = mlb_work_about(w).file;
	spec.pass = mlb_jobserver_descriptors(b->m->jobserver, &spec.n_pass);
	spec.env = mlb_work_environment(w);
	spec.secret = mlb_work_secrets(w);
	return start_and_note(w, &spec, err);
}

/* A command that cannot even be started is a failure of its target, not of the build. */
static int
cannot_start(struct mlb_work *w, struct mlb_err *err)
{
	const struct mlb_about about = mlb_work_about(w);
	struct mlb_failure f = {
		.command = w->command ? w->command : "", .log_tail = "", .log_path = "", .kept = ""
	};

	f.reason = err && err->text ? err->text : "it cannot be started";
	mlb_record_failed(w->b, w->node, w, f.reason);
	mlb_tell_failure(w->b, MLB_EV_FAILED, &about, &f, 0);
	mlb_node_failed(w->b, w->node, MLB_PH_FAILED);
	return MLB_EFAILED;
}

static unsigned
free_lane(struct mlb_builder *b)
{
	for (unsigned i = 0; i < 63; i++)
		if (!(b->lanes & ((uint64_t)1 << i))) {
			b->lanes |= (uint64_t)1 << i;
			return i;
		}
	return 63;
}

/* 0: not known. */
static uint64_t
expected_time(const struct mlb_work *w)
{
	const struct mlb_node *node = &w->b->plan->node[w->node];

	return node->measured ? node->duration * MLB_MAX(w->n_items, 1U) : 0;
}

int
mlb_work_start(struct mlb_work *w, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_about about;
	const char *scratch;
	int rc = mlb_inputs_before(w, err);

	if (rc)
		return rc;
	if (w->item)
		rc = mlb_each_action(w, err);
	else
		mlb_node_action(b->plan, w->node, &w->arena, &w->action);
	if (rc)
		return rc;
	list_outputs(w);
	scratch = scratch_dir(w);
	rc = make_command(w, scratch, &why);
	if (rc == 0)
		rc = check_secrets(w, &why);
	if (rc == 0 && mlb_is_variant(b->p))
		rc = prepare_root(w, &why);
	if (rc == 0)
		rc = make_way(w, &why);
	if (rc == 0) {
		keep_unknown_outputs(w);
		mlb_undeclared_before(w);
		rc = start_job(w, scratch, &why);
	}
	if (rc) {
		rc = cannot_start(w, &why);
		mlb_err_release(&why);
		return rc;
	}
	w->tries++;
	w->started = mlb_clock_mono();
	w->lane = free_lane(b);
	about = mlb_work_about(w);
	mlb_tell_about(b, MLB_EV_START, &about, w->command, expected_time(w));
	return 0;
}

/* ---------------------------------------------------------- while */

void
mlb_work_said(void *work, const char *text, size_t len)
{
	struct mlb_work *w = work;
	const struct mlb_about about = mlb_work_about(w);

	mlb_tell_output(w->b, MLB_EV_OUTPUT, &about, text, len);
}

/* What a progress bar shows that is drawn over and over again on one line. */
static void
tell_unended(struct mlb_work *w)
{
	const struct mlb_about about = mlb_work_about(w);
	size_t len;
	const char *text = mlb_job_unended(w->job, &len);

	if (len)
		mlb_tell_output(w->b, MLB_EV_UNENDED, &about, text, len);
}

void
mlb_work_output(struct mlb_work *w)
{
	if (w->output_ended)
		return;
	if (mlb_job_read(w->job, mlb_work_said, w)) {
		tell_unended(w);
		return;
	}
	w->output_ended = true; /* and closed, by which it left the epoll set */
}

void
mlb_work_stop(struct mlb_work *w, bool timed_out)
{
	mlb_job_stop(w->job, timed_out);
}
