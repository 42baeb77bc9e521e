/*
 * References to text: what each stands for, quoted for where it stands.
 *
 * An unset ${env:VAR} in a command is remembered and no error here: only the
 * plan knows whether its target is wanted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "graph/compile.h"
#include "graph/glob.h"
#include "os/path.h"

/* One value that is being replaced. */
struct subst {
	struct mlb_comp *c;
	struct mlb_c_work *w;
	const struct mlb_text *where;
	unsigned forms;
	bool shell;
	struct mlb_buf *out;
	const struct mlb_piece *before; /* the piece in front of the reference, or NULL */
	const struct mlb_piece *after;
	const char *marker; /* what stands for it until an action is made; NULL: c->words do */
};

static const char *
instance_name(const struct subst *s)
{
	return s->c->inst.v[s->w->inst].name;
}

static bool
fail(struct subst *s, const struct mlb_ref *ref, const char *why)
{
	mlb_c_error(s->c, s->where, "in '%s': %s %s", instance_name(s), ref->text, why);
	return false;
}

/* ------------------------------------------------------------ values */

void
mlb_c_param(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_param *p)
{
	struct mlb_g_pair pair = { mlb_c_str(c, p->name), mlb_c_str(c, p->text) };

	for (size_t i = 0; i < w->param.n; i++)
		if (w->param.v[i].name == pair.name)
			return;
	mlb_vec_push(&w->param, pair);
}

static bool
param_ref(struct subst *s, const struct mlb_ref *ref)
{
	const struct mlb_param *p = mlb_params_get(&s->c->config->params, ref->name);
	const char *near;

	if (!p && s->c->config->lost_params)
		return false;
	if (!p) {
		near = mlb_params_nearest(&s->c->config->params, ref->name);
		mlb_c_error(s->c, s->where, "in '%s': there is no parameter '%s'%s%s",
			    instance_name(s), ref->name, near ? "; nearest: " : "",
			    near ? near : "");
		return false;
	}
	mlb_c_param(s->c, s->w, p);
	if (p->type == MLB_PARAM_LIST)
		for (uint32_t i = 0; i < p->n_items; i++)
			mlb_vec_push(&s->c->words, p->item[i]);
	else
		mlb_vec_push(&s->c->words, p->text);
	return true;
}

void
mlb_c_env_fact(struct mlb_comp *c, const char *name)
{
	const char *value = getenv(name);
	struct mlb_strmap_entry *e;
	struct mlb_g_fact fact;
	bool is_new;

	e = mlb_strmap_add(&c->env, name, strlen(name), &is_new);
	if (!is_new)
		return;
	e->key = mlb_arena_strdup(&c->arena, name);
	memset(&fact, 0, sizeof(fact));
	fact.subject = mlb_c_str(c, name);
	fact.kind = MLB_FACT_ENV;
	if (value)
		mlb_sha256_of(&fact.digest, value, strlen(value));
	mlb_vec_push(&c->fact, fact);
}

/* Whoever does not need this target must not be kept from working by it. */
static void
remember_unset(struct subst *s, const struct mlb_ref *ref)
{
	const char *line = mlb_arena_printf(
		&s->c->tmp,
		"%s:%u: in '%s': %s: '%s' is not set in the environment of mlbuild; set it",
		s->where->file ? s->where->file : "", s->where->line, instance_name(s), ref->text,
		ref->name);

	if (!*s->w->unset)
		s->w->unset = line;
	else if (!strstr(s->w->unset, line))
		s->w->unset = mlb_arena_printf(&s->c->tmp, "%s\n%s", s->w->unset, line);
}

static bool
env_ref(struct subst *s, const struct mlb_ref *ref)
{
	const char *value = getenv(ref->name);
	const struct mlb_target *t = s->w->ct->t;

	for (size_t i = 0; i < t->secret.n; i++)
		if (strcmp(t->secret.v[i].s, ref->name) == 0)
			return fail(
				s, ref,
				"is a secret, which must not be in a command; the command reads it from its environment");
	mlb_c_env_fact(s->c, ref->name);
	if (value) {
		mlb_vec_push(&s->c->words, mlb_arena_strdup(&s->c->tmp, value));
		return true;
	}
	if (!s->shell)
		return fail(s, ref, "is not set in the environment of mlbuild");
	remember_unset(s, ref);
	mlb_vec_push(&s->c->words, "");
	return true;
}

