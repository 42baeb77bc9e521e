/*
 * The files that mlbuild.ini.example names, made in the current directory, so
 * that the example can be loaded and compiled as a project.
 */
#ifndef TESTS_EXAMPLE_PROJECT_H
#define TESTS_EXAMPLE_PROJECT_H

#include "os/fs.h"
#include "unit.h"

/* The text of a file of the sources; the caller frees. */
static inline char *
source_file(const char *name)
{
	const char *src = getenv("MLBUILD_SRC");
	struct mlb_buf text = MLB_BUF_INIT(16 * MLB_MIB);
	char *path = mlb_asprintf("%s/%s", src ? src : ".", name);

	assert_int_equal(mlb_fs_read(&text, path, NULL), 0);
	free(path);
	return mlb_buf_detach(&text);
}

static inline void
make_example_project(void)
{
	static const char *const dirs[] = { "data/images/a", "data/day", "src", "pipelines", "deploy", "keys" };
	static const char *const scripts[] = { "split", "scale", "thumb", "train", "embed", "report", "gate" };
	char *ini = source_file("mlbuild.ini.example");

	for (size_t i = 0; i < MLB_ARRAY_LEN(dirs); i++)
		assert_int_equal(mlb_fs_mkdirs(dirs[i], NULL), 0);
	for (size_t i = 0; i < MLB_ARRAY_LEN(scripts); i++) {
		char *path = mlb_asprintf("src/%s.py", scripts[i]);

		put_file(path, "import sys\n");
		free(path);
	}
	for (int day = 1; day <= 31; day++) {
		char *path = mlb_asprintf("data/day/2024-01-%02d.csv", day);

		put_file(path, "1\n");
		free(path);
	}
	put_file("mlbuild.ini", ini);
	put_file("params.yaml", "train:\n  lr: 1e-3\n  epochs: 20\n");
	put_file("pipelines/extra.ini", "[report extra]\nrun = cp ${raw} ${out}\nout = reports/extra.csv\n");
	put_file("uv.lock", "");
	put_file("schema.ini", "");
	put_file("data/digits.csv", "0,1\n");
	put_file("data/images/a/1.png", "");
	put_file("deploy/deploy.sh", "#!/bin/sh\n");
	free(ini);
}

#endif
