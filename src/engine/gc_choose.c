/* Which files go, which are rewritten, and what is told of it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/gc.h"
#include "store/repack.h"

/* Of a pack that stays, dead content stays too; above a half it is worth copying the rest. */
static bool
is_worth_it(uint64_t dead, uint64_t all)
{
	return dead > all / 2;
}

bool
mlb_gc_is_dead(const struct mlb_gc_state *s, const struct mlb_inv_object *o)
{
	return !mlb_reach_has(&s->reach, &o->digest);
}

/* ---------------------------------------------------------- fates */

/* An open pack goes only while nobody else can take it. */
static bool
hold(struct mlb_gc_state *s, size_t file)
{
	const struct mlb_inv_file *f = &s->inv.file.v[file];
	char *path;

	if (!f->open || s->held[file] >= 0)
		return true;
	path = mlb_asprintf("%s/%s", s->inv.dir, f->path);
	s->held[file] = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	free(path);
	if (s->held[file] >= 0 && flock(s->held[file], LOCK_EX | LOCK_NB) == 0)
		return true;
	if (s->held[file] >= 0)
		close(s->held[file]);
	s->held[file] = -1;
	return false;
}

static bool
was_copied(const struct mlb_gc_state *s, const char *path)
{
	return s->copied && mlb_strvec_has(s->copied, path);
}

/* Is there a copy of it in a file that stays for its own sake? */
static bool
is_elsewhere(const struct mlb_gc_state *s, const struct mlb_inv_object *o)
{
	const struct mlb_inv_object *c = mlb_inventory_find(&s->inv, &o->digest);

	for (; c; c = c->next ? &s->inv.object.v[c->next - 1] : NULL)
		if (!c->batch &&
		    (c->file == MLB_INV_LOOSE || (c->file != o->file && !s->copied) ||
		     (c->file != o->file && !was_copied(s, s->inv.file.v[c->file].path))))
			return true;
	return false;
}

struct sums {
	uint64_t all, dead; /* bytes of blobs */
	uint64_t n, n_dead;
	uint64_t stranded; /* living ones that are nowhere else */
};

static struct sums *
sum_packs(struct mlb_gc_state *s)
{
	struct sums *sum = mlb_calloc(s->inv.file.n + 1, sizeof(*sum));

	for (size_t i = 0; i < s->inv.object.n; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		struct sums *f = o->file == MLB_INV_LOOSE ? NULL : &sum[o->file];
		bool dead = f && mlb_gc_is_dead(s, o);

		if (!f)
			continue;
		f->n++;
		f->all += mlb_gc_bytes_of(s, o);
		f->n_dead += dead;
		f->dead += dead ? mlb_gc_bytes_of(s, o) : 0;
		if (!dead && (s->copied || o->batch))
			f->stranded += !is_elsewhere(s, o);
	}
	return sum;
}

/* Whether a record that is kept is in a segment that stays. */
static bool
has_twin(const struct mlb_gc_state *s, size_t record)
{
	const struct mlb_inv_object *o = &s->inv.record.v[record];
	const struct mlb_strmap_entry *e =
		mlb_strmap_find(&s->keys, (const char *)s->record[record].r.key.b, MLB_DIGEST_LEN);

	for (uint32_t i = e ? (uint32_t)e->u.num : 0; i; i = s->record[i - 1].next)
		if (s->inv.record.v[i - 1].file != o->file && !s->inv.record.v[i - 1].batch &&
		    mlb_digest_equal(&s->inv.record.v[i - 1].digest, &o->digest) &&
		    !was_copied(s, s->inv.file.v[s->inv.record.v[i - 1].file].path))
			return true;
	return false;
}

static void
sum_segments(struct mlb_gc_state *s, struct sums *sum)
{
	for (size_t i = 0; i < s->inv.record.n; i++) {
		struct sums *f = &sum[s->inv.record.v[i].file];

		f->n++;
		f->n_dead += !s->record[i].kept;
		if (s->record[i].kept && (s->copied || s->inv.record.v[i].batch))
			f->stranded += !has_twin(s, i);
	}
}

static enum mlb_gc_fate
fate_of(struct mlb_gc_state *s, size_t file, const struct sums *sum)
{
	const struct mlb_inv_file *f = &s->inv.file.v[file];
	bool some = f->records ? sum->n_dead != 0 : is_worth_it(sum->dead, sum->all);

	if (f->batch)
		return sum->stranded ? MLB_GC_RETURNED : MLB_GC_STAYS;
	/* Nothing is listed of what cannot be read. */
	if (!sum->n || f->busy || f->mtime > s->young)
		return MLB_GC_STAYS;
	if (was_copied(s, f->path))
		return !sum->stranded && hold(s, file) ? MLB_GC_REWRITTEN : MLB_GC_STAYS;
	if (sum->n_dead == sum->n)
		return hold(s, file) ? MLB_GC_REMOVED : MLB_GC_STAYS;
	/* In the second pass nothing is copied any more. */
	return some && !s->copied && hold(s, file) ? MLB_GC_REWRITTEN : MLB_GC_STAYS;
}

