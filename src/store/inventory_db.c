#include "store/inventory_db.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "store/condemned.h"

/* A pack as the table knows it. */
struct known {
	int64_t id;
	uint32_t file; /* of the inventory, UINT32_MAX: it is not there */
	char *name;
	uint64_t rows;   /* that name it */
	uint64_t synced; /* of an open one: how far it is known */
};
MLB_VEC_NAMED(known_list, struct known);

struct compare {
	const struct mlb_inventory *inv;
	struct mlb_db *db;
	mlb_inv_row_fn *fn;
	void *ctx;
	struct known_list known; /* sorted by id */
	uint8_t *seen;           /* per copy of the inventory: a row names it */
	uint8_t *live;           /* per record: likewise */
	uint32_t *by_place;      /* records, sorted by file and offset */
};

static void
tell(struct compare *c, enum mlb_inv_row what, const char *path, const char *text,
     const struct mlb_digest *digest, uint64_t count)
{
	struct mlb_inv_row_info i = { .what = what, .path = path, .text = text, .count = count };

	if (digest)
		i.digest = *digest;
	if (c->fn)
		c->fn(c->ctx, &i);
}

static uint32_t
file_named(const struct mlb_inventory *inv, const char *path)
{
	for (size_t i = 0; i < inv->file.n; i++)
		if (strcmp(mlb_condemned_home(inv->file.v[i].path), path) == 0)
			return (uint32_t)i;
	return UINT32_MAX;
}

static int
load_packs(struct compare *c, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, c->db, "SELECT id, name, indexed FROM packs ORDER BY id", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct known k = { .id = mlb_column_int(s, 0),
				   .name = mlb_strdup(mlb_column_text(s, 1, NULL)),
				   .synced = (uint64_t)mlb_column_int(s, 2) };

		k.file = file_named(c->inv, k.name);
		mlb_vec_push(&c->known, k);
	}
	mlb_stmt_reset(s);
	return rc;
}

static int
id_cmp(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct known *
pack_of(struct compare *c, int64_t id)
{
	struct known key = { .id = id };

	if (!c->known.n)
		return NULL;
	return bsearch(&key, c->known.v, c->known.n, sizeof(key), id_cmp);
}

/* ---------------------------------------------------------- objects */

static void
check_object(struct compare *c, const struct mlb_digest *digest, int64_t id, uint64_t offset)
{
	const struct mlb_inv_object *o = mlb_inventory_find(c->inv, digest);
	struct known *k = id ? pack_of(c, id) : NULL;
	char hex[MLB_HEX_LEN + 1];
	char *path = NULL;

	if (k)
		k->rows++;
	if (k && k->file == UINT32_MAX)
		return;
	for (; o && (id == 0 || k); o = o->next ? &c->inv->object.v[o->next - 1] : NULL) {
		if (id ? o->file == k->file && o->offset == offset : o->file == MLB_INV_LOOSE) {
			c->seen[o - c->inv->object.v] = 1;
			return;
		}
	}
	mlb_digest_hex(hex, digest);
	if (!id)
		path = mlb_asprintf("objects/%.2s/%s", hex, hex + 2);
	tell(c, MLB_ROW_NO_OBJECT, path ? path : k ? k->name : "", "", digest, 1);
	free(path);
}

static int
check_objects(struct compare *c, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, c->db, "SELECT digest, pack, offset FROM objects", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct mlb_digest digest;

		mlb_column_digest(s, 0, &digest);
		check_object(c, &digest, mlb_column_int(s, 1), (uint64_t)mlb_column_int(s, 2));
	}
	mlb_stmt_reset(s);
	return rc;
}

/*
 * Copies without a row cannot be found again.  Where another copy has one, or the
 * object rests loose, nothing is lost by it.
 */
static void
check_unknown(struct compare *c)
{
	uint64_t *count = mlb_calloc(c->inv->file.n + 1, sizeof(*count));

	for (size_t i = 0; i < c->inv->object.n; i++) {
		const struct mlb_inv_object *o = &c->inv->object.v[i];
		const struct mlb_inv_object *any = mlb_inventory_find(c->inv, &o->digest);
		bool found = o->batch || o->file == MLB_INV_LOOSE || c->inv->file.v[o->file].busy;

		for (; any && !found; any = any->next ? &c->inv->object.v[any->next - 1] : NULL)
			found = c->seen[any - c->inv->object.v] || any->file == MLB_INV_LOOSE;
		if (!found)
			count[o->file]++;
	}
	for (size_t i = 0; i < c->inv->file.n; i++)
		if (count[i])
			tell(c, MLB_ROW_UNKNOWN, c->inv->file.v[i].path, "", NULL, count[i]);
	free(count);
}

/* ---------------------------------------------------------- records */

