/* Targets to instances: one per combination of matrix values; and which of them a reference means. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "graph/compile.h"

static bool
is_posix_name(const char *s, size_t len)
{
	static const char *const names[] = { "sh",  "bash", "dash", "ash",
					     "ksh", "mksh", "zsh",  "busybox" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			return true;
	return false;
}

/* Does this `shell` read its command as sh does? `env` and its assignments may stand before it. */
static bool
is_posix(const char *shell)
{
	if (!shell || *shell == '\0')
		return true;
	for (;;) {
		size_t len = strcspn(shell, " \t");
		const char *base = shell;

		for (size_t i = 0; i < len; i++)
			if (shell[i] == '/')
				base = shell + i + 1;
		if (is_posix_name(base, len - (size_t)(base - shell)))
			return true;
		if (len == 0 ||
		    !((len - (size_t)(base - shell) == 3 && memcmp(base, "env", 3) == 0) ||
		      memchr(shell, '=', len)))
			return false;
		shell += len;
		shell += strspn(shell, " \t");
	}
}

/* ------------------------------------------------------------ keys */

static bool
fill_key(struct mlb_comp *c, struct mlb_c_key *k, const struct mlb_target *t,
	 const struct mlb_named *from)
{
	struct mlb_strvec values = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	const char **copy;
	bool ok = true;

	k->name = from->name;
	if (mlb_matrix_values(&values, &from->value, &err) < 0) {
		mlb_diag_take(&c->diag, NULL, 0, &err);
		ok = false;
	} else if (values.n == 0) {
		mlb_c_error(c, &from->value, "matrix.%s of '%s' has no values", from->name,
			    t->name);
		ok = false;
	}
	copy = mlb_arena_alloc(&c->arena, (values.n + 1) * sizeof(*copy));
	for (size_t i = 0; i < values.n; i++) {
		copy[i] = mlb_arena_strdup(&c->arena, values.v[i]);
		mlb_strmap_add(&k->index, copy[i], strlen(copy[i]), NULL)->u.num = i;
	}
	k->value = copy;
	k->n = (uint32_t)values.n;
	mlb_strvec_release(&values);
	return ok;
}

/* Keys and the number of instances; 0 after an error. */
static uint32_t
fill_keys(struct mlb_comp *c, struct mlb_c_target *ct)
{
	const struct mlb_named_vec *m = &ct->t->matrix;
	struct mlb_text where = { ct->t->name, ct->t->file, ct->t->line };
	uint64_t n = 1;

	if (m->n == 0)
		return 1;
	if (m->n > MLB_C_KEYS) {
		mlb_c_error(c, &where, "'%s' has more than %d matrix keys", ct->t->name,
			    MLB_C_KEYS);
		return 0;
	}
	ct->key = mlb_arena_alloc(&c->arena, m->n * sizeof(*ct->key));
	ct->n_keys = (uint32_t)m->n;
	for (size_t i = 0; i < m->n; i++) {
		if (!fill_key(c, &ct->key[i], ct->t, &m->v[i]))
			return 0;
		n *= ct->key[i].n;
		if (n > MLB_C_INSTANCES) {
			mlb_c_error(c, &where, "the matrix of '%s' has more than %d combinations",
				    ct->t->name, MLB_C_INSTANCES);
			return 0;
		}
	}
	ct->key[m->n - 1].stride = 1;
	for (size_t i = m->n - 1; i > 0; i--)
		ct->key[i - 1].stride = ct->key[i].stride * ct->key[i].n;
	return (uint32_t)n;
}

static uint32_t
value_number(const struct mlb_c_key *k, uint32_t ord)
{
	return ord / k->stride % k->n;
}

const char *
mlb_c_value(const struct mlb_c_target *ct, uint32_t ord, const char *key)
{
	for (uint32_t k = 0; k < ct->n_keys; k++)
		if (strcmp(ct->key[k].name, key) == 0)
			return ct->key[k].value[value_number(&ct->key[k], ord)];
	return NULL;
}

/* ------------------------------------------------------------ instances */

