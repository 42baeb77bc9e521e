#include "store/inventory.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/fs.h"
#include "os/pool.h"
#include "store/condemned.h"
#include "store/inventory_priv.h"

#define PART (32 * MLB_MIB) /* bytes of loose objects that one task reads, at least */
#define TICK_MS 100

/* ---------------------------------------------------------- the table */

/* Digests are random: any 8 bytes of one are a hash. */
static size_t
probe(const struct mlb_inventory *inv, const struct mlb_digest *digest)
{
	uint64_t h;
	size_t i;

	memcpy(&h, digest->b, sizeof(h));
	i = (size_t)h & (inv->n_slots - 1);
	while (inv->slot[i] && !mlb_digest_equal(&inv->object.v[inv->slot[i] - 1].digest, digest))
		i = (i + 1) & (inv->n_slots - 1);
	return i;
}

/* All at once, when all copies are known. */
static void
make_table(struct mlb_inventory *inv)
{
	inv->n_slots = 64;
	while (inv->n_slots / 2 < inv->object.n)
		inv->n_slots *= 2;
	inv->slot = mlb_calloc(inv->n_slots, sizeof(*inv->slot));
	for (size_t i = inv->object.n; i > 0; i--) {
		size_t at = probe(inv, &inv->object.v[i - 1].digest);

		inv->object.v[i - 1].next = inv->slot[at];
		inv->slot[at] = (uint32_t)i;
	}
}

const struct mlb_inv_object *
mlb_inventory_find(const struct mlb_inventory *inv, const struct mlb_digest *digest)
{
	uint32_t at = inv->n_slots ? inv->slot[probe(inv, digest)] : 0;

	return at ? &inv->object.v[at - 1] : NULL;
}

/* ---------------------------------------------------------- listing */

static void
foreign(struct mlb_inventory *inv, char *path)
{
	struct mlb_inv_damage d = { .wrong = MLB_INV_FOREIGN, .path = path };

	mlb_vec_push(&inv->damage, d);
}

bool
mlb_inventory_loose_name(struct mlb_digest *out, const char *dir_name, const char *name)
{
	char hex[MLB_HEX_LEN + 1];

	if (strlen(dir_name) != 2 || strlen(name) != MLB_HEX_LEN - 2)
		return false;
	memcpy(hex, dir_name, 2);
	memcpy(hex + 2, name, MLB_HEX_LEN - 1);
	return mlb_digest_parse(out, hex, MLB_HEX_LEN);
}

/* Where things rest: in the cache itself, or in a batch that gc has set aside. */
struct place {
	const char *dir; /* below the cache, "" or with a slash at its end */
	uint32_t batch;
};

static void
list_loose_dir(struct mlb_inventory *inv, const struct place *at, const char *dir_name,
	       struct mlb_inv_found *out)
{
	char *dir = mlb_asprintf("%s/%sobjects/%s", inv->dir, at->dir, dir_name);
	struct mlb_dirents list = MLB_VEC_INIT;

	if (mlb_fs_list(&list, dir, NULL) != 0)
		mlb_inv_damaged(out, MLB_INV_UNREADABLE, dir + strlen(inv->dir) + 1, 0, NULL);
	for (size_t i = 0; i < list.n; i++) {
		struct mlb_inv_object o = { .file = MLB_INV_LOOSE, .batch = at->batch };
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);
		struct mlb_stat st;

		if (mlb_fs_lstat(&st, path, NULL) != 0 || st.type == MLB_F_ABSENT) {
			free(path);
			continue;
		}
		if (st.type == MLB_F_FILE &&
		    mlb_inventory_loose_name(&o.digest, dir_name, list.v[i].name)) {
			o.size = st.size;
			o.offset = (uint64_t)st.mtime;
			mlb_vec_push(&out->object, o);
		} else {
			foreign(inv, mlb_strdup(path + strlen(inv->dir) + 1));
		}
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
}

