/*
 * Rows of the stat cache.
 *
 * Table `files` holds records of up to some hundred rows:
 *
 *   last  BLOB, primary key: the key of the record's last row
 *   data  BLOB: the rows, sorted by key, keys unique; then 8 bytes mlb_hash64 of
 *         them with seed 1
 *   row   2 bytes length of the key, the key, 1 byte kind, 1 byte flags, 8 bytes
 *         each inode, size, mtime, ctime, and 32 bytes digest; numbers are
 *         unsigned or two's complement, little-endian. A directory's row has for
 *         its inode the generation of the store (cas.h) to which the marks of
 *         what is in it refer; 0: there are none
 *
 * The keys of a record are greater than `last` of the record before.  Keys
 * compare bytewise.  A record with a wrong hash reads as an empty one.
 */
#include "store/scan_rows.h"

#include <endian.h>
#include <string.h>

#include "base/strmap.h"
#include "store/tree.h"

#define FIXED (1 + 1 + 4 * 8 + MLB_DIGEST_LEN) /* bytes of a row behind its key */
#define SUM 8                                  /* bytes of the hash behind the rows */
#define SEED 1
#define STEPS 4 /* records to pass over before it is cheaper to look one up */

static void
put_u64(uint8_t *out, uint64_t v)
{
	v = htole64(v);
	memcpy(out, &v, sizeof(v));
}

static uint64_t
get_u64(const uint8_t *in)
{
	uint64_t v;

	memcpy(&v, in, sizeof(v));
	return le64toh(v);
}

void
mlb_row_write(struct mlb_buf *out, const struct mlb_row *row)
{
	uint8_t fixed[FIXED];
	const uint8_t head[2] = { (uint8_t)row->len, (uint8_t)(row->len >> 8) };

	fixed[0] = row->kind;
	fixed[1] = row->flags;
	put_u64(fixed + 2, row->ino);
	put_u64(fixed + 10, row->size);
	put_u64(fixed + 18, (uint64_t)row->mtime);
	put_u64(fixed + 26, (uint64_t)row->ctime);
	memcpy(fixed + 34, row->digest.b, MLB_DIGEST_LEN);
	mlb_buf_add(out, head, sizeof(head));
	mlb_buf_add(out, row->key, row->len);
	mlb_buf_add(out, fixed, sizeof(fixed));
}

bool
mlb_row_read(struct mlb_row *out, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *p = *at;

	if (end - p < 2 + FIXED)
		return false;
	out->len = (size_t)(p[0] | p[1] << 8);
	p += 2;
	if ((size_t)(end - p) < out->len + FIXED)
		return false;
	out->key = (const char *)p;
	p += out->len;
	out->kind = p[0];
	out->flags = p[1];
	out->ino = get_u64(p + 2);
	out->size = get_u64(p + 10);
	out->mtime = (int64_t)get_u64(p + 18);
	out->ctime = (int64_t)get_u64(p + 26);
	memcpy(out->digest.b, p + 34, MLB_DIGEST_LEN);
	*at = p + FIXED;
	return true;
}

size_t
mlb_rows_checked(const uint8_t *data, size_t len)
{
	if (len < SUM || get_u64(data + len - SUM) != mlb_hash64(data, len - SUM, SEED))
		return 0;
	return len - SUM;
}

void
mlb_rows_seal(struct mlb_buf *data)
{
	uint8_t sum[SUM];

	put_u64(sum, mlb_hash64(data->data, data->len, SEED));
	mlb_buf_add(data, sum, SUM);
}

int
mlb_row_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int cmp = memcmp(a, b, MLB_MIN(a_len, b_len));

	return cmp ? cmp : (a_len > b_len) - (a_len < b_len);
}

int
mlb_rows_open(struct mlb_rows *r, struct mlb_db *db, struct mlb_err *err)
{
	memset(r, 0, sizeof(*r));
	return mlb_db_prepare(&r->stmt, db,
			      "SELECT last, data FROM files WHERE last >= ?1 ORDER BY last", err);
}

