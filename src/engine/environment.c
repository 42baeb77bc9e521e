#include "engine/environment.h"

#include <stdlib.h>
#include <string.h>

enum { OWN_VARIABLES = 4 };

/* The nth of "5,7,GPU-3fe2": what mlbuild itself was given; NULL if it was given nothing. */
static const char *
given_gpu(uint32_t n, size_t *len)
{
	const char *s = getenv("CUDA_VISIBLE_DEVICES");

	for (; s && *s && n; n--) {
		s += strcspn(s, ",");
		s += *s == ',';
	}
	*len = s ? strcspn(s, ",") : 0;
	return *len ? s : NULL;
}

static const char *
gpu_list(struct mlb_work *w)
{
	struct mlb_buf ids = MLB_BUF_INIT(64 * MLB_KIB);
	const char *text;

	for (uint32_t i = 0; i < w->grant.n_gpus; i++) {
		size_t len;
		const char *given = given_gpu(w->grant.gpu[i], &len);

		mlb_buf_adds(&ids, i ? "," : "CUDA_VISIBLE_DEVICES=");
		if (given)
			mlb_buf_add(&ids, given, len);
		else
			mlb_buf_addf(&ids, "%u", w->grant.gpu[i]);
	}
	text = mlb_arena_strndup(&w->arena, mlb_buf_str(&ids), ids.len);
	mlb_buf_release(&ids);
	return text;
}

const char *const *
mlb_work_environment(struct mlb_work *w)
{
	const struct mlb_graph *g = w->b->g;
	const struct mlb_g_node *node = &g->node[w->node];
	const struct mlb_g_exec *exec = &g->exec[node->exec];
	const char **env =
		mlb_arena_alloc(&w->arena, (node->env.n + OWN_VARIABLES + 1) * sizeof(*env));
	const char *flags = mlb_jobserver_makeflags(w->b->m->jobserver);
	size_t n = 0;

	env[n++] = mlb_arena_printf(&w->arena, "OMP_NUM_THREADS=%u",
				    exec->cpus < 1 ? 1 : (unsigned)exec->cpus);
	if (exec->gpus)
		env[n++] = gpu_list(w);
	if (flags && flags[0])
		env[n++] = mlb_arena_printf(&w->arena, "MAKEFLAGS=%s", flags);
	/* What the target says itself comes last and wins. */
	for (uint32_t i = 0; i < node->env.n; i++) {
		const struct mlb_g_pair *p = &g->pair[node->env.first + i];

		env[n++] = p->value == MLB_NONE
				   ? mlb_g_str(g, p->name)
				   : mlb_arena_printf(&w->arena, "%s=%s", mlb_g_str(g, p->name),
						      mlb_g_str(g, p->value));
	}
	return env;
}

const char *const *
mlb_work_secrets(struct mlb_work *w)
{
	const struct mlb_graph *g = w->b->g;
	const struct mlb_range r = g->node[w->node].secret;
	const char **value = mlb_arena_alloc(&w->arena, (r.n + 1) * sizeof(*value));
	size_t n = 0;

	for (uint32_t i = 0; i < r.n; i++) {
		const char *v = getenv(mlb_g_str(g, g->pair[r.first + i].name));

		if (v && v[0])
			value[n++] = v;
	}
	return value;
}

const char *
mlb_work_missing_secret(const struct mlb_work *w)
{
	const struct mlb_graph *g = w->b->g;
	const struct mlb_range r = g->node[w->node].secret;

	for (uint32_t i = 0; i < r.n; i++) {
		const char *name = mlb_g_str(g, g->pair[r.first + i].name);

		if (!getenv(name))
			return name;
	}
	return NULL;
}
