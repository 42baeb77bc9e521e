#include "engine/metrics.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"

enum { MAX_METRICS = 16 << 20, MAX_REPORT = 256 << 20 };

/* The parsed metrics of one output; NULL if it is not JSON. */
static json_t *
read_output(struct mlb_plan *plan, uint32_t output)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	json_t *json = NULL;

	if (mlb_cas_read(plan->p->cas, &text, &plan->out[output].digest, NULL) == 0)
		json = json_loadb(mlb_buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
	mlb_buf_release(&text);
	return json;
}

char *
mlb_asked_metrics(struct mlb_plan *plan)
{
	const struct mlb_graph *g = plan->g;
	struct mlb_buf out = MLB_BUF_INIT(MAX_REPORT);
	struct mlb_json j;
	bool any = false;

	mlb_json_init(&j, &out);
	mlb_json_object(&j);
	for (uint32_t o = 0; o < g->n_outputs; o++) {
		uint32_t n = mlb_output_node(plan, o);
		json_t *json;
		char *text;

		if (g->output[o].kind != MLB_G_METRICS || !plan->node[n].asked ||
		    !plan->node[n].known)
			continue;
		json = read_output(plan, o);
		text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
		json_decref(json);
		if (!text)
			continue;
		mlb_json_key(&j, mlb_g_str(g, g->node[n].name));
		mlb_json_raw(&j, text);
		free(text);
		any = true;
	}
	mlb_json_end_object(&j);
	if (!any)
		mlb_buf_release(&out);
	return any ? mlb_buf_detach(&out) : NULL;
}

int
mlb_check_metrics(const char *path, const char *full, struct mlb_err *err)
{
	size_t len = strlen(path);
	json_error_t why;
	json_t *json;

	if (len < 5 || strcmp(path + len - 5, ".json") != 0)
		return 0;
	json = json_load_file(full, JSON_DECODE_ANY, &why);
	if (!json)
		return mlb_err_set(err, MLB_EFAILED, "its metrics '%s' are not JSON: line %d: %s",
				   path, why.line, why.text);
	json_decref(json);
	return 0;
}
