/* The rows of the stat cache, against a model. */
#include "scan_fixture.h"

#include "store/scan_rows.h"

/* ------------------------------------------------------------ rows */

struct model {
	char name[24];
	unsigned version; /* 0: absent */
	unsigned below;   /* rows inside */
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct model *)a)->name, ((const struct model *)b)->name);
}

static void
write_model(struct project *p, const struct model *m, const uint8_t *which, size_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_rows_writer *w = mlb_rows_writer_new(p->db);

	assert_ok(mlb_db_begin(p->db, &err));
	for (size_t i = 0; i < n; i++) {
		struct mlb_row row = { .key = m[i].name,
				       .len = strlen(m[i].name),
				       .size = m[i].version };
		char key[64];

		if (!which[i])
			continue;
		assert_ok(mlb_rows_path(w, m[i].name, row.len, &err));
		if (!m[i].version)
			continue;
		assert_ok(mlb_rows_add(w, &row, &err));
		if (m[i].below % 2)
			assert_ok(mlb_rows_cut(w, &err));
		for (unsigned k = 0; k < m[i].below; k++) {
			snprintf(key, sizeof(key), "%s.%05u", m[i].name, k);
			key[strlen(m[i].name)] = '\0';
			row.key = key;
			row.len = strlen(m[i].name) + 6;
			assert_ok(mlb_rows_add(w, &row, &err));
		}
	}
	assert_ok(mlb_rows_finish(w, &err));
	assert_ok(mlb_db_commit(p->db, &err));
	mlb_rows_writer_free(w);
}

static void
read_model(struct project *p, const struct model *m, size_t n, unsigned every)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_rows rows;
	struct mlb_row row;
	bool found;

	assert_ok(mlb_rows_open(&rows, p->db, &err));
	for (size_t i = 0; i < n; i += every) {
		struct mlb_walk walk = MLB_WALK_INIT;

		assert_ok(mlb_rows_find(&rows, &row, &found, m[i].name, strlen(m[i].name), &err));
		assert_int_equal(found, m[i].version != 0);
		if (!found)
			continue;
		assert_int_equal(row.size, m[i].version);
		assert_ok(mlb_rows_walk(&rows, &walk, m[i].name, strlen(m[i].name), &err));
		assert_int_equal(walk.all.n, m[i].below);
		for (size_t k = 0; k < walk.all.n; k++) {
			char name[8];

			snprintf(name, sizeof(name), "%05u", (unsigned)(k % 100000));
			assert_string_equal(walk.all.v[k].path, name);
			assert_int_equal(walk.all.v[k].size, m[i].version);
		}
		mlb_walk_release(&walk);
	}
	mlb_rows_close(&rows);
}

/* Paths and what is in them come, change, grow, shrink and go; the table always holds exactly them. */
static void
test_rows(void **state)
{
	enum { N = 3000 };
	struct model *m = mlb_calloc(N, sizeof(*m));
	uint8_t *which = mlb_calloc(N, 1);
	uint64_t seed = 99;
	struct project p;

	open_project(&p, state);
	for (unsigned i = 0; i < N; i++)
		snprintf(m[i].name, sizeof(m[i].name), "%x/%u", dice(&seed, 40), i);
	qsort(m, N, sizeof(*m), by_name);
	for (unsigned round = 1; round < 30; round++) {
		unsigned share = round % 3 ? 1 + dice(&seed, 1000) : 1;
		size_t from = dice(&seed, N), to = round % 5 ? N : MLB_MIN(N, from + 20);

		memset(which, 0, N);
		for (size_t i = round % 5 ? 0 : from; i < to; i++) {
			if (dice(&seed, share))
				continue;
			which[i] = 1;
			m[i].version = dice(&seed, 4) ? round : 0;
			m[i].below = m[i].version && dice(&seed, 60) == 0 ? dice(&seed, 3000) : 0;
		}
		write_model(&p, m, which, N);
		read_model(&p, m, N, 1);
		read_model(&p, m, N, 1 + dice(&seed, 1500));
	}
	free(which);
	free(m);
	close_project(&p);
}

/* The record after a key, flipped in one byte. */
static void
flip(struct project *p, const char *key, uint64_t *seed)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf last = MLB_BUF_INIT(1 << 20), data = MLB_BUF_INIT(1 << 20);
	struct mlb_stmt *stmt;
	const void *v;
	size_t len;
	bool row;

	assert_ok(mlb_db_prepare(&stmt, p->db,
				 "SELECT last, data FROM files WHERE last >= ?1 LIMIT 1", &err));
	mlb_stmt_blob(stmt, 1, key, strlen(key));
	assert_ok(mlb_stmt_step(stmt, &row, &err));
	if (row) {
		v = mlb_column_blob(stmt, 0, &len);
		mlb_buf_add(&last, v, len);
		v = mlb_column_blob(stmt, 1, &len);
		mlb_buf_add(&data, v, len);
	}
	mlb_stmt_reset(stmt);
	if (row) {
		data.data[dice(seed, (unsigned)data.len)] ^= (char)(1u << dice(seed, 8));
		assert_ok(mlb_db_prepare(&stmt, p->db, "UPDATE files SET data = ?2 WHERE last = ?1",
					 &err));
		mlb_stmt_blob(stmt, 1, last.data, last.len);
		mlb_stmt_blob(stmt, 2, data.data, data.len);
		assert_ok(mlb_stmt_run(stmt, &err));
	}
	mlb_buf_release(&last);
	mlb_buf_release(&data);
}

/* A flipped bit costs what its record knew; nothing wrong is ever read. */
static void
test_damage(void **state)
{
	enum { N = 2000 };
	struct model *m = mlb_calloc(N, sizeof(*m));
	uint8_t *which = mlb_calloc(N, 1);
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t seed = 5;
	struct project p;

	open_project(&p, state);
	for (unsigned i = 0; i < N; i++) {
		snprintf(m[i].name, sizeof(m[i].name), "%x/%u", dice(&seed, 40), i);
		m[i].version = i + 1;
	}
	qsort(m, N, sizeof(*m), by_name);
	memset(which, 1, N);
	for (unsigned round = 0; round < 100; round++) {
		struct mlb_rows rows;
		size_t lost = 0;

		write_model(&p, m, which, N);
		read_model(&p, m, N, 1);
		flip(&p, m[dice(&seed, N)].name, &seed);
		assert_ok(mlb_rows_open(&rows, p.db, &err));
		for (size_t i = 0; i < N; i++) {
			struct mlb_row row;
			bool found;

			assert_ok(mlb_rows_find(&rows, &row, &found, m[i].name, strlen(m[i].name),
						&err));
			lost += !found;
			if (found)
				assert_int_equal(row.size, m[i].version);
		}
		mlb_rows_close(&rows);
		assert_int_not_equal(lost, 0);
		assert_true(lost < N);
	}
	free(which);
	free(m);
	close_project(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_rows),
		scratch_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
