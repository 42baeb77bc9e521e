/*
 * What the tests of the lock file share: blocks made of a number, and reading
 * and writing that must succeed.
 */
#ifndef TESTS_LOCK_TEST_H
#define TESTS_LOCK_TEST_H

#include "unit.h"

#include "base/hash.h"
#include "graph/lockfile.h"

#define MAX (256 * MLB_MIB)

/* A digest that is made of one number. */
static inline struct mlb_digest
digest(unsigned n)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, &n, sizeof(n));
	return d;
}

static inline void
set(struct mlb_lockfile *l, const char *kind, const char *name, unsigned version,
    unsigned n_outputs)
{
	struct mlb_lock_output out[8];
	char path[8][80];
	struct mlb_lock_block b = { .kind = kind,
				    .name = name,
				    .key = digest(version),
				    .stamp = "",
				    .output = out,
				    .n_outputs = n_outputs };

	for (unsigned i = 0; i < n_outputs; i++) {
		snprintf(path[i], sizeof(path[i]), "data/%s/%u.bin", name, i);
		out[i] = (struct mlb_lock_output){ path[i], 'f', digest(version * 100 + i),
						   version * 10 + i };
	}
	mlb_lockfile_set(l, &b);
}

static inline char *
format(const struct mlb_lockfile *l)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	mlb_lockfile_format(&b, l);
	assert_false(b.full);
	return mlb_buf_detach(&b);
}

/* The text must read; the caller releases. */
static inline void
parse_ok(struct mlb_lockfile *l, const char *text, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	int rc;

	mlb_lockfile_init(l);
	rc = mlb_lockfile_parse(l, text, len, &err);
	if (rc)
		print_error("%s\nin:\n%.*s\n", err.text, (int)len, text);
	assert_int_equal(rc, 0);
	assert_null(err.text);
}

#endif
