/* Two caches and a directory as the remote between them, for tests of transfers. */
#ifndef TESTS_UNIT_TRANSFER_FIXTURE_H
#define TESTS_UNIT_TRANSFER_FIXTURE_H

#include "cas_fixture.h"

#include <errno.h>
#include <sys/stat.h>

#include "engine/transfer.h"
#include "os/path.h"
#include "store/tree.h"

/* A cache, and its way to the remote. */
struct side {
	struct mlb_db *db;
	struct mlb_cas *cas;
	struct mlb_results *results;
	char *url;
	struct mlb_remote_config config;
	struct mlb_session *session;
	struct mlb_transfer *t;
};

static inline const char *
no_key(const struct mlb_remote_config *c, const char *key)
{
	(void)c;
	(void)key;
	return NULL;
}

static inline void
open_transfer(struct side *s, const char *remote)
{
	struct mlb_err err = MLB_ERR_INIT;
	char cwd[4096];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	s->url = mlb_asprintf("%s/%s", cwd, remote);
	s->config = (struct mlb_remote_config){ "team", s->url, no_key, no_key, NULL };
	assert_ok(mlb_session_open(&s->session, &s->config, &err));
	assert_ok(mlb_transfer_open(&s->t, s->session, s->cas, s->results, 2, &err));
}

static inline void
close_transfer(struct side *s)
{
	mlb_transfer_close(s->t);
	mlb_session_close(s->session);
	free(s->url);
	s->t = NULL;
}

static inline struct side
open_side(const char *name, const char *remote)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct side s = { NULL };
	char cwd[4096];
	char *db, *cache;

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	db = mlb_asprintf("%s/%s.db", cwd, name);
	cache = mlb_asprintf("%s/%s/v1", cwd, name);
	assert_ok(mlb_db_open(&s.db, db, &err));
	assert_ok(mlb_cas_open(&s.cas, cache, s.db, &err));
	assert_ok(mlb_results_open(&s.results, cache, s.db, &err));
	free(cache);
	free(db);
	assert_int_equal(mkdir(remote, 0777) == 0 || errno == EEXIST, 1);
	open_transfer(&s, remote);
	return s;
}

static inline void
close_side(struct side *s)
{
	close_transfer(s);
	mlb_results_close(s->results);
	mlb_cas_close(s->cas);
	mlb_db_close(s->db);
}

static inline struct mlb_digest
put_in(struct side *s, const void *data, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;

	assert_ok(mlb_cas_put(s->cas, &d, data, len, &err));
	assert_ok(mlb_cas_sync(s->cas, &err));
	return d;
}

static inline void
refresh(struct side *s)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_transfer_refresh(s->t, NULL, &err));
}

static inline struct mlb_push_report
push_needs(struct side *s, const struct mlb_need *root, size_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_push push = { .root = root, .n_roots = n };
	struct mlb_push_report r;

	refresh(s);
	assert_ok(mlb_transfer_push(s->t, &push, &r, &err));
	return r;
}

static inline struct mlb_push_report
push_one(struct side *s, enum mlb_root_kind kind, const struct mlb_digest *d)
{
	const struct mlb_need need = { *d, (uint8_t)kind };

	return push_needs(s, &need, 1);
}

static inline struct mlb_fetch_report
fetch_one(struct side *s, const struct mlb_digest *d, bool is_tree, enum mlb_fetch_state want)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_fetch_want w = { .digest = *d, .is_tree = is_tree };
	struct mlb_fetch f = { .want = &w, .n_wants = 1 };
	struct mlb_fetch_report r;

	assert_ok(mlb_transfer_fetch(s->t, &f, &r, &err));
	assert_int_equal(w.state, want);
	return r;
}

static inline void
expect_in(struct side *s, const struct mlb_digest *d, const void *data, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);

	assert_ok(mlb_cas_read(s->cas, &got, d, &err));
	assert_int_equal(got.len, len);
	assert_memory_equal(mlb_buf_str(&got), data, len);
	mlb_buf_release(&got);
}

/* The files of a directory of the remote. */
static inline size_t
count_files(const char *dir)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	size_t n;

	mlb_fs_list(&list, dir, NULL);
	n = list.n;
	mlb_dirents_release(&list);
	return n;
}

/* The nth file of a directory. Owned by the caller. */
static inline char *
nth_file(const char *dir, size_t n)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	char *path;

	mlb_fs_list(&list, dir, NULL);
	assert_true(n < list.n);
	path = mlb_asprintf("%s/%s", dir, list.v[n].name);
	mlb_dirents_release(&list);
	return path;
}

#endif
