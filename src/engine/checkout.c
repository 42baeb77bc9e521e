/*
 * mlb_checkout: what a lock names, into the workspace.
 *
 * 1. Only the outputs that were asked for are looked at, by a scan of their own:
 *    the lock may be that of another commit, and of other targets than there are.
 * 2. Workers place; this thread tells how far they are and may be cancelled.
 * 3. What no cache has is moved to .mlbuild/aside/RUN unless force is set.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/checkout.h"
#include "engine/claim.h"
#include "engine/journal.h"
#include "engine/needs.h"
#include "engine/runid.h"
#include "os/clock.h"
#include "os/path.h"

#define TICK_MS 100              /* between two words about progress */
#define LARGE_TREE (4 * MLB_MIB) /* a directory from here on gets all threads */

void
mlb_checkout_report_release(struct mlb_checkout_report *r)
{
	free(r->aside);
	memset(r, 0, sizeof(*r));
}

/* ---------------------------------------------------------- telling */

static void
tell(struct mlb_checkout_run *c, enum mlb_event_type type, const struct mlb_locked *l,
     const char *text)
{
	struct mlb_event e = { .type = type,
			       .node = l ? l->name : "",
			       .kind = l ? l->kind : "",
			       .by = "",
			       .text = text,
			       .len = strlen(text),
			       .total = (uint32_t)c->n_todo,
			       .finished = c->finished,
			       .duration = mlb_clock_mono() - c->began };

	e.files = atomic_load(&c->count.files);
	e.bytes = atomic_load(&c->count.bytes);
	e.total_bytes = c->total_bytes;
	if (c->opt->on_event)
		c->opt->on_event(c->opt->ctx, &e);
}

static void
tell_wait(void *ctx, const char *holder)
{
	tell(ctx, MLB_EV_WAIT, NULL, holder);
}

static void
note_kept(struct mlb_checkout_run *c, const char *path, uint64_t kept, bool dir)
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_KIB);

	mlb_buf_addf(&text, "'%s': ", path);
	if (dir)
		mlb_buf_adds(&text, "a directory with what no cache has is kept");
	else if (kept == 1)
		mlb_buf_adds(&text, "a file that no cache has is kept");
	else
		mlb_buf_addf(&text, "%llu files that no cache has are kept",
			     (unsigned long long)kept);
	mlb_buf_addf(&text, " in '%s/%s'", c->aside + strlen(c->p->root) + 1, path);
	tell(c, MLB_EV_NOTE, NULL, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

void
mlb_checkout_note_kept(struct mlb_checkout_run *c, const char *path, uint64_t kept)
{
	note_kept(c, path, kept, false);
}

/* What an item kept, removed or could not have. */
static void
tell_item(struct mlb_checkout_run *c, const struct mlb_checkout_item *it)
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_KIB);
	uint64_t kept = atomic_load(&it->kept);

	if (it->skipped) {
		mlb_buf_addf(&text, "'%s' is a link: what it leads to is left as it is",
			     it->l->path);
		tell(c, MLB_EV_NOTE, NULL, mlb_buf_str(&text));
		mlb_buf_release(&text);
		return;
	}
	if (kept)
		note_kept(c, it->l->path, kept, it->kept_dir);
	if (it->err.code != MLB_OK)
		tell(c, MLB_EV_BLOCKED, it->l, it->err.text);
	else if (it->touched)
		tell(c, MLB_EV_RESTORED, it->l, it->l->path);
	mlb_buf_release(&text);
}

/* ---------------------------------------------------------- which outputs */

