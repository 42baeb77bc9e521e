/* Globs see sources only: which outputs of targets one would otherwise have matched. */
#include <string.h>

#include "graph/compile.h"
#include "graph/glob.h"

/* Could it match this output, or something in it? */
static bool
reaches(struct mlb_comp *c, const char *pattern, const struct mlb_c_out *out)
{
	const char *path = mlb_c_path_text(c, out->path);

	return out->each || out->kind == MLB_G_DIR ? mlb_glob_reaches(pattern, path)
						   : mlb_glob_match(pattern, path);
}

/* Can there be outputs where it looks? Most globs are about directories that have none. */
static bool
may_reach(struct mlb_comp *c, const char *pattern)
{
	struct mlb_buf base = MLB_BUF_INIT(MLB_C_TEXT);
	const char *dir;
	bool may;

	mlb_glob_base(&base, pattern);
	dir = mlb_buf_str(&base);
	may = strcmp(dir, ".") == 0 || mlb_c_holds_outputs(c, dir) ||
	      mlb_c_owner(c, mlb_c_path(c, dir)) != MLB_NONE;
	mlb_buf_release(&base);
	return may;
}

/* Numbers of c->out, in order; a source is seen, and a check is never an input. Kept by pattern. */
static const struct mlb_c_u32s *
reached(struct mlb_comp *c, const char *pattern)
{
	struct mlb_c_u32s *found = mlb_strmap_get(&c->reached, pattern);

	if (found)
		return found;
	found = mlb_arena_alloc(&c->arena, sizeof(*found));
	mlb_strmap_set(&c->reached, mlb_arena_strdup(&c->arena, pattern), found);
	for (size_t i = 0; may_reach(c, pattern) && i < c->out.n; i++) {
		const struct mlb_c_out *out = &c->out.v[i];
		const struct mlb_c_inst *by;

		if (out->path == MLB_NONE || c->path_info.v[out->path].producer == MLB_NONE)
			continue;
		by = &c->inst.v[c->path_info.v[out->path].producer];
		if (!(by->node.flags & MLB_G_SOURCE) && by->node.kind != MLB_K_CHECK &&
		    reaches(c, pattern, out))
			mlb_vec_push(found, (uint32_t)i);
	}
	return found;
}

static uint32_t
producer(const struct mlb_comp *c, uint32_t out)
{
	return c->path_info.v[c->out.v[out].path].producer;
}

const char *
mlb_c_glob_outputs(struct mlb_comp *c, uint32_t inst, const char *pattern)
{
	const struct mlb_c_u32s *found = reached(c, pattern);

	for (size_t i = 0; i < found->n; i++)
		if (producer(c, found->v[i]) != inst)
			return mlb_arena_printf(
				&c->tmp, "; '%s' is an output of '%s': name that target instead",
				mlb_c_path_text(c, c->out.v[found->v[i]].path),
				c->inst.v[producer(c, found->v[i])].name);
	return "";
}

void
mlb_c_glob_used(struct mlb_comp *c, uint32_t inst, const char *pattern,
		const struct mlb_text *where)
{
	struct mlb_c_glob g = { inst, where, NULL };

	/* The instances of a matrix, and what shares a [defaults], need no word each. */
	if (!c->in->notes ||
	    (c->glob_used.n && c->glob_used.v[c->glob_used.n - 1].where == where) ||
	    !reached(c, pattern)->n)
		return;
	g.pattern = mlb_arena_strdup(&c->arena, pattern);
	mlb_vec_push(&c->glob_used, g);
}

/* Is something of who makes the output an input all the same? */
static bool
is_read(const struct mlb_comp *c, uint32_t inst, uint32_t by)
{
	const struct mlb_range in = c->inst.v[inst].node.in;

	for (uint32_t i = 0; i < in.n; i++)
		if (c->path_info.v[c->input.v[in.first + i].path].producer == by)
			return true;
	return false;
}

void
mlb_c_glob_notes(struct mlb_comp *c)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_C_TEXT);

	for (size_t i = 0; i < c->glob_used.n; i++) {
		const struct mlb_c_glob *g = &c->glob_used.v[i];
		const struct mlb_c_u32s *found = reached(c, g->pattern);
		const char *reader = c->inst.v[g->inst].name;
		uint32_t by = MLB_NONE;
		size_t k;

		for (k = 0; k < found->n; k++) {
			by = producer(c, found->v[k]);
			if (by != g->inst && !is_read(c, g->inst, by))
				break;
		}
		if (k == found->n)
			continue;
		mlb_buf_clear(&text);
		mlb_buf_addf(
			&text,
			"%s:%u: in '%s': '%s' leaves out '%s', an output of '%s': globs see sources only; name "
			"that target if '%s' reads it",
			g->where->file ? g->where->file : "", g->where->line, reader, g->pattern,
			mlb_c_path_text(c, c->out.v[found->v[k]].path), c->inst.v[by].name, reader);
		mlb_strvec_push(c->in->notes, mlb_buf_str(&text));
	}
	mlb_buf_release(&text);
}