static int
list_loose(struct mlb_inventory *inv, const struct place *at, struct mlb_inv_found *out,
	   struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/%sobjects", inv->dir, at->dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	uint8_t byte;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n; i++) {
		if (list.v[i].type == MLB_F_DIR && strlen(list.v[i].name) == 2 &&
		    mlb_hex_decode(&byte, list.v[i].name, 1))
			list_loose_dir(inv, at, list.v[i].name, out);
		else
			foreign(inv, mlb_asprintf("%sobjects/%s", at->dir, list.v[i].name));
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static int
list_packs(struct mlb_inventory *inv, const struct place *at, const char *name, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/%s%s", inv->dir, at->dir, name);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n; i++) {
		struct mlb_inv_file f = {
			.path = mlb_asprintf("%s%s/%s", at->dir, name, list.v[i].name),
			.open = mlb_pack_name_open(list.v[i].name),
			.records = strcmp(name, "actions") == 0,
			.batch = at->batch,
		};
		char *path = mlb_asprintf("%s/%s", inv->dir, f.path);
		struct mlb_stat st;

		if (mlb_fs_lstat(&st, path, NULL) != 0 || st.type == MLB_F_ABSENT) {
			free(f.path);
		} else if (st.type == MLB_F_FILE &&
			   (f.open || mlb_pack_name_sealed(list.v[i].name))) {
			f.size = st.size;
			f.mtime = st.mtime;
			inv->bytes += at->batch ? 0 : st.size;
			mlb_vec_push(&inv->file, f);
		} else {
			foreign(inv, f.path);
		}
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static int
list_place(struct mlb_inventory *inv, const struct place *at, struct mlb_inv_found *loose,
	   struct mlb_err *err)
{
	int rc = list_packs(inv, at, "packs", err);

	if (rc == 0)
		rc = list_packs(inv, at, "actions", err);
	return rc ? rc : list_loose(inv, at, loose, err);
}

/* What is moved back or removed meanwhile is not there. */
static int
list_condemned(struct mlb_inventory *inv, struct mlb_inv_found *loose, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/" MLB_CONDEMNED, inv->dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *below = mlb_asprintf(MLB_CONDEMNED "/%s/", list.v[i].name);
		struct place at = { below, (uint32_t)inv->batch.n + 1 };

		mlb_strvec_push(&inv->batch, list.v[i].name);
		rc = list_place(inv, &at, loose, err);
		free(below);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static const char *const known[] = { "actions", MLB_CONDEMNED, "generation", "leases", "objects",
				     "packs",   "quarantine",  "remotes",    "roots",  "tmp" };

static int
list_top(struct mlb_inventory *inv, struct mlb_err *err)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_list(&list, inv->dir, err);

	for (size_t i = 0; i < list.n; i++) {
		bool ours = false;

		for (size_t k = 0; k < MLB_ARRAY_LEN(known); k++)
			ours |= strcmp(list.v[i].name, known[k]) == 0;
		if (!ours)
			foreign(inv, mlb_strdup(list.v[i].name));
	}
	mlb_dirents_release(&list);
	return rc;
}

/* ---------------------------------------------------------- examining */

/* A part of the work: a pack, or some loose objects. */
struct part {
	struct mlb_task task;
	struct mlb_inventory *inv;
	struct mlb_inv_found found;
	const struct mlb_inv_object *loose; /* NULL: a pack */
	size_t n_loose;
	uint32_t file;
	bool verify;
	size_t *left; /* parts that are not merged */
	atomic_bool *stop;
};

static void
work(struct mlb_task *t)
{
	struct part *p = (struct part *)t;

	if (!p->loose && !atomic_load(p->stop))
		mlb_inv_check_pack(&p->found, p->inv, p->file, p->verify);
	for (size_t i = 0; p->loose && i < p->n_loose && !atomic_load(p->stop); i++)
		mlb_inv_check_loose(&p->found, p->inv, &p->loose[i]);
}

static void
merge(struct mlb_inventory *inv, struct mlb_inv_found *found)
{
	for (size_t i = 0; i < found->object.n; i++)
		mlb_vec_push(&inv->object, found->object.v[i]);
	for (size_t i = 0; i < found->record.n; i++)
		mlb_vec_push(&inv->record, found->record.v[i]);
	for (size_t i = 0; i < found->damage.n; i++)
		mlb_vec_push(&inv->damage, found->damage.v[i]);
	mlb_vec_release(&found->object);
	mlb_vec_release(&found->record);
	mlb_vec_release(&found->damage);
}

static void
done(struct mlb_task *t)
{
	struct part *p = (struct part *)t;

	merge(p->inv, &p->found);
	--*p->left;
}

MLB_VEC_NAMED(parts, struct part);

static void
make_parts(struct parts *out, struct mlb_inventory *inv, const struct mlb_inv_found *loose,
	   bool verify)
{
	struct part p = { .inv = inv, .verify = verify };

	for (size_t i = 0; i < inv->file.n; i++) {
		p.file = (uint32_t)i;
		mlb_vec_push(out, p);
	}
	for (size_t i = 0; verify && i < loose->object.n; i += p.n_loose) {
		uint64_t bytes = 0;

		p.loose = &loose->object.v[i];
		for (p.n_loose = 0; i + p.n_loose < loose->object.n && bytes < PART; p.n_loose++)
			bytes += p.loose[p.n_loose].size;
		inv->bytes += bytes;
		mlb_vec_push(out, p);
	}
}

static int
run_parts(struct mlb_inventory *inv, struct parts *parts, unsigned threads, mlb_inv_tick *tick,
	  void *ctx, struct mlb_err *err)
{
	struct mlb_pool *pool;
	size_t left = parts->n;
	atomic_bool stop = false;
	int stopped = 0, rc = mlb_pool_new(&pool, threads, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < parts->n; i++) {
		parts->v[i].task = (struct mlb_task){ .work = work, .done = done };
		parts->v[i].left = &left;
		parts->v[i].stop = &stop;
		mlb_pool_add(pool, &parts->v[i].task);
	}
	while (left) {
		struct pollfd p = { .fd = mlb_pool_fd(pool), .events = POLLIN };

		poll(&p, 1, TICK_MS);
		mlb_pool_dispatch(pool);
		if (!stopped && tick)
			stopped = tick(ctx, atomic_load(&inv->done), inv->bytes);
		atomic_store(&stop, stopped != 0);
	}
	mlb_pool_free(pool);
	return stopped;
}

static int
by_path(const void *a, const void *b)
{
	const struct mlb_inv_damage *x = a, *y = b;
	int cmp = strcmp(x->path, y->path);

	return cmp ? cmp : (x->offset > y->offset) - (x->offset < y->offset);
}

static int
by_place(const void *a, const void *b)
{
	const struct mlb_inv_object *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Parts end in any order: what was set aside comes last, whatever it rests in. */
static void
sort_objects(struct mlb_inventory *inv)
{
	struct mlb_inv_found aside = { 0 };
	size_t n = 0;

	for (size_t i = 0; inv->batch.n && i < inv->object.n; i++) {
		if (inv->object.v[i].batch)
			mlb_vec_push(&aside.object, inv->object.v[i]);
		else
			inv->object.v[n++] = inv->object.v[i];
	}
	if (inv->batch.n)
		inv->object.n = n;
	merge(inv, &aside);
}

int
mlb_inventory_read(struct mlb_inventory *inv, const char *dir, enum mlb_inv_mode mode,
		   unsigned threads, mlb_inv_tick *tick, void *ctx, struct mlb_err *err)
{
	struct mlb_inv_found loose = { 0 }, condemned = { 0 };
	const struct place top = { "", 0 };
	struct parts parts = MLB_VEC_INIT;
	int rc;

	memset(inv, 0, sizeof(*inv));
	inv->dir = mlb_strdup(dir);
	rc = list_top(inv, err);
	if (rc == 0)
		rc = list_place(inv, &top, &loose, err);
	if (rc == 0)
		rc = list_condemned(inv, &condemned, err);
	if (rc == 0) {
		make_parts(&parts, inv, &loose, mode == MLB_INV_VERIFY);
		rc = run_parts(inv, &parts, threads, tick, ctx, err);
	}
	if (mode == MLB_INV_VERIFY)
		loose.object.n = 0; /* those that are right were pushed by their parts */
	merge(inv, &loose);
	merge(inv, &condemned);
	mlb_vec_release(&parts);
	/* Of equal records the same one comes first each time. */
	if (inv->record.n)
		qsort(inv->record.v, inv->record.n, sizeof(*inv->record.v), by_place);
	sort_objects(inv);
	if (inv->damage.n)
		qsort(inv->damage.v, inv->damage.n, sizeof(*inv->damage.v), by_path);
	if (rc == 0)
		make_table(inv);
	return rc;
}

static bool
has_changed(const struct mlb_inventory *inv, const char *name)
{
	char *dir = mlb_asprintf("%s/%s", inv->dir, name);
	struct mlb_strvec now = MLB_VEC_INIT, then = MLB_VEC_INIT;
	struct mlb_dirents list = MLB_VEC_INIT;
	bool changed = mlb_fs_list(&list, dir, NULL) != 0;

	for (size_t i = 0; i < list.n; i++)
		if (mlb_pack_name_open(list.v[i].name) || mlb_pack_name_sealed(list.v[i].name))
			mlb_strvec_push(&now, list.v[i].name);
	for (size_t i = 0; i < inv->file.n; i++)
		if (!inv->file.v[i].batch && strncmp(inv->file.v[i].path, name, strlen(name)) == 0)
			mlb_strvec_push(&then, strrchr(inv->file.v[i].path, '/') + 1);
	mlb_strvec_sort(&now, true);
	mlb_strvec_sort(&then, true);
	changed |= now.n != then.n;
	for (size_t i = 0; i < now.n && !changed; i++)
		changed = strcmp(now.v[i], then.v[i]) != 0;
	mlb_strvec_release(&now);
	mlb_strvec_release(&then);
	mlb_dirents_release(&list);
	free(dir);
	return changed;
}

bool
mlb_inventory_changed(const struct mlb_inventory *inv)
{
	return has_changed(inv, "packs") || has_changed(inv, "actions");
}

void
mlb_inventory_release(struct mlb_inventory *inv)
{
	for (size_t i = 0; i < inv->file.n; i++)
		free(inv->file.v[i].path);
	for (size_t i = 0; i < inv->damage.n; i++) {
		free(inv->damage.v[i].path);
		free(inv->damage.v[i].text);
	}
	mlb_strvec_release(&inv->batch);
	mlb_vec_release(&inv->file);
	mlb_vec_release(&inv->object);
	mlb_vec_release(&inv->record);
	mlb_vec_release(&inv->damage);
	free(inv->slot);
	free(inv->dir);
	memset(inv, 0, sizeof(*inv));
}

/* ---------------------------------------------------------- reading */

char *
mlb_inventory_path(const struct mlb_inventory *inv, const struct mlb_inv_object *o)
{
	char hex[MLB_HEX_LEN + 1];

	if (o->file != MLB_INV_LOOSE)
		return mlb_asprintf("%s/%s", inv->dir, inv->file.v[o->file].path);
	mlb_digest_hex(hex, &o->digest);
	if (o->batch)
		return mlb_asprintf("%s/" MLB_CONDEMNED "/%s/objects/%.2s/%s", inv->dir,
				    inv->batch.v[o->batch - 1], hex, hex + 2);
	return mlb_asprintf("%s/objects/%.2s/%s", inv->dir, hex, hex + 2);
}

int
mlb_inventory_copy(const struct mlb_inventory *inv, struct mlb_buf *out,
		   const struct mlb_inv_object *o, struct mlb_err *err)
{
	char *path = mlb_inventory_path(inv, o);
	size_t before = out->len;
	struct mlb_digest now;
	int rc;

	if (o->file != MLB_INV_LOOSE) {
		rc = mlb_pack_read(out, path, o->offset, &o->digest, err);
	} else {
		rc = mlb_fs_read(out, path, err);
		mlb_sha256_of(&now, mlb_buf_str(out) + before, out->len - before);
		if (rc == 0 && !mlb_digest_equal(&now, &o->digest))
			rc = mlb_err_set(err, MLB_ECORRUPT, "'%s' is damaged", path);
		if (rc)
			mlb_buf_truncate(out, before);
	}
	free(path);
	return rc;
}

int
mlb_inventory_get(const struct mlb_inventory *inv, struct mlb_buf *out,
		  const struct mlb_digest *digest, struct mlb_err *err)
{
	const struct mlb_inv_object *o = mlb_inventory_find(inv, digest);
	char hex[MLB_HEX_LEN + 1];

	for (; o; o = o->next ? &inv->object.v[o->next - 1] : NULL)
		if (mlb_inventory_copy(inv, out, o, NULL) == 0)
			return 0;
	mlb_digest_hex(hex, digest);
	return mlb_err_set(err, MLB_ENOTFOUND, "the object %s is not in '%s'", hex, inv->dir);
}
