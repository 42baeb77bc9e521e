/*
 * In state.db's meta:
 *
 *   "pin COMMIT"    32 bytes: the digest that names what it needs
 *   "pinned HEX"    that is the SHA-256 of these bytes: 33 for each thing needed,
 *                   sorted: its kind (store/roots.h) and its digest
 *
 * What is damaged or missing is read from git again.
 */
#include "engine/pin_needs.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

#define OF_COMMIT "pin "
#define OF_SET "pinned "

enum { MAX_LOCK = 1 << 30, MAX_SET = 64 << 20, NAME_SIZE = 96, ROW = 1 + MLB_DIGEST_LEN };

void
mlb_pin_needs_release(struct mlb_pin_needs *n)
{
	for (uint32_t i = 0; i < n->set.n; i++)
		mlb_roots_release(&((struct mlb_pin_set *)n->set.entry[i].u.ptr)->need);
	mlb_strmap_release(&n->commit);
	mlb_strmap_release(&n->set);
	mlb_strmap_release(&n->blob);
	mlb_arena_release(&n->arena);
}

/* ---------------------------------------------------------- what is known */

static struct mlb_pin_set *
set_of(struct mlb_pin_needs *n, const char *hex)
{
	struct mlb_pin_set *set = mlb_strmap_get(&n->set, hex);

	if (set)
		return set;
	set = mlb_arena_alloc(&n->arena, sizeof(*set));
	memcpy(set->hex, hex, sizeof(set->hex));
	mlb_strmap_set(&n->set, set->hex, set);
	return set;
}

static struct mlb_pin_known *
add_commit(struct mlb_pin_needs *n, const char *commit, struct mlb_pin_set *set)
{
	struct mlb_pin_known *known = mlb_arena_alloc(&n->arena, sizeof(*known));

	known->commit = mlb_arena_strdup(&n->arena, commit);
	known->set = set;
	mlb_strmap_set(&n->commit, known->commit, known);
	return known;
}

static int
take_set(void *ctx, const char *name, const void *v, size_t len, struct mlb_err *err)
{
	const char *hex = name + strlen(OF_SET);
	struct mlb_digest digest;
	struct mlb_pin_set *set;

	(void)err;
	if (strlen(hex) != MLB_HEX_LEN || !mlb_digest_parse(&digest, hex, MLB_HEX_LEN) ||
	    len % ROW != 0)
		return 0;
	set = set_of(ctx, hex);
	set->kept = true;
	for (size_t i = 0; i < len; i += ROW) {
		const uint8_t *row = (const uint8_t *)v + i;

		memcpy(digest.b, row + 1, MLB_DIGEST_LEN);
		mlb_roots_add(&set->need, row[0], &digest);
	}
	return 0;
}

static int
take_commit(void *ctx, const char *name, const void *v, size_t len, struct mlb_err *err)
{
	struct mlb_pin_needs *n = ctx;
	char hex[MLB_HEX_LEN + 1];
	struct mlb_pin_set *set;
	struct mlb_digest digest;

	(void)err;
	if (len != MLB_DIGEST_LEN)
		return 0;
	memcpy(digest.b, v, MLB_DIGEST_LEN);
	mlb_digest_hex(hex, &digest);
	set = mlb_strmap_get(&n->set, hex);
	if (set)
		add_commit(n, name + strlen(OF_COMMIT), set)->kept = true;
	return 0;
}

int
mlb_pin_needs_load(struct mlb_pin_needs *n, struct mlb_db *db, struct mlb_err *err)
{
	int rc = mlb_meta_each(db, OF_SET, take_set, n, err);

	return rc ? rc : mlb_meta_each(db, OF_COMMIT, take_commit, n, err);
}

bool
mlb_pin_needs_has(struct mlb_db *db, const char *commit)
{
	char name[NAME_SIZE];
	bool has;

	(void)snprintf(name, sizeof(name), OF_COMMIT "%s", commit);
	return mlb_meta_has(db, name, &has, NULL) == 0 && has;
}

/* ---------------------------------------------------------- what a lock says */

/* Of a lock only the sources matter, which a build from that commit cannot make: else each would keep the one before it. */
static void
add_sources(struct mlb_roots *out, const struct mlb_lockfile *lock)
{
	for (uint32_t i = 0; i < lock->map.n; i++)
		for (const struct mlb_lock_block *b = lock->map.entry[i].u.ptr; b; b = b->other)
			if (mlb_digest_is_zero(&b->key) && mlb_digest_is_zero(&b->table))
				mlb_needs_of_block(out, b);
}

static void
format(struct mlb_buf *out, const struct mlb_roots *need)
{
	for (size_t i = 0; i < need->root.n; i++) {
		mlb_buf_addc(out, (char)need->root.v[i].kind);
		mlb_buf_add(out, need->root.v[i].digest.b, MLB_DIGEST_LEN);
	}
}

