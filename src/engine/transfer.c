#include "engine/transfer_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "os/machine.h"

#define TRIES 3   /* listings of a refresh, while somebody merges */
#define AT_ONCE 8 /* files of index/ and actions/ that are got side by side */

int
mlb_transfer_open(struct mlb_transfer **out, struct mlb_session *s, struct mlb_cas *cas,
		  struct mlb_results *results, unsigned threads, struct mlb_err *err)
{
	struct mlb_transfer *t = mlb_calloc(1, sizeof(*t));

	(void)err;
	pthread_mutex_init(&t->refreshing, NULL);
	t->session = s;
	t->cas = cas;
	t->results = results;
	t->threads = threads ? threads : mlb_machine_cpus();
	*out = t;
	return 0;
}

void
mlb_transfer_close(struct mlb_transfer *t)
{
	if (!t)
		return;
	mlb_remote_view_close(t->view);
	pthread_mutex_destroy(&t->refreshing);
	free(t);
}

const char *
mlb_transfer_id(const struct mlb_transfer *t)
{
	return t->meta.id;
}

void
mlb_transfer_require(struct mlb_transfer *t, mlb_transfer_trusts *fn, void *ctx)
{
	t->trusts = fn;
	t->trusts_ctx = ctx;
}

/* ---------------------------------------------------------- what it has */

static const struct {
	const char *dir;
	size_t most; /* bytes of one file */
} kinds[] = {
	[MLB_REMOTE_INDEX] = { "index", 2 * MLB_REMOTE_INDEX_MAX },
	[MLB_REMOTE_SEGMENT] = { "actions", MLB_SEGMENT_MAX + MLB_MIB },
};

int
mlb_transfer_open_view(struct mlb_transfer *t, struct mlb_err *err)
{
	char *dir;
	int rc;

	if (t->view)
		return 0;
	dir = mlb_asprintf("%s/remotes/%s", mlb_cas_dir(t->cas), t->meta.id);
	rc = mlb_remote_view_open(&t->view, dir, err);
	free(dir);
	return rc;
}

/* A file that is to be got. */
struct wanted {
	struct mlb_transfer_op o;
	enum mlb_remote_file which;
	const struct mlb_transfer_entry *entry;
};

MLB_VEC_NAMED(wanted_files, struct wanted);

static void
choose(struct mlb_transfer *t, struct wanted_files *out, enum mlb_remote_file which,
       const struct mlb_transfer_list *l)
{
	for (size_t i = 0; i < l->entry.n; i++) {
		struct wanted w = { .which = which, .entry = &l->entry.v[i] };
		struct mlb_digest d;

		/* Whatever else is there, somebody's temporary file or a trap, is none of ours. */
		if (strlen(w.entry->name) != MLB_HEX_LEN + 4 ||
		    !mlb_digest_parse(&d, w.entry->name, MLB_HEX_LEN))
			continue;
		if (!mlb_remote_view_keep(t->view, which, w.entry->name, w.entry->mtime))
			mlb_vec_push(out, w);
	}
}

static void
submit_wanted(struct mlb_transfer *t, struct wanted *w, struct mlb_crew *crew)
{
	char *name = mlb_asprintf("%s/%s", kinds[w->which].dir, w->entry->name);

	mlb_transfer_get(&w->o, crew, name, 0, MLB_REMOTE_TO_END, kinds[w->which].most);
	mlb_transfer_submit(t, &w->o, MLB_SESSION_SOON);
	free(name);
}

/* One that went meanwhile (somebody collects), or cannot be used, is passed over. */
static int
take_wanted(struct mlb_transfer *t, struct wanted *w, struct mlb_err *err)
{
	int rc;

	t->missed |= w->o.op.fault == MLB_FAULT_ABSENT;
	if (w->o.op.fault == MLB_FAULT_ABSENT || w->o.op.rc == MLB_ETOOBIG)
		return 0;
	if (w->o.op.rc)
		return mlb_transfer_error(t, &w->o, err);
	rc = mlb_remote_view_put(t->view, w->which, w->entry->name, w->entry->mtime,
				 mlb_buf_str(&w->o.data), w->o.data.len, err);
	if (rc != MLB_ECORRUPT && rc != MLB_EINVALID)
		return rc;
	mlb_err_release(err);
	return 0;
}

static int
get_wanted(struct mlb_transfer *t, struct wanted_files *all, struct mlb_crew *crew,
	   enum mlb_remote_fault *fault, struct mlb_err *err)
{
	size_t begun = 0;
	int rc = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct wanted *w = &all->v[i];