/* What stays in its place, or comes back to it. */
static bool
is_to_be_there(const struct mlb_gc_state *s, size_t file)
{
	return s->inv.file.v[file].batch ? s->fate[file] == MLB_GC_RETURNED
					 : s->fate[file] == MLB_GC_STAYS;
}

bool
mlb_gc_returns(const struct mlb_gc_state *s, const struct mlb_inv_object *o)
{
	if (o->file != MLB_INV_LOOSE)
		return s->fate[o->file] == MLB_GC_RETURNED;
	return !mlb_gc_is_dead(s, o) && !is_elsewhere(s, o);
}

/* A record that stays names nothing that goes. True: something was kept by it. */
static bool
keep_stayers(struct mlb_gc_state *s)
{
	bool any = false;

	for (size_t i = 0; i < s->inv.record.n; i++)
		if (!s->record[i].kept && s->record[i].valid &&
		    is_to_be_there(s, s->inv.record.v[i].file)) {
			mlb_gc_keep_record(s, i);
			any = true;
		}
	return any;
}

void
mlb_gc_choose(struct mlb_gc_state *s)
{
	do {
		struct sums *sum = sum_packs(s);

		sum_segments(s, sum);
		for (size_t i = 0; i < s->inv.file.n; i++)
			s->fate[i] = (uint8_t)fate_of(s, i, &sum[i]);
		free(sum);
	} while (keep_stayers(s));
}

/* ---------------------------------------------------------- copying */

static int
copy_kind(struct mlb_gc_state *s, bool records, struct mlb_err *err)
{
	size_t n = records ? s->inv.record.n : s->inv.object.n;
	const struct mlb_inv_object *all = records ? s->inv.record.v : s->inv.object.v;
	struct mlb_repack to;
	int rc = 0;

	mlb_repack_init(&to, &s->inv, records);
	for (size_t i = 0; i < n && rc == 0; i++) {
		bool lives = records ? s->record[i].kept : !mlb_gc_is_dead(s, &all[i]);

		if (lives && all[i].file != MLB_INV_LOOSE &&
		    s->fate[all[i].file] == MLB_GC_REWRITTEN)
			rc = mlb_repack_copy(&to, &all[i], err);
	}
	if (rc == 0)
		rc = mlb_repack_finish(&to, err);
	mlb_repack_release(&to);
	return rc;
}

int
mlb_gc_copy(struct mlb_gc_state *s, struct mlb_strvec *out, struct mlb_err *err)
{
	int rc = copy_kind(s, false, err);

	if (rc == 0)
		rc = copy_kind(s, true, err);
	for (size_t i = 0; i < s->inv.file.n; i++)
		if (s->fate[i] == MLB_GC_REWRITTEN)
			mlb_strvec_push(out, s->inv.file.v[i].path);
	mlb_strvec_sort(out, true);
	return rc;
}

/* ---------------------------------------------------------- telling */

static const char *
shown(struct mlb_gc_state *s, const char *path)
{
	char *full = mlb_arena_printf(&s->arena, "%s/%s", s->inv.dir, path);
	size_t len = strlen(s->p->root);

	return strncmp(full, s->p->root, len) == 0 && full[len] == '/' ? full + len + 1 : full;
}

static void
tell(struct mlb_gc_state *s, const struct mlb_gc_info *i)
{
	if (!s->stopped && s->opt->on_item)
		s->stopped = s->opt->on_item(s->opt->ctx, i);
}

struct name_ctx {
	struct mlb_gc_state *s;
	struct mlb_strmap names; /* by key */
};

static int
take_name(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct name_ctx *n = ctx;
	struct mlb_digest *key = mlb_arena_alloc(&n->s->arena, sizeof(*key));
	struct mlb_strmap_entry *e;
	bool is_new;

	(void)err;
	*key = a->key;
	e = mlb_strmap_add(&n->names, (const char *)key->b, MLB_DIGEST_LEN, &is_new);
	if (is_new)
		e->u.ptr = mlb_arena_strdup(&n->s->arena, a->node);
	return 0;
}

/* Is it the first of this record? Segments have copies of one that a gc, or one that was killed, has rewritten. */
static bool
is_first(struct mlb_strmap *seen, const struct mlb_inv_object *o)
{
	bool is_new;

	mlb_strmap_add(seen, (const char *)o->digest.b, MLB_DIGEST_LEN, &is_new);
	return is_new;
}

