/* Any bytes as mlbuild.ini: entries are well formed, and the loader says what is wrong or gives a whole config. */
#include <stdlib.h>
#include <string.h>

#include "graph/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool yes)
{
	if (!yes)
		abort();
}

static void
check_entries(const char *text, size_t size)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;
	int rc;

	mlb_ini_init(&ini);
	rc = mlb_ini_parse(&ini, "f", text, size, &err);
	require(rc == 0 || (rc == MLB_EINVALID && err.text && !strncmp(err.text, "f:", 2)));
	for (size_t i = 0; i < ini.entry.n; i++) {
		const struct mlb_ini_entry *e = &ini.entry.v[i];

		require(e->section && *e->section && e->section_line > 0 &&
			e->line >= e->section_line);
		if (!e->key)
			continue;
		require(*e->key && e->n_lines > 0 && mlb_ini_line(e, e->n_lines - 1) >= e->line);
		require(!strchr(mlb_ini_joined(&ini, e), '\n'));
		require(strlen(mlb_ini_verbatim(&ini, e)) <= size);
	}
	mlb_err_release(&err);
	mlb_ini_release(&ini);
}

static void
check_config(const char *text, size_t size)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c = NULL;
	int rc = mlb_config_parse(&c, "/nonexistent", text, size, &err);

	require((rc == 0) == (c != NULL) && (rc == 0) == (err.text == NULL));
	for (size_t i = 0; c && i < c->target.n; i++) {
		const struct mlb_target *t = c->target.v[i];

		require(mlb_config_find(c, t->name) == t && mlb_name_valid(t->name));
		require((t->run.s != NULL) + (t->use.s != NULL) + (t->path.s != NULL) == 1);
		require(t->cpus > 0 && t->batch > 0 && t->desc && t->tags && t->owner);
	}
	mlb_config_free(c);
	mlb_err_release(&err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_entries((const char *)data, size);
	check_config((const char *)data, size);
	return 0;
}
