/* Python's imports: which lines are imports, and which files of the project they mean. */
#include "unit.h"

#include <sys/stat.h>

#include "graph/pyimport.h"
#include "os/fs.h"

/* ------------------------------------------------------------ lines */

/* "a.b ..pkg:x,y" for each import, level as dots. */
static void
assert_imports(const char *text, const char *want)
{
	struct mlb_py_imports imports = MLB_VEC_INIT;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf got = MLB_BUF_INIT(10000);

	mlb_py_parse(&imports, &arena, text, strlen(text));
	for (size_t i = 0; i < imports.n; i++) {
		mlb_buf_adds(&got, i ? " " : "");
		for (uint32_t k = 0; k < imports.v[i].level; k++)
			mlb_buf_addc(&got, '.');
		mlb_buf_adds(&got, imports.v[i].module);
		for (uint32_t k = 0; k < imports.v[i].n_names; k++)
			mlb_buf_addf(&got, "%s%s", k ? "," : ":", imports.v[i].name[k]);
	}
	if (strcmp(mlb_buf_str(&got), want) != 0)
		print_error("in: %s\n", text);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_vec_release(&imports);
	mlb_arena_release(&arena);
	mlb_buf_release(&got);
}

static void
test_lines(void **state)
{
	(void)state;
	assert_imports("import os", "os");
	assert_imports("import a.b.c as d, e", "a.b.c e");
	assert_imports("import a . b", "a.b");
	assert_imports("from a import b", "a:b");
	assert_imports("from a.b import c as d, e", "a.b:c,e");
	assert_imports("from a import *", "a");
	assert_imports("from . import x", ".:x");
	assert_imports("from .. import x", "..:x");
	assert_imports("from ...a.b import x", "...a.b:x");
	assert_imports("from .a import (b,\n  c as d, # why\n  e,\n)\nimport f", ".a:b,c,e f");
	assert_imports("from a \\\n import b", "a:b");
	assert_imports("import a; import b", "a b");
	assert_imports("if x: import a", "a");
	assert_imports("try:\n\timport a\nexcept ImportError:\n\timport b\n", "a b");
	assert_imports("def f():\n    from g import h\n", "g:h");
	assert_imports("\xef\xbb\xbfimport a\r\nimport b\r\n", "a b");
	assert_imports("x = [\n import_it,\n]\nimport a", "a");
	assert_imports("async def f(): import a", "a");
}

static void
test_not_imports(void **state)
{
	(void)state;
	assert_imports("# import a\n", "");
	assert_imports("\"\"\"\nimport a\n\"\"\"\nimport b", "b");
	assert_imports("'''\nfrom a import b\n'''", "");
	assert_imports("s = 'import a'\nimport b", "b");
	assert_imports("s = 'it\\'s\\\nimport a'\nimport b", "b");
	assert_imports("s = r'\\'\nimport b", "b");
	assert_imports("s = f\"\"\"{x}\nimport a\n\"\"\"", "");
	assert_imports("f(\nimport_a,\n)\n", "");
	assert_imports("importlib.import_module('a')", "");
	assert_imports("x.import_y = 1", "");
	assert_imports("yield from a\n", "");
	assert_imports("raise A from b\n", "");
	assert_imports("import", "");
	assert_imports("from", "");
	assert_imports("from a", "");
	assert_imports("from .", "");
	assert_imports("from a imported b", "");
	assert_imports("import 'a'", "");
	assert_imports("'", "");
	assert_imports("'''", "");
	assert_imports("\\", "");
	assert_imports("from a import (", "a");
}

/* ------------------------------------------------------------ files */

static void
put(const char *path, const char *text)
{
	assert_int_equal(mlb_fs_mkparents(path, NULL), 0);
	put_file(path, text);
}

static void
assert_hits(const struct mlb_py_hits *hits, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(10000);

	for (uint32_t i = 0; i < hits->n; i++)
		mlb_buf_addf(&got, "%s%s<%s", i ? " " : "", hits->v[i].path,
			     hits->v[i].by ? hits->v[i].by : "");
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

static void
assert_script(struct mlb_py *py, const char *script, const char *first, const char *want)
{
	const char *const search[] = { first, ".", "src" };
	const struct mlb_py_hits *hits;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_py_script(&hits, py, script, search, 3, &err));
	assert_hits(hits, want);
}

static void
assert_module(struct mlb_py *py, const char *module, const char *want)
{
	const char *const search[] = { ".", "src" };
	const struct mlb_py_hits *hits;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_py_module(&hits, py, module, search, 2, &err));
	assert_hits(hits, want);
}