static void
tell_records(struct mlb_gc_state *s)
{
	struct name_ctx n = { .s = s, .names = MLB_STRMAP_INIT };
	struct mlb_strmap seen = MLB_STRMAP_INIT;

	for (size_t i = 0; i < s->inv.record.n; i++)
		if (s->record[i].kept)
			is_first(&seen, &s->inv.record.v[i]);

	mlb_run_actions(s->p->db, NULL, NULL, UINT32_MAX, take_name, &n, NULL);
	for (size_t i = 0; i < s->inv.record.n; i++) {
		const struct mlb_gc_record *r = &s->record[i];
		struct mlb_strmap_entry *e;
		struct mlb_gc_info info = {
			.what = MLB_GC_RESULT, .path = "", .name = "", .waits = s->users.n != 0
		};

		if (r->kept || !r->valid || s->inv.record.v[i].batch ||
		    !is_first(&seen, &s->inv.record.v[i]))
			continue;
		e = mlb_strmap_find(&n.names, (const char *)r->r.key.b, MLB_DIGEST_LEN);
		info.name = e ? e->u.ptr : "";
		info.path = r->r.n_outputs ? r->r.output[0].path : "";
		info.used = r->used;
		for (uint32_t k = 0; k < r->r.n_outputs; k++)
			info.bytes += r->r.output[k].size;
		s->report->results++;
		tell(s, &info);
	}
	mlb_strmap_release(&seen);
	mlb_strmap_release(&n.names);
}

/* What is removed now, or will be: it is set aside, or was before. */
enum end { STAYS, GOES, WAITS };

static enum end
end_of_batch(const struct mlb_gc_state *s, uint32_t batch)
{
	return s->opt->dry_run || mlb_gc_is_over(s, batch) ? GOES : WAITS;
}

static enum end
end_of_object(const struct mlb_gc_state *s, const struct mlb_inv_object *o)
{
	if (o->batch)
		return mlb_gc_returns(s, o) ? STAYS : end_of_batch(s, o->batch);
	if (!mlb_gc_is_dead(s, o) || (o->file != MLB_INV_LOOSE && s->fate[o->file] == MLB_GC_STAYS))
		return STAYS;
	return s->users.n ? WAITS : GOES;
}

static void
count_object(struct mlb_gc_state *s, const struct mlb_inv_object *o, enum end end)
{
	uint64_t bytes = mlb_gc_bytes_of(s, o);

	if (end == GOES) {
		s->report->gone_objects++;
		s->report->gone_bytes += bytes;
	} else if (end == WAITS) {
		s->report->waiting_objects++;
		s->report->waiting_bytes += bytes;
	} else if (mlb_gc_is_dead(s, o)) {
		s->report->dead_bytes += bytes;
	} else {
		s->report->kept_objects++;
		s->report->kept_bytes += bytes;
	}
}

static void
tell_objects(struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->inv.object.n; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		enum end end = end_of_object(s, o);
		struct mlb_gc_info info = {
			.what = MLB_GC_OBJECT, .name = "", .bytes = o->size, .waits = end == WAITS
		};
		char *path;

		count_object(s, o, end);
		/* Of what was set aside before that was told. */
		if (o->file != MLB_INV_LOOSE || end == STAYS || (o->batch && end == WAITS))
			continue;
		path = mlb_inventory_path(&s->inv, o);
		info.path = shown(s, mlb_condemned_home(path + strlen(s->inv.dir) + 1));
		free(path);
		tell(s, &info);
	}
}

static void
tell_files(struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->inv.file.n; i++) {
		const struct mlb_inv_file *f = &s->inv.file.v[i];
		struct mlb_gc_info info = { .what = MLB_GC_PACK,
					    .path = shown(s, mlb_condemned_home(f->path)),
					    .name = "",
					    .bytes = f->size,
					    .waits = !f->batch && s->users.n != 0,
					    .rewritten = s->fate[i] == MLB_GC_REWRITTEN };

		if (is_to_be_there(s, i) || (f->batch && end_of_batch(s, f->batch) == WAITS))
			continue;
		s->report->packs++;
		tell(s, &info);
	}
}

int
mlb_gc_tell(struct mlb_gc_state *s)
{
	tell_records(s);
	tell_objects(s);
	tell_files(s);
	for (size_t i = 0; i < s->pins.n; i++) {
		struct mlb_gc_info info = { .what = MLB_GC_PIN, .path = "", .name = s->pins.v[i] };

		tell(s, &info);
	}
	for (size_t i = 0; i < s->dead_roots.n; i++) {
		struct mlb_gc_info info = { .what = MLB_GC_PROJECT,
					    .path = s->dead_roots.v[i],
					    .name = "" };

		tell(s, &info);
	}
	s->report->pins = s->pins.n;
	return s->stopped < 0 ? s->stopped : 0;
}
