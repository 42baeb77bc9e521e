/* [project] default: what a bare `mlbuild` builds. Words as on the command line. */
#include <stdlib.h>
#include <string.h>

#include "graph/compile.h"
#include "graph/glob.h"
#include "os/path.h"

static void
take_target(const struct mlb_c_target *ct, uint8_t *mark)
{
	for (uint32_t i = 0; i < ct->n; i++)
		mark[ct->first + i] = 1;
}

static bool
fits(const struct mlb_c_target *ct, uint32_t ord, const struct mlb_ref *ref)
{
	for (uint32_t i = 0; i < ref->n_binds; i++) {
		const char *value = mlb_c_value(ct, ord, ref->bind[i].key);

		if (!value || (!ref->bind[i].all && strcmp(value, ref->bind[i].value) != 0))
			return false;
	}
	return true;
}

/* NAME or NAME@k=v: the instances whose values fit; false: there are none. */
static bool
take_bound(struct mlb_comp *c, const char *word, uint8_t *mark)
{
	struct mlb_c_target *ct;
	struct mlb_ref ref;
	bool found = false;

	if (!mlb_ref_target(&ref, &c->tmp, word))
		return false;
	ct = mlb_c_find(c, ref.name);
	for (uint32_t i = 0; ct && i < ct->n; i++)
		if (fits(ct, i, &ref))
			mark[ct->first + i] = found = true;
	return found;
}

static bool
take_glob(struct mlb_comp *c, const char *word, uint8_t *mark)
{
	bool found = false;

	for (uint32_t i = 0; mlb_glob_is(word) && i < c->n_targets; i++)
		if (mlb_glob_match(word, c->target[i].t->name)) {
			take_target(&c->target[i], mark);
			found = true;
		}
	return found;
}

static bool
take_kind(struct mlb_comp *c, const char *word, uint8_t *mark)
{
	bool found = false;

	for (uint32_t i = 0; i < c->n_targets; i++)
		if (strcmp(mlb_kind_names[c->target[i].t->kind], word) == 0) {
			take_target(&c->target[i], mark);
			found = true;
		}
	return found;
}

static bool
take_path(struct mlb_comp *c, const char *word, uint8_t *mark)
{
	uint32_t p = MLB_NONE;

	if (mlb_path_normalize(&c->scratch, word, NULL) == 0)
		p = mlb_c_path_find(c, mlb_buf_str(&c->scratch), c->scratch.len);
	if (p == MLB_NONE || c->path_info.v[p].producer == MLB_NONE)
		return false;
	mark[c->path_info.v[p].producer] = 1;
	return true;
}

static void
take_word(struct mlb_comp *c, const struct mlb_text *word, uint8_t *mark)
{
	const char *near;

	if (take_bound(c, word->s, mark) || take_glob(c, word->s, mark) ||
	    take_kind(c, word->s, mark) || take_path(c, word->s, mark))
		return;
	if (mlb_c_lost_outputs(c))
		return;
	near = mlb_c_nearest_target(c, word->s);
	mlb_c_error(c, word, "default names '%s', but there is no such target%s%s", word->s,
		    near ? "; nearest: " : "", near ? near : "");
}

/* Instances without a word: every target but tasks. */
uint8_t *
mlb_c_defaults(struct mlb_comp *c)
{
	const struct mlb_text_vec *words = &c->config->default_targets;
	uint8_t *mark = mlb_calloc(c->inst.n + 1, 1);

	for (size_t i = 0; i < words->n; i++)
		take_word(c, &words->v[i], mark);
	for (uint32_t i = 0; i < c->n_targets && words->n == 0; i++)
		if (c->target[i].t->kind != MLB_K_TASK)
			take_target(&c->target[i], mark);
	mlb_arena_release(&c->tmp);
	return mark;
}