static struct mlb_pin_set *
set_of_text(struct mlb_pin_needs *n, const char *text, size_t len)
{
	struct mlb_buf bytes = MLB_BUF_INIT(MAX_SET);
	struct mlb_roots need = { 0 };
	char hex[MLB_HEX_LEN + 1];
	struct mlb_pin_set *set;
	struct mlb_lockfile lock;
	struct mlb_digest digest;

	mlb_lockfile_init(&lock);
	if (mlb_lockfile_parse(&lock, text, len, NULL) == 0)
		add_sources(&need, &lock);
	else
		mlb_needs_of_text(&need, text, len);
	mlb_roots_sort(&need);
	format(&bytes, &need);
	mlb_sha256_of(&digest, mlb_buf_str(&bytes), bytes.len);
	mlb_digest_hex(hex, &digest);
	set = set_of(n, hex);
	if (!set->need.root.n) {
		set->need = need;
		need = (struct mlb_roots){ 0 };
	}
	mlb_roots_release(&need);
	mlb_lockfile_release(&lock);
	mlb_buf_release(&bytes);
	return set;
}

/* Many have the same lock. */
static int
read_set(struct mlb_pin_needs *n, struct mlb_project *p, const char *blob, struct mlb_pin_set **out,
	 struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	int rc = 0;

	*out = mlb_strmap_get(&n->blob, blob);
	if (*out)
		return 0;
	if (blob[0])
		rc = mlb_vcs_blob_read(p->vcs, blob, &text, err);
	if (rc == 0) {
		*out = set_of_text(n, mlb_buf_str(&text), text.len);
		mlb_strmap_set(&n->blob, mlb_arena_strdup(&n->arena, blob), *out);
	}
	mlb_buf_release(&text);
	return rc;
}

static int
learn(struct mlb_pin_needs *n, struct mlb_project *p, const char *commit,
      struct mlb_pin_known **out, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_pin_set *set = NULL;
	char blob[MLB_OID_HEX + 1];
	int rc = mlb_vcs_file_id(p->vcs, commit, "mlbuild.lock", blob, &why);

	*out = NULL;
	if (rc == 0)
		rc = read_set(n, p, blob, &set, &why);
	if (rc == 0)
		*out = add_commit(n, commit, set);
	/* What is no commit has no lock. */
	if (rc == MLB_ENOTFOUND || rc == MLB_EINVALID)
		rc = 0;
	else if (rc)
		mlb_err_set(err, why.code, "%s", why.text);
	mlb_err_release(&why);
	return rc;
}

void
mlb_pin_needs_begin(struct mlb_pin_needs *n)
{
	for (uint32_t i = 0; i < n->commit.n; i++)
		((struct mlb_pin_known *)n->commit.entry[i].u.ptr)->used = false;
	for (uint32_t i = 0; i < n->set.n; i++)
		((struct mlb_pin_set *)n->set.entry[i].u.ptr)->used = false;
}

int
mlb_pin_needs_of(struct mlb_pin_needs *n, struct mlb_project *p, const char *commit,
		 const struct mlb_roots **out, struct mlb_err *err)
{
	struct mlb_pin_known *known = mlb_strmap_get(&n->commit, commit);
	int rc = known ? 0 : learn(n, p, commit, &known, err);

	*out = NULL;
	if (rc || !known)
		return rc;
	known->used = true;
	if (!known->set->used)
		*out = &known->set->need;
	known->set->used = true;
	return 0;
}

/* ---------------------------------------------------------- writing it down */

static int
save_commit(struct mlb_pin_known *known, struct mlb_db *db, bool only, struct mlb_err *err)
{
	struct mlb_digest digest;
	char name[NAME_SIZE];
	int rc = 0;

	(void)snprintf(name, sizeof(name), OF_COMMIT "%s", known->commit);
	mlb_digest_parse(&digest, known->set->hex, MLB_HEX_LEN);
	if (known->kept && only && !known->used) {
		rc = mlb_meta_remove(db, name, err);
		known->kept = false;
	} else if (!known->kept && known->used) {
		rc = mlb_meta_set(db, name, digest.b, MLB_DIGEST_LEN, err);
		known->kept = rc == 0;
	}
	return rc;
}

static int
save_set(struct mlb_pin_set *set, struct mlb_db *db, bool only, struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(MAX_SET);
	char name[NAME_SIZE];
	int rc = 0;

	(void)snprintf(name, sizeof(name), OF_SET "%s", set->hex);
	if (set->kept && only && !set->used) {
		rc = mlb_meta_remove(db, name, err);
		set->kept = false;
	} else if (!set->kept && set->used) {
		rc = mlb_meta_has(db, name, &set->kept, err);
		if (rc == 0 && !set->kept) {
			format(&bytes, &set->need);
			rc = mlb_buf_check(&bytes, name, err);
		}
		if (rc == 0 && !set->kept)
			rc = mlb_meta_set(db, name, mlb_buf_str(&bytes), bytes.len, err);
		set->kept = rc == 0;
	}
	mlb_buf_release(&bytes);
	return rc;
}

int
mlb_pin_needs_save(struct mlb_pin_needs *n, struct mlb_db *db, bool only, struct mlb_err *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < n->set.n && rc == 0; i++)
		rc = save_set(n->set.entry[i].u.ptr, db, only, err);
	for (uint32_t i = 0; i < n->commit.n && rc == 0; i++)
		rc = save_commit(n->commit.entry[i].u.ptr, db, only, err);
	return rc;
}