void
mlb_rows_close(struct mlb_rows *r)
{
	if (r->stmt)
		mlb_stmt_reset(r->stmt);
	memset(r, 0, sizeof(*r));
}

/* The next record. */
static int
step(struct mlb_rows *r, struct mlb_err *err)
{
	bool row;
	int rc = mlb_stmt_step(r->stmt, &row, err);

	r->at = r->end = NULL;
	r->last = NULL;
	if (rc < 0)
		return rc;
	r->done = !row;
	if (row)
		r->last = mlb_column_blob(r->stmt, 0, &r->last_len);
	return 0;
}

static bool
behind(const struct mlb_rows *r, const char *key, size_t len)
{
	return r->last && mlb_row_cmp(r->last, r->last_len, key, len) < 0;
}

/* The record that a key belongs to. */
static int
find_record(struct mlb_rows *r, const char *key, size_t len, struct mlb_err *err)
{
	int rc = 0;

	for (int i = 0; i < STEPS && rc == 0 && behind(r, key, len); i++)
		rc = step(r, err);
	if (rc < 0 || r->done || (r->last && !behind(r, key, len)))
		return rc;
	mlb_stmt_reset(r->stmt);
	mlb_stmt_blob(r->stmt, 1, key, len);
	return step(r, err);
}

static void
fetch(struct mlb_rows *r)
{
	size_t len = 0;

	if (r->at)
		return;
	r->at = mlb_column_blob(r->stmt, 1, &len);
	r->end = r->at + mlb_rows_checked(r->at, len);
}

int
mlb_rows_find(struct mlb_rows *r, struct mlb_row *out, bool *found, const char *key, size_t len,
	      struct mlb_err *err)
{
	int rc = find_record(r, key, len, err);

	*found = false;
	if (rc < 0 || r->done)
		return rc;
	fetch(r);
	for (;;) {
		const uint8_t *next = r->at;
		int cmp;

		if (!mlb_row_read(out, &next, r->end))
			return 0;
		cmp = mlb_row_cmp(out->key, out->len, key, len);
		if (cmp > 0)
			return 0;
		r->at = next;
		if (cmp == 0) {
			*found = true;
			return 0;
		}
	}
}

/* false: not where it belongs, or nothing that is in a directory. */
static bool
add_seen(struct mlb_walk *out, const struct mlb_row *row, size_t skip)
{
	const struct mlb_seen *last = out->all.n ? &out->all.v[out->all.n - 1] : NULL;
	struct mlb_seen seen = {
		.path = mlb_arena_strndup(&out->arena, row->key + skip, row->len - skip),
		.digest = row->digest,
		.ino = row->ino,
		.size = row->size,
		.mtime = row->mtime,
		.ctime = row->ctime,
		.len = (uint32_t)(row->len - skip),
		.kind = row->kind,
		.flags = row->flags,
	};

	if (seen.len == 0 || strlen(seen.path) != seen.len)
		return false;
	if ((seen.kind == MLB_T_DIR) != (seen.path[seen.len - 1] == '/'))
		return false;
	if (last && strcmp(last->path, seen.path) >= 0)
		return false;
	mlb_vec_push(&out->all, seen);
	return true;
}

int
mlb_rows_walk(struct mlb_rows *r, struct mlb_walk *out, const char *dir, size_t len,
	      struct mlb_err *err)
{
	int rc = 0;

	while (rc == 0 && !r->done) {
		const uint8_t *next;
		struct mlb_row row;

		fetch(r);
		next = r->at;
		if (!mlb_row_read(&row, &next, r->end)) {
			rc = step(r, err);
			continue;
		}
		if (row.len <= len || memcmp(row.key, dir, len) != 0 || row.key[len] != '\0')
			break;
		r->at = next;
		if (!add_seen(out, &row, len + 1)) {
			mlb_walk_release(out);
			break;
		}
	}
	return rc;
}