static bool
matrix_ref(struct subst *s, const struct mlb_ref *ref)
{
	const struct mlb_c_target *ct = s->w->ct;
	const char *names[MLB_C_KEYS];
	const char *value = mlb_c_value(ct, s->c->inst.v[s->w->inst].ord, ref->name);
	const char *near;

	if (value) {
		mlb_vec_push(&s->c->words, value);
		return true;
	}
	if (ct->t->broken)
		return false;
	for (uint32_t k = 0; k < ct->n_keys; k++)
		names[k] = ct->key[k].name;
	near = mlb_nearest(ref->name, names, ct->n_keys);
	mlb_c_error(s->c, s->where, "in '%s': %s: it has no matrix key '%s'%s%s", instance_name(s),
		    ref->text, ref->name, near ? "; nearest: " : "", near ? near : "");
	return false;
}

static const char *
make_marker(struct subst *s, const struct mlb_ref *ref, const char *name)
{
	if (!s->shell)
		return mlb_arena_printf(&s->c->tmp, "%c%s%c", MLB_MARK, name, MLB_MARK);
	return mlb_arena_printf(&s->c->tmp, "%c%s/%d%c", MLB_MARK, name, (int)ref->ctx, MLB_MARK);
}

/* With batch a reference to the file stands for many words, so nothing may be glued to it. */
static bool
alone(const struct subst *s)
{
	const struct mlb_piece *b = s->before;
	const struct mlb_piece *a = s->after;

	return (!b || (b->text && strchr(" \t\n\"';|&<>(", b->text[b->len - 1]))) &&
	       (!a || (a->text && strchr(" \t\n\"';|&<>)", a->text[0])));
}

static bool
each_marker(struct subst *s, const struct mlb_ref *ref, const char *name)
{
	if (!s->w->ct->t->each.s && s->w->ct->t->broken)
		return false;
	if (!s->w->ct->t->each.s)
		return fail(s, ref, "stands in a target without `each`");
	if (ref->eof)
		return fail(s, ref,
			    "may end the here-document; put something before it on its line");
	if (s->shell && s->w->ct->t->batch > 1 && !alone(s))
		return fail(s, ref,
			    "must be a word of its own where `batch` gives a command many files");
	s->marker = make_marker(s, ref, name);
	return true;
}

static bool
each_ref(struct subst *s, const struct mlb_ref *ref)
{
	return each_marker(s, ref,
			   *ref->out ? mlb_arena_printf(&s->c->tmp, "each:%s", ref->out) : "each");
}

static bool
out_ref(struct subst *s, const struct mlb_ref *ref)
{
	const struct mlb_c_target *ct = s->w->ct;
	const char *name = ref->form == MLB_REF_METRICS ? "metrics" : ref->out;
	const struct mlb_c_out *o;
	int i;

	if (ct->bad)
		return false;
	i = mlb_c_which_out(s->c, ct, name, ref->text, s->where);
	if (i < 0)
		return false;
	o = &s->c->out.v[ct->out + s->c->inst.v[s->w->inst].ord * ct->n_outs + (uint32_t)i];
	if (o->each)
		return each_marker(s, ref, mlb_arena_printf(&s->c->tmp, "out:%d", i));
	mlb_vec_push(&s->c->words,
		     mlb_c_shown_path(s->c, mlb_c_path_text(s->c, o->path), s->w->dir));
	return true;
}

static bool
target_ref(struct subst *s, const struct mlb_ref *ref)
{
	bool list = strcmp(ref->out, "list") == 0;

	if (list && !(s->forms & MLB_C_FORM(MLB_REF_SCRATCH)))
		return fail(s, ref, "cannot stand here");
	if (!mlb_c_target_ref(s->c, s->w, ref, MLB_IN_REF, s->where))
		return false;
	if (list) {
		s->c->words.n = 0;
		s->marker = make_marker(s, ref,
					mlb_arena_printf(&s->c->tmp, "list:%u+%u", s->w->last_list,
							 (unsigned)s->w->list.n - s->w->last_list));
	}
	return true;
}

static bool
resolve(struct subst *s, const struct mlb_ref *ref)
{
	if (!(s->forms & MLB_C_FORM(ref->form)))
		return fail(s, ref, "cannot stand here");
	switch ((enum mlb_ref_form)ref->form) {
	case MLB_REF_TARGET:
		return target_ref(s, ref);
	case MLB_REF_OUT:
	case MLB_REF_METRICS:
		return out_ref(s, ref);
	case MLB_REF_PARAM:
		return param_ref(s, ref);
	case MLB_REF_ENV:
		return env_ref(s, ref);
	case MLB_REF_MATRIX:
		return matrix_ref(s, ref);
	case MLB_REF_EACH:
		return each_ref(s, ref);
	case MLB_REF_SCRATCH:
		s->w->flags |= MLB_G_SCRATCH;
		s->marker = make_marker(s, ref, "scratch");
		return true;
	}
	return false;
}

/* ------------------------------------------------------------ putting it in */

