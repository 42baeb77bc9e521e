#include "engine/metrics.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "engine/metrics_read.h"
#include "os/fs.h"

enum { MAX_METRICS = 16 << 20, MAX_REPORT = 256 << 20 };

/* The parsed metrics of one output; NULL if they cannot be read. */
static json_t *
read_output(struct mlb_plan *plan, uint32_t output)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	json_t *json = NULL;

	if (mlb_cas_read(plan->p->cas, &text, &plan->out[output].digest, NULL) == 0)
		json = mlb_metrics_parse(mlb_g_path(plan->g, plan->g->output[output].path),
					 mlb_buf_str(&text), text.len, NULL);
	mlb_buf_release(&text);
	return json;
}

/* One line of JSON; the caller frees it. */
static char *
compact(const json_t *json)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_METRICS);

	if (!json)
		return NULL;
	mlb_metrics_dump(&b, json);
	return mlb_buf_detach(&b);
}

char *
mlb_metrics_text(const char *path, const char *text, size_t len)
{
	json_t *json = mlb_metrics_parse(path, text, len, NULL);
	char *out = compact(json);

	json_decref(json);
	return out;
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
		text = compact(json);
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
	struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);
	struct mlb_err why = MLB_ERR_INIT;
	json_t *json;
	int rc;

	if (!mlb_metrics_must_parse(path))
		return 0;
	rc = mlb_fs_read(&text, full, err);
	if (rc == 0) {
		json = mlb_metrics_parse(path, mlb_buf_str(&text), text.len, &why);
		if (!json)
			rc = mlb_err_set(err, MLB_EFAILED, "its metrics are wrong: %s", why.text);
		json_decref(json);
	}
	mlb_err_release(&why);
	mlb_buf_release(&text);
	return rc;
}
