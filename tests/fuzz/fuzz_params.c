/*
 * Any bytes as a parameter file (JSON if they begin with '{', else YAML): the
 * JSON of every value is JSON, and every value can be changed in the file.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "graph/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool yes)
{
	if (!yes)
		abort();
}

/* jansson cannot hold what is beyond a double, which YAML and JSON can say. */
static void
check_json(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(
		text, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	require(json || strstr(error.text, "real number overflow") || strstr(error.text, "NUL"));
	json_decref(json);
}

static void
check_rewrite(const struct mlb_params *p, const char *name, const char *file, const char *text,
	      size_t size)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_param change = {
		.name = name, .text = "1e-3: #x", .type = MLB_PARAM_SCALAR, .file = "-p"
	};
	const struct mlb_param *changes[] = { &change };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params again;
	unsigned changed;

	mlb_params_init(&again);
	if (mlb_params_rewrite(&out, file, text, size, changes, 1, &changed, &err) == 0 && changed) {
		require(mlb_params_parse(&again, file, mlb_buf_str(&out), out.len, false, &err) ==
			0);
		require(again.map.n == p->map.n);
		require(!strcmp(mlb_params_get(&again, name)->text, change.text));
	}
	mlb_params_release(&again);
	mlb_err_release(&err);
	mlb_buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *file = size && *text == '{' ? "f.json" : "f.yaml";
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_params p;

	mlb_params_init(&p);
	if (mlb_params_parse(&p, file, text, size, false, &err) == 0) {
		for (uint32_t i = 0; i < p.map.n && i < 8; i++) {
			const struct mlb_param *v = mlb_params_get(&p, p.map.entry[i].key);

			require(v && mlb_is_utf8(v->text, strlen(v->text)));
			if (v->type != MLB_PARAM_SCALAR)
				check_json(v->text);
			if (!v->map)
				check_rewrite(&p, v->name, file, text, size);
		}
	}
	mlb_params_release(&p);
	mlb_err_release(&err);
	return 0;
}