static void
test_beside_the_script_and_transitively(void **state)
{
	struct mlb_py py;

	(void)state;
	put("tools/run.py", "import os, helper\nfrom numpy import array\n");
	put("tools/helper.py", "def f():\n  import late\n");
	put("tools/late.py", "import run, helper\n"); /* a circle */
	put("late.py", "");
	mlb_py_init(&py, ".");
	assert_script(&py, "tools/run.py", "tools",
		      "tools/helper.py<tools/run.py tools/late.py<tools/helper.py");
	mlb_py_release(&py);
}

static void
test_packages(void **state)
{
	struct mlb_py py;

	(void)state;
	put("main.py", "import pkg.sub.mod\nfrom pkg import other, name\nfrom lib.deep import x\n");
	put("pkg/__init__.py", "from . import auto\nname = 1\n");
	put("pkg/auto.py", "");
	put("pkg/other.py", "from .sub import mod\nfrom ..main import nothing\n");
	put("pkg/sub/__init__.py", "");
	put("pkg/sub/mod.py", "from ..third import y\n");
	put("pkg/third.py", "");
	put("pkg/unused.py", "");
	put("src/lib/__init__.py", "");
	put("src/lib/deep/__init__.py", "");
	put("src/lib/deep/x.py", "");
	mlb_py_init(&py, ".");
	assert_script(
		&py, "main.py", ".",
		"pkg/__init__.py<main.py pkg/sub/__init__.py<main.py pkg/sub/mod.py<main.py pkg/other.py<main.py "
		"src/lib/__init__.py<main.py src/lib/deep/__init__.py<main.py src/lib/deep/x.py<main.py "
		"pkg/auto.py<pkg/__init__.py pkg/third.py<pkg/sub/mod.py");
	mlb_py_release(&py);
}

static void
test_module_with_dash_m(void **state)
{
	struct mlb_py py;

	(void)state;
	put("app/__init__.py", "");
	put("app/__main__.py", "from . import core\n");
	put("app/core.py", "");
	put("app/train.py", "from app import core\n");
	mlb_py_init(&py, ".");
	assert_module(&py, "app", "app/__init__.py< app/__main__.py< app/core.py<app/__main__.py");
	assert_module(&py, "app.train", "app/__init__.py< app/train.py< app/core.py<app/train.py");
	assert_module(&py, "json.tool", "");
	mlb_py_release(&py);
}

static void
test_namespace_packages(void **state)
{
	struct mlb_py py;

	(void)state;
	put("main.py", "import ns.a, ns.b\n");
	put("ns/a.py", "");
	put("src/ns/b.py", "");
	mlb_py_init(&py, ".");
	assert_script(&py, "main.py", ".", "ns/a.py<main.py src/ns/b.py<main.py");
	mlb_py_release(&py);
}

static bool
made(void *ctx, const char *path)
{
	(void)ctx;
	return strcmp(path, "gen/tables.py") == 0;
}

static void
test_modules_that_a_target_makes(void **state)
{
	struct mlb_py py;

	(void)state;
	put("main.py", "from gen import tables\nimport gen.tables\n");
	put("gen/__init__.py", "");
	mlb_py_init(&py, ".");
	py.made = made;
	assert_script(&py, "main.py", ".", "gen/__init__.py<main.py gen/tables.py<main.py");
	assert_null(mlb_strmap_get(&py.file, "gen/tables.py"));
	mlb_py_release(&py);
}

static void
test_what_was_looked_at_is_remembered(void **state)
{
	struct mlb_digest digest;
	struct mlb_py_file *f;
	struct mlb_py_dir *d;
	struct mlb_py py;

	(void)state;
	put("main.py", "import a\nimport nowhere.b\n");
	put("a.py", "");
	mlb_py_init(&py, ".");
	assert_script(&py, "main.py", ".", "a.py<main.py");
	f = mlb_strmap_get(&py.file, "main.py");
	assert_non_null(f);
	mlb_sha256_of(&digest, "import a\nimport nowhere.b\n",
		      strlen("import a\nimport nowhere.b\n"));
	assert_true(mlb_digest_equal(&f->digest, &digest));
	assert_non_null(mlb_strmap_get(&py.file, "a.py"));
	d = mlb_strmap_get(&py.dir, ".");
	assert_false(mlb_digest_is_zero(&d->digest));
	d = mlb_strmap_get(&py.dir, "src");
	assert_true(mlb_digest_is_zero(&d->digest));
	mlb_py_release(&py);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_not_imports),
		scratch_test(test_beside_the_script_and_transitively),
		scratch_test(test_packages),
		scratch_test(test_module_with_dash_m),
		scratch_test(test_namespace_packages),
		scratch_test(test_modules_that_a_target_makes),
		scratch_test(test_what_was_looked_at_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