		while (rc == 0 && begun < all->n && begun < i + AT_ONCE)
			submit_wanted(t, &all->v[begun++], crew);
		if (i >= begun)
			break;
		mlb_crew_lock(crew);
		while (!w->o.ended)
			mlb_crew_wait(crew);
		mlb_crew_unlock(crew);
		if (rc == 0) {
			rc = take_wanted(t, w, err);
			*fault = rc ? w->o.op.fault : *fault;
		}
		mlb_transfer_op_release(&w->o);
	}
	return rc;
}

static int
bring_up_to_date(struct mlb_transfer *t, struct mlb_transfer_list list[2], struct mlb_crew *crew,
		 enum mlb_remote_fault *fault, struct mlb_err *err)
{
	struct wanted_files all = MLB_VEC_INIT;
	int rc = mlb_transfer_open_view(t, err);

	if (rc)
		return rc;
	mlb_remote_view_begin(t->view);
	choose(t, &all, MLB_REMOTE_INDEX, &list[MLB_REMOTE_INDEX]);
	choose(t, &all, MLB_REMOTE_SEGMENT, &list[MLB_REMOTE_SEGMENT]);
	rc = get_wanted(t, &all, crew, fault, err);
	if (rc == 0)
		mlb_remote_view_settle(t->view);
	mlb_vec_release(&all);
	return rc;
}

/* Is there anything at all? Then it is somebody else's, and nothing of ours is put between. */
static int
refuse_what_is_not_ours(struct mlb_transfer *t, struct mlb_crew *crew, enum mlb_remote_fault *fault,
			struct mlb_err *err)
{
	struct mlb_transfer_list root;
	int rc;

	mlb_transfer_list_init(&root, crew, "");
	rc = mlb_transfer_run(t, &root.o, MLB_SESSION_SOON, err);
	*fault = root.o.op.fault;
	if (rc == 0 && root.entry.n)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "remote '%s': there is no " MLB_REMOTE_META
				 " among what is there ('%s'): give it a place of its own",
				 mlb_session_name(t->session), root.entry.v[0].name);
	mlb_transfer_list_release(&root);
	return rc;
}

static int
take_meta(struct mlb_transfer *t, const struct mlb_transfer_op *o, struct mlb_err *err)
{
	struct mlb_remote_meta now;
	int rc = mlb_remote_meta_parse(&now, mlb_buf_str(&o->data), o->data.len, err);

	if (rc) {
		mlb_transfer_wrap(err, mlb_session_name(t->session));
		return rc;
	}
	if (t->view && strcmp(now.id, t->meta.id) != 0)
		return mlb_err_set(err, MLB_EREMOTE,
				   "remote '%s' is another one than it was just now: try again",
				   mlb_session_name(t->session));
	t->meta = now;
	return 0;
}

/* Who it is, and both listings: they are asked for at once, so that distance counts once. */
static int
ask(struct mlb_transfer *t, struct mlb_transfer_op *meta, struct mlb_transfer_list list[2],
    struct mlb_crew *crew, enum mlb_remote_fault *fault, struct mlb_err *err)
{
	int rc = 0;

	mlb_transfer_submit(t, meta, MLB_SESSION_SOON);
	for (int i = 0; i < 2; i++)
		mlb_transfer_submit(t, &list[i].o, MLB_SESSION_SOON);
	mlb_crew_lock(crew);
	while (!meta->ended || !list[0].o.ended || !list[1].o.ended)
		mlb_crew_wait(crew);
	mlb_crew_unlock(crew);
	if (meta->op.rc && meta->op.fault != MLB_FAULT_ABSENT) {
		*fault = meta->op.fault;
		return mlb_transfer_error(t, meta, err);
	}
	for (int i = 0; i < 2 && rc == 0; i++)
		if (list[i].o.op.rc && list[i].o.op.fault != MLB_FAULT_ABSENT) {
			*fault = list[i].o.op.fault;
			rc = mlb_transfer_error(t, &list[i].o, err);
		}
	return rc;
}

