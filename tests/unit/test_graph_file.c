/* The compiled graph as a file: what is read is what was written, and nothing damaged is read. */
#include "graph_unit.h"

static const char ini[] =
	"[project]\nname = p\ndefault = m\nexpose = .venv\n[cache]\nsalt = s\n[params]\nseed = 7\n[pool db]\nslots = 2\n"
	"[dataset raw]\npath = raw.csv\n[check c]\nguards = raw\nrun = check ${raw}\n"
	"[dataset img]\nrun = x\nout = img/\n[feature aug]\neach = ${img}/*.jpg\nrun = x ${each} ${out}\nout = aug/${each:stem}\n"
	"[model m]\nmatrix.k = 1 2\nrun = x ${raw} ${aug:list} ${params:seed} ${scratch} ${out}\nout = m/${matrix:k}\n"
	"env.A = 1\nneeds = env:MLB_T_NONE\nsecret = B\nfingerprint = cc --version\npool.db = 1\n";

static char *
slurp(const char *path, size_t *len)
{
	struct mlb_buf b = MLB_BUF_INIT(SIZE_MAX / 2);

	assert_int_equal(mlb_fs_read(&b, path, NULL), 0);
	*len = b.len;
	return mlb_buf_detach(&b);
}

static void
test_round_trip(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *a, *b = NULL;

	(void)state;
	a = graph_of(ini);
	assert_ok(mlb_graph_save(a, "graph", &err));
	assert_ok(mlb_graph_load(&b, "graph", &err));
	assert_int_equal(a->map_len, b->map_len);
	assert_memory_equal(a->map, b->map, a->map_len);
	assert_true(mlb_digest_equal(&a->id, &b->id));
	assert_int_equal(b->n_nodes, a->n_nodes);
	assert_string_equal(mlb_g_str(b, b->project), "p");
	assert_string_equal(mlb_g_str(b, b->salt), "s");
	assert_string_equal(mlb_g_str(b, b->expose[0]), ".venv");
	assert_string_equal(command(b, "m@k=2"), command(a, "m@k=2"));
	assert_nodes(b, &b->defaults, "m@k=1 m@k=2");
	assert_nodes(b, &node(b, "m@k=1")->gate, "c");
	mlb_graph_free(a);
	mlb_graph_free(b);
}

static void
test_absent_and_foreign_files(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *g = NULL;

	(void)state;
	assert_err(mlb_graph_load(&g, "none", &err), MLB_ENOTFOUND, "none");
	put_file("empty", "");
	assert_err(mlb_graph_load(&g, "empty", &err), MLB_ECORRUPT, "too short");
	put_file(
		"text",
		"this is not a graph but long enough to be one, if only its first bytes were the right ones; "
		"so it has to be refused for what it says and not for its length alone, as one may see here. "
		"................................................");
	assert_err(mlb_graph_load(&g, "text", &err), MLB_ECORRUPT, "another format");
	assert_int_equal(mkdir("dir", 0777), 0);
	assert_err(mlb_graph_load(&g, "dir", &err), MLB_ECORRUPT, "dir");
	assert_null(g);
}

/* Every byte changed, and every length: always an error, never a crash, never another graph. */
static void
test_damage(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *g;
	size_t len;
	char *bytes;

	(void)state;
	g = graph_of(ini);
	assert_ok(mlb_graph_save(g, "graph", &err));
	mlb_graph_free(g);
	g = NULL;
	bytes = slurp("graph", &len);
	for (size_t i = 0; i < len; i += 1 + i / 512) {
		bytes[i] ^= 0x41;
		assert_int_equal(mlb_fs_write("graph", bytes, len, false, &err), 0);
		assert_int_equal(mlb_graph_load(&g, "graph", NULL), MLB_ECORRUPT);
		bytes[i] ^= 0x41;
	}
	for (size_t n = 0; n < len; n += 97) {
		assert_int_equal(mlb_fs_write("graph", bytes, n, false, &err), 0);
		assert_int_equal(mlb_graph_load(&g, "graph", NULL), MLB_ECORRUPT);
	}
	assert_null(g);
	free(bytes);
}

static void
test_an_empty_project(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_graph *a, *b = NULL;

	(void)state;
	a = graph_of("[project]\nname = p\n");
	assert_int_equal(a->n_nodes, 0);
	assert_ok(mlb_graph_save(a, "graph", &err));
	assert_ok(mlb_graph_load(&b, "graph", &err));
	assert_int_equal(mlb_graph_find(b, "x"), MLB_NONE);
	mlb_graph_free(a);
	mlb_graph_free(b);
	mlb_graph_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_round_trip),
		scratch_test(test_absent_and_foreign_files),
		scratch_test(test_damage),
		scratch_test(test_an_empty_project),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