/* Does the text end in $NAME, which would swallow what follows? */
static bool
ends_in_variable(const struct mlb_piece *p)
{
	size_t i = p->len;

	while (i > 0 && (p->text[i - 1] == '_' || (p->text[i - 1] >= '0' && p->text[i - 1] <= '9') ||
			 (p->text[i - 1] >= 'a' && p->text[i - 1] <= 'z') ||
			 (p->text[i - 1] >= 'A' && p->text[i - 1] <= 'Z')))
		i--;
	return i > 0 && i < p->len && p->text[i - 1] == '$' &&
	       !(p->text[i] >= '0' && p->text[i] <= '9');
}

static bool
is_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

static bool
put_shell(struct subst *s, const struct mlb_ref *ref)
{
	const struct mlb_c_words *words = &s->c->words;
	struct mlb_err err = MLB_ERR_INIT;
	bool last_number;

	if (s->before && s->before->text && ref->ctx <= MLB_CTX_DOUBLE &&
	    ends_in_variable(s->before))
		mlb_buf_adds(s->out, "\"\"");
	for (size_t i = 0; ref->eof && i < words->n; i++)
		if (strstr(ref->eof, words->v[i]))
			return fail(
				s, ref,
				"may end the here-document; put something before it on its line");
	if (s->marker) {
		mlb_buf_adds(s->out, s->marker);
		return true;
	}
	for (size_t i = 0; ref->option && i < words->n; i++)
		if (words->v[i][0] == '-' && !mlb_refs_plain(words->v[i]))
			return fail(
				s, ref,
				"would be an option of an interpreter, and may hold a program; pass it by env.NAME");
	if (mlb_refs_quote(s->out, (enum mlb_ref_ctx)ref->ctx, words->v, words->n, &err) < 0) {
		fail(s, ref, err.text);
		mlb_err_release(&err);
		return false;
	}
	last_number = ref->ctx == MLB_CTX_BARE && words->n > 0 && is_digits(words->v[words->n - 1]);
	if (last_number && s->after && s->after->text && strchr("<>", s->after->text[0]))
		mlb_buf_adds(s->out, "''"); /* 2>FILE would be a descriptor */
	return true;
}

static void
put_plain(struct subst *s)
{
	const struct mlb_c_words *words = &s->c->words;

	if (s->marker)
		mlb_buf_adds(s->out, s->marker);
	if (words->n != 1)
		s->w->many = true;
	for (size_t i = 0; i < words->n; i++) {
		if (i > 0)
			mlb_buf_addc(s->out, ' ');
		if (s->w->glob)
			mlb_glob_escape(s->out, words->v[i]);
		else if (words->n > 1)
			mlb_add_shell_word(s->out, words->v[i]);
		else
			mlb_buf_adds(s->out, words->v[i]);
	}
}

static bool
put(struct subst *s, const struct mlb_ref *ref)
{
	s->c->words.n = 0;
	s->marker = NULL;
	if (!resolve(s, ref))
		return false;
	for (size_t i = 0; i < s->c->words.n; i++)
		if (strchr(s->c->words.v[i], MLB_MARK))
			return fail(s, ref, "holds the control character 0x01");
	if (s->shell)
		return put_shell(s, ref);
	put_plain(s);
	return true;
}

static void
unsure(struct mlb_pieces *pieces)
{
	for (size_t i = 0; i < pieces->n; i++)
		if (pieces->v[i].ref)
			pieces->v[i].ref->ctx = MLB_CTX_UNKNOWN;
}

bool
mlb_c_subst(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value, unsigned forms,
	    bool shell, struct mlb_buf *out)
{
	struct subst s = {
		.c = c, .w = w, .where = value, .forms = forms, .shell = shell, .out = out
	};
	struct mlb_pieces pieces = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	bool ok = true;

	if (strchr(value->s, MLB_MARK)) {
		mlb_c_error(c, value, "in '%s': the control character 0x01 cannot be used",
			    c->inst.v[w->inst].name);
		return false;
	}
	if (mlb_refs_parse(&pieces, &c->tmp, value->s, shell, &err) < 0) {
		mlb_c_take(c, value, &c->inst.v[w->inst], &err);
		ok = false;
	}
	if (shell && !w->ct->posix)
		unsure(&pieces);
	for (size_t i = 0; i < pieces.n && err.code == MLB_OK; i++) {
		const struct mlb_piece *p = &pieces.v[i];

		s.before = i > 0 ? p - 1 : NULL;
		s.after = i + 1 < pieces.n ? p + 1 : NULL;
		if (p->text)
			mlb_buf_add(out, p->text, p->len);
		else if (!put(&s, p->ref))
			ok = false;
	}
	mlb_vec_release(&pieces);
	if (ok && out->full) {
		mlb_c_error(c, value, "in '%s': the value is too long with its references replaced",
			    c->inst.v[w->inst].name);
		ok = false;
	}
	return ok;
}