static const char *
instance_name(struct mlb_comp *c, const struct mlb_c_target *ct, uint32_t ord)
{
	if (ct->n_keys == 0)
		return ct->t->name;
	mlb_buf_clear(&c->text);
	mlb_buf_adds(&c->text, ct->t->name);
	for (uint32_t k = 0; k < ct->n_keys; k++) {
		mlb_buf_addc(&c->text, k == 0 ? '@' : ',');
		mlb_buf_adds(&c->text, ct->key[k].name);
		mlb_buf_addc(&c->text, '=');
		mlb_buf_adds(&c->text, ct->key[k].value[value_number(&ct->key[k], ord)]);
	}
	return mlb_arena_strdup(&c->arena, mlb_buf_str(&c->text));
}

static void
add_instance(struct mlb_comp *c, uint32_t target, uint32_t ord)
{
	struct mlb_c_target *ct = &c->target[target];
	struct mlb_c_inst inst;

	memset(&inst, 0, sizeof(inst));
	inst.target = target;
	inst.ord = ord;
	inst.name = instance_name(c, ct, ord);
	inst.node.target = target;
	inst.node.kind = ct->t->kind;
	inst.node.each_source = MLB_NONE;
	if (ct->t->path.s)
		inst.node.flags |= MLB_G_SOURCE;
	if (ct->t->each.s)
		inst.node.flags |= MLB_G_EACH;
	mlb_vec_push(&c->inst, inst);
}

void
mlb_c_expand(struct mlb_comp *c)
{
	const struct mlb_config *config = c->config;

	c->n_targets = (uint32_t)config->target.n;
	c->target = mlb_arena_alloc(&c->arena, (config->target.n + 1) * sizeof(*c->target));
	for (uint32_t i = 0; i < c->n_targets; i++) {
		struct mlb_c_target *ct = &c->target[i];

		ct->t = config->target.v[i];
		ct->posix = is_posix(ct->t->shell.s);
		ct->first = (uint32_t)c->inst.n;
		mlb_strmap_add(&c->by_name, ct->t->name, strlen(ct->t->name), NULL)->u.num = i;
		ct->n = fill_keys(c, ct);
		ct->bad = ct->n == 0 || ct->t->broken;
		for (uint32_t ord = 0; ord < ct->n; ord++)
			add_instance(c, i, ord);
	}
}

/* ------------------------------------------------------------ references */

/* Numbers [from, to) of the values of one key that a reference means. */
struct span {
	uint32_t from, to;
};

static bool
find_value(const struct mlb_c_key *k, const char *value, uint32_t *out)
{
	const struct mlb_strmap_entry *e = mlb_strmap_find(&k->index, value, strlen(value));

	if (e)
		*out = (uint32_t)e->u.num;
	return e != NULL;
}

/* -29 or +1 alone, where no value is called that. */
static bool
one_offset(const char *s, long *out)
{
	char *end;

	if ((s[0] != '-' && s[0] != '+') || s[1] < '0' || s[1] > '9')
		return false;
	errno = 0;
	*out = strtol(s, &end, 10);
	return errno == 0 && *end == '\0';
}

static long
clamp(long v, long low, long high)
{
	return v < low ? low : v > high ? high : v;
}

static bool
bind_relative(struct mlb_comp *c, const struct mlb_c_inst *from, const struct mlb_c_key *k,
	      const struct mlb_ref *ref, long low, long high, const struct mlb_text *where,
	      struct span *out)
{
	const char *mine = mlb_c_value(&c->target[from->target], from->ord, k->name);
	long n = (long)k->n;
	uint32_t at;
	long first, last;

	if (!mine) {
		mlb_c_error(c, where,
			    "in '%s': %s is relative, but '%s' has no matrix key '%s' itself",
			    from->name, ref->text, from->name, k->name);
		return false;
	}
	if (!find_value(k, mine, &at)) {
		mlb_c_error(c, where, "in '%s': %s is relative, but '%s' has no %s=%s", from->name,
			    ref->text, ref->name, k->name, mine);
		return false;
	}
	first = clamp((long)at + clamp(low, -n, n), 0, n);
	last = clamp((long)at + clamp(high, -n, n), -1, n - 1);
	out->from = (uint32_t)(first > last ? 0 : first);
	out->to = (uint32_t)(first > last ? 0 : last + 1);
	return true;
}

static bool
bind_explicit(struct mlb_comp *c, const struct mlb_c_inst *from, const struct mlb_c_key *k,
	      const struct mlb_ref *ref, const struct mlb_ref_bind *b, const struct mlb_text *where,
	      struct span *out)
{
	const char *near;
	long offset;