static int
by_path(const void *a, const void *b)
{
	const struct mlb_locked *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* A lock is a file that came from somewhere: nothing in it may lead into .git or .mlbuild, or out of the project. */
static int
check_path(struct mlb_checkout_run *c, const char *path, struct mlb_err *err)
{
	for (const char *s = path;; s++) {
		size_t len = strcspn(s, "/");

		if (mlb_tree_check_name(s, len, NULL) < 0)
			return mlb_err_set(err, MLB_EINVALID,
					   "%s names '%s', which can be no output",
					   mlb_locked_where(&c->list), path);
		s += len;
		if (!*s)
			return 0;
	}
}

/* No output may be another's, or be inside of it. */
static int
check_paths(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	int rc = 0;

	for (size_t i = 0; i < c->n_items && rc == 0; i++) {
		const char *path = c->item[i].l->path;
		bool is_new;

		rc = check_path(c, path, err);
		mlb_strmap_add(&seen, path, strlen(path), &is_new);
		if (rc == 0 && !is_new)
			rc = mlb_err_set(err, MLB_EINVALID, "%s names '%s' twice",
					 mlb_locked_where(&c->list), path);
	}
	for (size_t i = 0; i < c->n_items && rc == 0; i++) {
		const char *path = c->item[i].l->path;

		for (const char *s = strchr(path, '/'); s && rc == 0; s = strchr(s + 1, '/'))
			if (mlb_strmap_find(&seen, path, (size_t)(s - path)))
				rc = mlb_err_set(err, MLB_EINVALID,
						 "%s names '%s', which is inside of another output",
						 mlb_locked_where(&c->list), path);
	}
	mlb_strmap_release(&seen);
	return rc;
}

static int
choose(struct mlb_checkout_run *c, const uint8_t *mark, struct mlb_err *err)
{
	MLB_VEC(const struct mlb_locked *) chosen = MLB_VEC_INIT;
	enum mlb_whose whose = MLB_OURS;
	int rc = 0;

	for (size_t i = 0; i < c->list.all.n && rc == 0; i++) {
		const struct mlb_locked *l = &c->list.all.v[i];

		if (mark && !mark[i])
			continue;
		if (!l->path) {
			c->report->missing++;
			tell(c, MLB_EV_BLOCKED, l, "the list of its outputs is not in the cache");
			continue;
		}
		rc = mlb_checkout_whose(c, l, &whose, err);
		if (whose != MLB_GITS)
			mlb_vec_push(&chosen, l);
	}
	if (chosen.n)
		qsort(chosen.v, chosen.n, sizeof(*chosen.v), by_path);
	c->item = mlb_calloc(chosen.n + 1, sizeof(*c->item));
	c->n_items = chosen.n;
	for (size_t i = 0; i < chosen.n && rc == 0; i++) {
		rc = mlb_checkout_whose(c, chosen.v[i], &whose, err);
		c->item[i].whose = (uint8_t)whose;
		c->item[i].l = chosen.v[i];
		c->item[i].c = c;
		c->item[i].at = i;
	}
	mlb_vec_release(&chosen);
	return rc;
}

static int
select_items(struct mlb_checkout_run *c, struct mlb_err *err)
{
	uint8_t *mark = NULL;
	int rc = 0;

	if (c->opt->n_words)
		mark = mlb_calloc(c->list.all.n + 1, 1);
	for (size_t i = 0; i < c->opt->n_words && rc == 0; i++)
		rc = mlb_locked_mark(&c->list, c->p, c->opt->word[i], mark, err);
	if (rc == 0)
		rc = choose(c, mark, err);
	if (rc == 0)
		rc = check_paths(c, err);
	free(mark);
	return rc;
}

/* ---------------------------------------------------------- what is there */

static uint8_t
pkind(uint8_t okind)
{
	return okind == MLB_O_TREE ? MLB_P_TREE : okind == MLB_O_EXEC ? MLB_P_EXEC : MLB_P_FILE;
}

static int
scan_items(struct mlb_checkout_run *c, struct mlb_err *err)
{
	int rc;

	c->path = mlb_calloc(c->n_items + 1, sizeof(*c->path));
	for (size_t i = 0; i < c->n_items; i++)
		c->path[i] = c->item[i].l->path;
	rc = mlb_scan_init(&c->scan, c->p->root, c->path, NULL, c->n_items, c->p->db, c->p->threads,
			   err);
	c->scan.unless = mlb_project_io(c->p);
	for (size_t i = 0; i < c->n_items && rc == 0; i++)
		c->scan.state[i].source = c->item[i].l->source;
	return rc ? rc : mlb_scan_run(&c->scan, err);
}

/* Is there anything to do, and can it be done? */
static void
judge(struct mlb_checkout_run *c, struct mlb_checkout_item *it)
{
	const struct mlb_path_state *s = &c->scan.state[it->at];

	if (s->kind == pkind(it->l->okind) && mlb_digest_equal(&s->digest, &it->l->digest)) {
		c->report->current++;
		return;
	}
	it->todo = true;
	it->threads = it->l->size >= LARGE_TREE ? c->p->threads : 1;
	c->n_todo++;
	c->total_bytes += it->l->size;
}

/* ---------------------------------------------------------- doing it */

static void
finish_item(struct mlb_task *t)
{
	struct mlb_checkout_item *it = (struct mlb_checkout_item *)t;
	struct mlb_checkout_run *c = it->c;

	c->finished++;
	if (it->err.code == MLB_OK && it->touched && it->l->okind != MLB_O_TREE)
		mlb_scan_set(&c->scan, it->at, pkind(it->l->okind), &it->l->digest, it->l->size,
			     &it->err);
	switch (it->err.code) {
	case MLB_OK:
		c->report->placed += it->touched;
		c->report->current += !it->touched && !it->skipped;
		break;
	case MLB_ENOTFOUND:
	case MLB_ECORRUPT:
		c->report->missing++;
		c->missing_sources += it->l->source;
		break;
	default:
		/* It would be the same with the next one: the disk is full, or a directory is read-only. */
		atomic_store(&c->stop, true);
		if (c->err.code == MLB_OK)
			mlb_err_set(&c->err, it->err.code, "%s", it->err.text);
		return;
	}
	tell_item(c, it);
}

/* Wait for the workers; say now and then how far they are. */
static void
wait_for_all(struct mlb_checkout_run *c, struct mlb_pool *pool)
{
	struct pollfd fd[2] = { { mlb_pool_fd(pool), POLLIN, 0 }, { c->p->cancel_fd, POLLIN, 0 } };
	uint64_t told = mlb_clock_mono();

	while (c->finished < c->n_todo) {
		(void)poll(fd, atomic_load(&c->stop) ? 1 : 2, TICK_MS);
		if (fd[1].revents & POLLIN) {
			atomic_store(&c->stop, true);
			c->cancelled = true;
			fd[1].revents = 0;
		}
		mlb_pool_dispatch(pool);
		if (mlb_clock_mono() - told >= TICK_MS * UINT64_C(1000000)) {
			tell(c, MLB_EV_PROGRESS, NULL, "");
			told = mlb_clock_mono();
		}
	}
	mlb_pool_drain(pool);
}

static int
do_items(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_pool *pool = NULL;
	int rc = 0;

	for (size_t i = 0; i < c->n_items; i++)
		judge(c, &c->item[i]);
	if (!c->n_todo)
		return 0;
	rc = mlb_checkout_sources(c, err);
	if (rc == 0)
		rc = mlb_pool_new(&pool, (unsigned)MLB_MIN(c->p->threads, c->n_todo), err);
	if (rc)
		return rc;
	tell(c, MLB_EV_PROGRESS, NULL, "");
	for (size_t i = 0; i < c->n_items; i++) {
		if (!c->item[i].todo)
			continue;
		c->item[i].task.work = mlb_checkout_work;
		c->item[i].task.done = finish_item;
		mlb_pool_add(pool, &c->item[i].task);
	}
	wait_for_all(c, pool);
	mlb_pool_free(pool);
	return 0;
}

static int
save_scan(struct mlb_checkout_run *c, struct mlb_err *err)
{
	int rc = mlb_db_begin(c->p->db, err);

	if (rc == 0)
		rc = mlb_scan_save(&c->scan, c->p->cas, err);
	if (rc == 0)
		rc = mlb_db_commit(c->p->db, err);
	if (rc)
		mlb_db_rollback(c->p->db);
	return rc;
}

static int
recover(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_buf note = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_journal *journal = NULL;
	unsigned undone = 0;
	int rc = mlb_journal_open(&journal, c->p->root, c->p->state_dir, &undone, &note, err);

	if (rc == 0 && undone)
		tell(c, MLB_EV_NOTE, NULL, mlb_buf_str(&note));
	mlb_journal_close(journal);
	mlb_buf_release(&note);
	return rc;
}

/* ---------------------------------------------------------- the whole */

static int
choose_link(struct mlb_checkout_run *c, struct mlb_err *err)
{
	const char *link = c->opt->link ? c->opt->link : "";

	if (!link[0])
		link = strcmp(c->p->config->cache_link, "hardlink") == 0 ? "hardlink" : "reflink";
	if (strcmp(link, "reflink") == 0)
		c->how = MLB_LINK_COPY;
	else if (strcmp(link, "copy") == 0)
		c->how = MLB_LINK_BYTES;
	else if (strcmp(link, "hardlink") == 0)
		c->how = MLB_LINK_HARD;
	else
		return mlb_err_set(err, MLB_EINVALID, "'%s' is none of reflink, copy and hardlink",
				   link);
	return 0;
}

/* What no cache has: no build makes sources. */
static int
lacks(struct mlb_checkout_run *c, struct mlb_err *err)
{
	uint32_t n = c->report->missing, sources = c->missing_sources;

	if (sources == n)
		return mlb_err_set(err, MLB_EFAILED,
				   "the cache does not have %u source%s, and no build makes %s: "
				   "put %s back from another copy",
				   n, n == 1 ? "" : "s", n == 1 ? "it" : "them",
				   n == 1 ? "it" : "them");
	if (sources)
		return mlb_err_set(err, MLB_EFAILED,
				   "the cache does not have %u outputs, of which %u %s: put what "
				   "no build makes back from another copy, and build the rest again",
				   n, sources, sources == 1 ? "is a source" : "are sources");
	return mlb_err_set(err, MLB_EFAILED, "the cache does not have %u output%s: build %s again",
			   n, n == 1 ? "" : "s", n == 1 ? "it" : "them");
}

static int
verdict(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_checkout_report *r = c->report;

	r->files = atomic_load(&c->count.files);
	r->bytes = atomic_load(&c->count.bytes);
	r->removed = atomic_load(&c->count.removed);
	r->kept = atomic_load(&c->count.kept);
	r->aside = mlb_strdup(r->kept ? c->aside + strlen(c->p->root) + 1 : "");
	r->duration = mlb_clock_mono() - c->began;
	if (c->cancelled)
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	if (c->err.code != MLB_OK)
		return mlb_err_set(err, c->err.code, "%s", c->err.text);
	if (r->missing)
		return lacks(c, err);
	/* Without words all that the markers leave in no doubt is in place by now. */
	return c->opt->n_words ? 0 : mlb_locked_dispute(&c->list, NULL, err);
}

/* For whoever collects in this cache. What is in place is not undone for it. */
static void
add_needs(struct mlb_checkout_run *c)
{
	struct mlb_err why = MLB_ERR_INIT;

	if (mlb_needs_add(c->p, &c->list.file, &why) != 0)
		tell(c, MLB_EV_NOTE, NULL, why.text);
	mlb_err_release(&why);
}

static int
run(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct mlb_lock lock = MLB_LOCK_INIT;
	int rc = mlb_project_store(c->p, err);

	if (rc == 0)
		rc = mlb_claim(&lock, c->p, c->opt->command_line, tell_wait, c, err);
	if (rc == 0)
		rc = recover(c, err);
	if (rc == 0)
		rc = mlb_locked_read(&c->list, c->p, c->opt->rev, err);
	if (rc == 0)
		rc = choose_link(c, err);
	if (rc == 0)
		rc = select_items(c, err);
	if (rc == 0)
		rc = scan_items(c, err);
	if (rc == 0)
		rc = do_items(c, err);
	if (rc == 0 && !c->cancelled && c->err.code == MLB_OK)
		rc = mlb_checkout_collections(c, err);
	/* What was hashed or placed is known the next time, whatever went wrong later. */
	if (rc == 0)
		rc = save_scan(c, err);
	if (rc == 0 && mlb_project_shares_cache(c->p))
		add_needs(c);
	if (rc == 0)
		rc = verdict(c, err);
	mlb_lock_release(&lock);
	return rc;
}

int
mlb_checkout(struct mlb_project *p, const struct mlb_checkout *opt,
	     struct mlb_checkout_report *report, struct mlb_err *err)
{
	struct mlb_checkout_run c = { .p = p,
				      .opt = opt,
				      .report = report,
				      .began = mlb_clock_mono(),
				      .list = { .rev = opt->rev } };
	char *id = mlb_new_run_id();
	int rc;

	memset(report, 0, sizeof(*report));
	c.aside = mlb_asprintf("%s/aside/%s", p->state_dir, id);
	rc = run(&c, err);
	mlb_scan_release(&c.scan);
	for (size_t i = 0; i < c.n_items; i++) {
		mlb_err_release(&c.item[i].err);
		mlb_strmap_release(&c.item[i].others);
	}
	mlb_tree_seen_release(&c.spare);
	mlb_err_release(&c.err);
	mlb_locked_release(&c.list);
	free(c.item);
	free(c.path);
	free(c.aside);
	free(id);
	return rc;
}