static int
place_cmp(const struct mlb_inv_object *a, uint32_t file, uint64_t offset)
{
	if (a->file != file)
		return a->file < file ? -1 : 1;
	return (a->offset > offset) - (a->offset < offset);
}

static int
record_cmp(const void *a, const void *b)
{
	const struct mlb_inv_object *x = *(const struct mlb_inv_object *const *)a;
	const struct mlb_inv_object *y = *(const struct mlb_inv_object *const *)b;

	return place_cmp(x, y->file, y->offset);
}

static void
sort_records(struct compare *c)
{
	const struct mlb_inv_object **at = mlb_calloc(c->inv->record.n + 1, sizeof(*at));

	c->by_place = mlb_calloc(c->inv->record.n + 1, sizeof(*c->by_place));
	c->live = mlb_calloc(c->inv->record.n + 1, 1);
	for (size_t i = 0; i < c->inv->record.n; i++)
		at[i] = &c->inv->record.v[i];
	if (c->inv->record.n)
		qsort(at, c->inv->record.n, sizeof(*at), record_cmp);
	for (size_t i = 0; i < c->inv->record.n; i++)
		c->by_place[i] = (uint32_t)(at[i] - c->inv->record.v);
	free(at);
}

static bool
mark_record(struct compare *c, uint32_t file, uint64_t offset)
{
	size_t lo = 0, hi = c->inv->record.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint32_t i = c->by_place[mid];
		int cmp = place_cmp(&c->inv->record.v[i], file, offset);

		if (cmp == 0) {
			c->live[i] = 1;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static int
check_records(struct compare *c, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, c->db, "SELECT key, pack, offset FROM results", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		struct known *k = pack_of(c, mlb_column_int(s, 1));
		struct mlb_digest key;

		mlb_column_digest(s, 0, &key);
		if (!k || k->file == UINT32_MAX ||
		    !mark_record(c, k->file, (uint64_t)mlb_column_int(s, 2)))
			tell(c, MLB_ROW_NO_RECORD, k ? k->name : "", "", &key, 1);
	}
	mlb_stmt_reset(s);
	return rc;
}

/* ---------------------------------------------------------- all */

static int
check_integrity(struct compare *c, struct mlb_err *err)
{
	struct mlb_stmt *s;
	bool row;
	int rc = mlb_db_prepare(&s, c->db, "PRAGMA integrity_check(10)", err);

	if (rc)
		return rc;
	while ((rc = mlb_stmt_step(s, &row, err)) == 0 && row) {
		const char *text = mlb_column_text(s, 0, NULL);

		if (strcmp(text, "ok") != 0)
			tell(c, MLB_ROW_DAMAGED, "", text, NULL, 1);
	}
	mlb_stmt_reset(s);
	return rc;
}

static void
begin(struct compare *c, const struct mlb_inventory *inv, struct mlb_db *db)
{
	c->inv = inv;
	c->db = db;
	c->seen = mlb_calloc(inv->object.n + 1, 1);
	sort_records(c);
}

static void
end(struct compare *c)
{
	for (size_t i = 0; i < c->known.n; i++)
		free(c->known.v[i].name);
	mlb_vec_release(&c->known);
	free(c->seen);
	free(c->live);
	free(c->by_place);
}

int
mlb_inventory_compare(const struct mlb_inventory *inv, struct mlb_db *db, mlb_inv_row_fn *fn,
		      void *ctx, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	struct compare c = { .fn = fn, .ctx = ctx };
	int rc;

	begin(&c, inv, db);
	rc = check_integrity(&c, &why);
	if (rc == 0)
		rc = load_packs(&c, &why);
	if (rc == 0)
		rc = check_objects(&c, &why);
	if (rc == 0)
		rc = check_records(&c, &why);
	for (size_t i = 0; i < c.known.n && rc == 0; i++)
		if (c.known.v[i].file == UINT32_MAX)
			tell(&c, MLB_ROW_NO_PACK, c.known.v[i].name, "", NULL, c.known.v[i].rows);
	if (rc == 0)
		check_unknown(&c);
	if (rc == MLB_ECORRUPT) {
		tell(&c, MLB_ROW_DAMAGED, "", why.text, NULL, 1);
		rc = 0;
	} else if (rc) {
		rc = mlb_err_set(err, why.code, "%s", why.text);
	}
	mlb_err_release(&why);
	end(&c);
	return rc;
}

int
mlb_inventory_live_records(uint8_t **out, const struct mlb_inventory *inv, struct mlb_db *db,
			   struct mlb_err *err)
{
	struct compare c = { 0 };
	int rc;

	begin(&c, inv, db);
	rc = load_packs(&c, err);
	if (rc == 0)
		rc = check_records(&c, err);
	*out = c.live;
	c.live = NULL;
	end(&c);
	return rc;
}
