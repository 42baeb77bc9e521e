/* What the tests of the scan share: a project in the scratch directory. */
#ifndef TESTS_SCAN_FIXTURE_H
#define TESTS_SCAN_FIXTURE_H

#include "unit.h"

#include "os/fs.h"
#include "store/scan.h"
#include "store/tree.h"

struct project {
	char *root;
	struct mlb_db *db;
	struct mlb_cas *cas;
};

static inline void
open_project(struct project *p, void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *cache, *db;

	p->root = mlb_asprintf("%s/p", (char *)*state);
	cache = mlb_asprintf("%s/.mlbuild/cache/v1", p->root);
	db = mlb_asprintf("%s/.mlbuild/state.db", p->root);
	assert_ok(mlb_fs_mkdirs(cache, &err));
	assert_ok(mlb_db_open(&p->db, db, &err));
	assert_ok(mlb_cas_open(&p->cas, cache, p->db, &err));
	assert_int_equal(chdir(p->root), 0);
	free(cache);
	free(db);
}

static inline void
close_project(struct project *p)
{
	mlb_cas_close(p->cas);
	mlb_db_close(p->db);
	free(p->root);
}

static inline void
scan(struct mlb_scan *s, const struct project *p, const char *const *path, const uint8_t *want,
     size_t n)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_scan_init(s, p->root, path, want, n, p->db, 2, &err));
	assert_ok(mlb_scan_run(s, &err));
}

static inline void
save(struct mlb_scan *s)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_db_begin(s->db, &err));
	assert_ok(mlb_scan_save(s, NULL, &err));
	assert_ok(mlb_db_commit(s->db, &err));
}

/* Scan, save and close; how many states were changed or dirty. */
static inline size_t
scan_and_save(const struct project *p, const char *const *path, size_t n, size_t *dirty)
{
	struct mlb_scan s;
	size_t changed = 0;

	*dirty = 0;
	scan(&s, p, path, NULL, n);
	for (size_t i = 0; i < n; i++) {
		changed += s.state[i].changed;
		*dirty += s.state[i].dirty;
	}
	save(&s);
	mlb_scan_release(&s);
	return changed;
}

static inline void
settle_time(void)
{
	usleep(30000);
}

static inline void
digest_of(struct mlb_digest *out, const char *text)
{
	mlb_sha256_of(out, text, strlen(text));
}

static inline void
assert_content(const struct mlb_path_state *p, uint8_t kind, const char *text)
{
	struct mlb_digest want;

	digest_of(&want, text);
	assert_int_equal(p->kind, kind);
	assert_int_equal(p->size, strlen(text));
	assert_true(mlb_digest_equal(&p->digest, &want));
}

static inline void
assert_tree(const struct project *p, const struct mlb_path_state *state, const char *path)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *dir = mlb_asprintf("%s/%s", p->root, path);
	struct mlb_digest want;
	uint64_t size;

	assert_ok(mlb_tree_store(&want, &size, dir, NULL, &err));
	assert_int_equal(state->kind, MLB_P_TREE);
	assert_true(mlb_digest_equal(&state->digest, &want));
	assert_int_equal(state->size, size);
	free(dir);
}

static inline unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

#endif