	if (b->all) {
		out->from = 0;
		out->to = k->n;
		return true;
	}
	if (find_value(k, b->value, &out->from)) {
		out->to = out->from + 1;
		return true;
	}
	if (b->relative)
		return bind_relative(c, from, k, ref, b->from, b->to, where, out);
	if (one_offset(b->value, &offset))
		return bind_relative(c, from, k, ref, offset, offset, where, out);
	near = mlb_nearest(b->value, k->value, k->n);
	if (near)
		mlb_c_error(c, where, "in '%s': %s: '%s' has no %s=%s; nearest: %s", from->name,
			    ref->text, ref->name, k->name, b->value, near);
	else
		mlb_c_error(c, where, "in '%s': %s: '%s' has no %s=%s; it has %s", from->name,
			    ref->text, ref->name, k->name, b->value, mlb_c_some(c, k->value, k->n));
	return false;
}

static bool
bind_key(struct mlb_comp *c, const struct mlb_c_inst *from, const struct mlb_c_key *k,
	 const struct mlb_ref *ref, const struct mlb_text *where, struct span *out)
{
	const char *mine;

	for (uint32_t i = 0; i < ref->n_binds; i++)
		if (strcmp(ref->bind[i].key, k->name) == 0)
			return bind_explicit(c, from, k, ref, &ref->bind[i], where, out);
	mine = mlb_c_value(&c->target[from->target], from->ord, k->name);
	if (!mine) {
		out->from = 0;
		out->to = k->n;
		return true;
	}
	if (!find_value(k, mine, &out->from)) {
		mlb_c_error(c, where, "in '%s': %s: '%s' has no %s=%s; name the instances: %s@%s=…",
			    from->name, ref->text, ref->name, k->name, mine, ref->name, k->name);
		return false;
	}
	out->to = out->from + 1;
	return true;
}

static bool
check_keys(struct mlb_comp *c, const struct mlb_c_inst *from, const struct mlb_c_target *to,
	   const struct mlb_ref *ref, const struct mlb_text *where)
{
	const char *names[MLB_C_KEYS];

	for (uint32_t i = 0; i < ref->n_binds; i++) {
		bool known = false;

		for (uint32_t k = 0; k < to->n_keys; k++)
			known = known || strcmp(to->key[k].name, ref->bind[i].key) == 0;
		if (known)
			continue;
		for (uint32_t k = 0; k < to->n_keys; k++)
			names[k] = to->key[k].name;
		mlb_c_error(c, where, "in '%s': %s: '%s' has no matrix key '%s'%s%s", from->name,
			    ref->text, ref->name, ref->bind[i].key,
			    to->n_keys > 0 ? "; it has " : ": it has none",
			    to->n_keys > 0 ? mlb_c_some(c, names, to->n_keys) : "");
		return false;
	}
	return true;
}

/* All combinations of the spans, the first key slowest. */
static void
enumerate(struct mlb_comp *c, const struct mlb_c_target *to, const struct span *span)
{
	uint32_t at[MLB_C_KEYS];
	uint32_t k;

	for (k = 0; k < to->n_keys; k++) {
		if (span[k].from == span[k].to)
			return;
		at[k] = span[k].from;
	}
	do {
		uint32_t ord = 0;

		for (k = 0; k < to->n_keys; k++)
			ord += at[k] * to->key[k].stride;
		mlb_vec_push(&c->bound, to->first + ord);
		for (k = to->n_keys; k > 0; k--) {
			if (++at[k - 1] < span[k - 1].to)
				break;
			at[k - 1] = span[k - 1].from;
		}
	} while (k > 0);
}

bool
mlb_c_bind(struct mlb_comp *c, uint32_t inst, const struct mlb_c_target *to,
	   const struct mlb_ref *ref, const struct mlb_text *where)
{
	const struct mlb_c_inst *from = &c->inst.v[inst];
	struct span span[MLB_C_KEYS];

	c->bound.n = 0;
	if (to->bad)
		return false; /* reported already */
	if (!check_keys(c, from, to, ref, where))
		return false;
	for (uint32_t k = 0; k < to->n_keys; k++)
		if (!bind_key(c, from, &to->key[k], ref, where, &span[k]))
			return false;
	enumerate(c, to, span);
	return true;
}