static int
refresh_once(struct mlb_transfer *t, enum mlb_remote_fault *fault, struct mlb_err *err)
{
	struct mlb_crew *crew = mlb_crew_new(1);
	enum mlb_remote_fault own = MLB_FAULT_NONE, *why = fault ? fault : &own;
	struct mlb_transfer_list list[2];
	struct mlb_transfer_op meta;
	int rc;

	*why = MLB_FAULT_NONE;
	mlb_transfer_get(&meta, crew, MLB_REMOTE_META, 0, MLB_REMOTE_TO_END, MLB_REMOTE_META_MAX);
	for (int i = 0; i < 2; i++)
		mlb_transfer_list_init(&list[i], crew, kinds[i].dir);
	rc = ask(t, &meta, list, crew, why, err);
	if (rc == 0 && meta.op.fault == MLB_FAULT_ABSENT) {
		rc = refuse_what_is_not_ours(t, crew, why, err);
	} else if (rc == 0) {
		rc = take_meta(t, &meta, err);
		if (rc == 0)
			rc = bring_up_to_date(t, list, crew, why, err);
	}
	t->refreshed = rc == 0;
	for (int i = 0; i < 2; i++)
		mlb_transfer_list_release(&list[i]);
	mlb_transfer_op_release(&meta);
	mlb_crew_free(crew);
	return rc;
}

int
mlb_transfer_refresh(struct mlb_transfer *t, enum mlb_remote_fault *fault, struct mlb_err *err)
{
	int rc;

	pthread_mutex_lock(&t->refreshing);
	/* Who merges puts the new one first: what was listed and is gone is in another one by now. */
	for (int tries = 0; tries < TRIES; tries++) {
		t->missed = false;
		rc = refresh_once(t, fault, err);
		if (rc || !t->missed)
			break;
	}
	pthread_mutex_unlock(&t->refreshing);
	return rc;
}

void
mlb_transfer_wrap(struct mlb_err *err, const char *remote)
{
	if (err && err->text && !mlb_str_starts(err->text, "remote '"))
		mlb_err_wrap(err, "remote '%s'", remote);
}

bool
mlb_transfer_has(const struct mlb_transfer *t, const struct mlb_digest *digest)
{
	return t->view && mlb_remote_view_has(t->view, digest);
}

/* ---------------------------------------------------------- results */

struct finding {
	const struct mlb_transfer *t;
	const struct mlb_digest *key;
	struct mlb_result *out;
	struct mlb_arena *arena;
	struct mlb_result second; /* one that names what is not there, of which there is no better */
	bool has_second;
};

static bool
is_trusted(const struct mlb_transfer *t, const struct mlb_segment_record *r)
{
	for (unsigned i = 0; i < r->n_sigs && t->trusts; i++)
		if (t->trusts(t->trusts_ctx, &r->sig[i], r->text, r->len))
			return true;
	return !t->trusts;
}

static bool
has_all(const struct mlb_transfer *t, const struct mlb_result *r)
{
	for (uint32_t i = 0; i < r->n_outputs; i++)
		if (!mlb_transfer_has(t, &r->output[i].digest))
			return false;
	return true;
}

/* What a stranger wrote must be of this key: a record that says something else is none. */
static int
consider(void *ctx, const struct mlb_segment_record *r)
{
	struct finding *f = ctx;
	struct mlb_result now;

	if (!is_trusted(f->t, r) || mlb_result_parse(&now, f->arena, r->text, r->len, NULL) != 0 ||
	    !mlb_digest_equal(&now.key, f->key))
		return 0;
	if (has_all(f->t, &now)) {
		*f->out = now;
		return 1;
	}
	if (!f->has_second)
		f->second = now;
	f->has_second = true;
	return 0;
}

int
mlb_transfer_find(const struct mlb_transfer *t, struct mlb_result *out, struct mlb_arena *arena,
		  const struct mlb_digest *key, struct mlb_err *err)
{
	struct finding f = { .t = t, .key = key, .out = out, .arena = arena };
	char hex[MLB_HEX_LEN + 1];

	if (t->view && mlb_remote_view_records(t->view, key, consider, &f) == 1)
		return 0;
	if (f.has_second) {
		*out = f.second;
		return 0;
	}
	mlb_digest_hex(hex, key);
	return mlb_err_set(err, MLB_ENOTFOUND, "remote '%s' has no result of %s",
			   mlb_session_name(t->session), hex);
}

/* ---------------------------------------------------------- clones */

#define CLONE_NAME 48 /* characters of a project's name that are in that of its file */

char *
mlb_transfer_clone_name(const char *project, const char *host, const char *dir)
{
	char *where = mlb_asprintf("%s\n%s\n%s", project, host, dir), *out;
	char name[CLONE_NAME + 1], hex[2 * 16 + 1];
	struct mlb_digest d;
	size_t n = 0;

	for (; *project && n < CLONE_NAME; project++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-",
			   *project))
			name[n++] = *project;
	name[n] = '\0';
	mlb_sha256_of(&d, where, strlen(where));
	mlb_hex_encode(hex, d.b, 16);
	out = mlb_asprintf("%s%s%s.txt", name, n ? "-" : "", hex);
	free(where);
	return out;
}
