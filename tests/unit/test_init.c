/* Beginning a project and adding to one; nothing that exists is lost. */
#include "engine_fixture.h"

static void
new_project(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	char *note, *text;

	(void)state;
	assert_ok(mlb_init(".", &note, &err));
	assert_string_equal(note, "wrote mlbuild.ini");
	mlb_free(note);
	text = file_text("mlbuild.ini");
	expect_contains(text, "name = p\n");
	expect_contains(text, "shell = bash -eo pipefail -c\n");
	/* What it wrote is a project. */
	p = open_project();
	assert_string_equal(mlb_project_name(p), "p");
	mlb_project_close(p);
	build_ok("");
	/* Never overwritten. */
	assert_err(mlb_init(".", &note, &err), MLB_EEXISTS, "exists already: nothing was changed");
	assert_file("mlbuild.ini", text);
	free(text);
	assert_err(mlb_init("mlbuild.ini/below", &note, &err), MLB_ESYSTEM, "mlbuild.ini");
	assert_ok(mlb_init("not/there/yet", &note, &err));
	mlb_free(note);
	text = file_text("not/there/yet/mlbuild.ini");
	expect_contains(text, "name = yet\n");
	free(text);
}

static void
environment_lock(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *note, *text;

	(void)state;
	put_file("requirements.txt", "numpy\n");
	put_file("uv.lock", "");
	assert_ok(mlb_init(".", &note, &err));
	expect_contains(note, "uv.lock"); /* the most exact one */
	mlb_free(note);
	text = file_text("mlbuild.ini");
	expect_contains(text, "\nneeds = uv.lock\n");
	free(text);
}

static int
add(const char *path, const char *name, struct mlb_err *err)
{
	struct mlb_project *p = open_project();
	char *note = NULL;
	int rc = mlb_add(p, path, name, &note, err);

	mlb_free(note);
	mlb_project_close(p);
	return rc;
}

static void
adding(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	static const char before[] = "; mine\n[report z]\nrun = echo > ${out}\nout = z.txt\n; end";

	(void)state;
	put_file("mlbuild.ini", before);
	assert_int_equal(mkdir("data", 0777), 0);
	put_file("data/raw data.csv", "1\n");
	put_file("raw.csv", "1\n");
	assert_ok(add("data/raw data.csv", NULL, &err));
	assert_ok(add("raw.csv", "numbers", &err));
	assert_ok(add("./data", NULL, &err));
	assert_file("mlbuild.ini", "; mine\n[report z]\nrun = echo > ${out}\nout = z.txt\n; end\n"
				   "\n[dataset raw_data]\npath = \"data/raw data.csv\"\n"
				   "\n[dataset numbers]\npath = raw.csv\n"
				   "\n[dataset data]\npath = data\n");
}

static void
adding_with_crlf(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("mlbuild.ini", "[project]\r\nname = x\r\n");
	put_file("raw.csv", "1\n");
	assert_ok(add("raw.csv", NULL, &err));
	assert_file("mlbuild.ini",
		    "[project]\r\nname = x\r\n\r\n[dataset raw]\r\npath = raw.csv\r\n");
	build_ok("raw");
}

static void
names_are_unique(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *text;

	(void)state;
	put_file("mlbuild.ini", "[report raw]\nrun = echo > ${out}\nout = z.txt\n");
	put_file("raw.csv", "1\n");
	put_file("raw.txt", "1\n");
	assert_ok(add("raw.csv", NULL, &err));
	assert_ok(add("raw.txt", NULL, &err));
	text = file_text("mlbuild.ini");
	expect_contains(text, "[dataset raw_2]\npath = raw.csv\n");
	expect_contains(text, "[dataset raw_3]\npath = raw.txt\n");
	free(text);
	build_ok("");
}

static void
what_cannot_be_added(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	static const char before[] = "[dataset raw]\npath = raw.csv\n";

	(void)state;
	put_file("mlbuild.ini", before);
	put_file("raw.csv", "1\n");
	put_file("new.csv", "1\n");
	put_file("../outside.csv", "1\n");
	put_file("a$b", "1\n");
	assert_err(add("raw.csv", NULL, &err), MLB_EEXISTS,
		   "'raw.csv' is the path of 'raw' already (mlbuild.ini:1)");
	assert_err(add("new.csv", "raw", &err), MLB_EEXISTS, "there is a target 'raw' already");
	assert_err(add("new.csv", "no name", &err), MLB_EINVALID, "'no name' is no name");
	assert_err(add("absent.csv", NULL, &err), MLB_ENOTFOUND, "'absent.csv' does not exist");
	assert_err(add("../outside.csv", NULL, &err), MLB_EINVALID, "outside the project");
	assert_err(add("a$b", NULL, &err), MLB_EINVALID, "cannot be written");
	/* Names that the language keeps for itself. */
	assert_err(add("new.csv", "params", &err), MLB_EINVALID, "params");
	assert_file("mlbuild.ini", before);
}

/* A file called like a word of references still gets a name that can be used. */
static void
reserved_names(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("mlbuild.ini", "");
	put_file("params.csv", "1\n");
	put_file("out.csv", "1\n");
	assert_ok(add("params.csv", NULL, &err));
	assert_ok(add("out.csv", NULL, &err));
	build_ok("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(new_project),      engine_test(environment_lock),
		engine_test(adding),           engine_test(adding_with_crlf),
		engine_test(names_are_unique), engine_test(what_cannot_be_added),
		engine_test(reserved_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
