/* What each instance makes, and that no two of them make the same. */
#include <string.h>

#include "graph/compile.h"
#include "os/path.h"
#include "store/scan.h"
#include "store/vcs.h"

/* ------------------------------------------------------------ templates */

static bool
uses_key(const struct mlb_pieces *p, uint8_t form, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].ref && p->v[i].ref->form == form &&
		    (!name || strcmp(p->v[i].ref->name, name) == 0))
			return true;
	return false;
}

/* Does the path differ from instance to instance, and from file to file? */
static bool
check_template(struct mlb_comp *c, const struct mlb_c_target *ct, const char *what,
	       const struct mlb_text *value)
{
	struct mlb_pieces pieces = MLB_VEC_INIT;
	bool ok = true;

	if (mlb_refs_parse(&pieces, &c->tmp, value->s, false, NULL) == 0) {
		for (uint32_t k = 0; k < ct->n_keys && ok; k++) {
			ok = uses_key(&pieces, MLB_REF_MATRIX, ct->key[k].name);
			if (!ok)
				mlb_c_error(
					c, value,
					"'%s' of '%s' does not use ${matrix:%s}: every instance would have the same",
					what, ct->t->name, ct->key[k].name);
		}
		if (ok && ct->t->each.s && !uses_key(&pieces, MLB_REF_EACH, NULL)) {
			ok = false;
			mlb_c_error(
				c, value,
				"'%s' of '%s' does not use ${each}: every file would have the same",
				what, ct->t->name);
		}
	}
	mlb_vec_release(&pieces);
	return ok;
}

/* ------------------------------------------------------------ one path */

static bool
is_reserved(struct mlb_comp *c, const char *path)
{
	static const char *const names[] = { "mlbuild.ini", "mlbuild.lock", ".gitignore" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return mlb_strvec_has(&c->config->files, path);
}

/* Normal form into c->scratch; false after reporting. */
static bool
normal(struct mlb_comp *c, const struct mlb_c_inst *inst, const char *what, const char *path,
       const struct mlb_text *where, bool is_source)
{
	const char *p;

	if (mlb_path_normalize(&c->scratch, path, NULL) < 0) {
		mlb_c_error(c, where, "'%s' of '%s' is '%s', which lies outside the project", what,
			    inst->name, path);
		return false;
	}
	p = mlb_buf_str(&c->scratch);
	if (!is_source && strcmp(p, ".") == 0) {
		mlb_c_error(c, where, "'%s' of '%s' is the whole project", what, inst->name);
		return false;
	}
	if (mlb_path_inside(p, ".git") || mlb_path_inside(p, ".mlbuild")) {
		mlb_c_error(c, where, "'%s' of '%s' is '%s': .git and .mlbuild are not for outputs",
			    what, inst->name, p);
		return false;
	}
	if (!is_source && is_reserved(c, p)) {
		mlb_c_error(
			c, where,
			"'%s' of '%s' is '%s', which mlbuild itself reads: an output cannot be a source",
			what, inst->name, p);
		return false;
	}
	return true;
}

static void
report_twice(struct mlb_comp *c, const struct mlb_text *where, const char *path, uint32_t inst,
	     uint32_t other)
{
	static const char *const what[] = { "an output", "the source" };
	struct mlb_text place;
	bool a = (c->inst.v[inst].node.flags & MLB_G_SOURCE) != 0;
	bool b = (c->inst.v[other].node.flags & MLB_G_SOURCE) != 0;

	mlb_c_place(c, other, &place);
	mlb_c_error(c, where, "'%s' is %s of '%s' and %s of '%s' (%s:%u)", path, what[a],
		    c->inst.v[inst].name, what[b], c->inst.v[other].name,
		    place.file ? place.file : "", place.line);
}

/* The instance is who makes the path, unless another one is. */
static uint32_t
claim(struct mlb_comp *c, uint32_t inst, const char *path, const struct mlb_text *where)
{
	uint32_t p = mlb_c_path(c, path);
	struct mlb_c_path *info = &c->path_info.v[p];
	bool each = (c->inst.v[inst].node.flags & MLB_G_EACH) != 0;

	if (info->producer != MLB_NONE && !(each && info->producer == inst)) {
		report_twice(c, where, path, inst, info->producer);
		return MLB_NONE;
	}
	info->producer = inst;
	info->used = true;
	return p;
}

/* ------------------------------------------------------------ each */

/* The longest directory that both are in or are. */
static size_t
common_dir(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t common = 0;
	size_t i;

	for (i = 0; i < a_len && i < b_len && a[i] == b[i]; i++)
		if (a[i] == '/')
			common = i;
	if ((i == a_len && (i == b_len || b[i] == '/')) || (i == b_len && a[i] == '/'))
		common = i;
	return common;
}

/* Where a template's first reference to the file stands, its directory ends before. */
static size_t
fixed_dir(const char *template)
{
	const char *mark = strchr(template, MLB_MARK);
	size_t len = mark ? (size_t)(mark - template) : strlen(template);

	while (len > 0 && template[len] != '/')
		len--;
	return len;
}

static bool
claim_each(struct mlb_comp *c, uint32_t inst, struct mlb_c_out *out, uint32_t n,
	   const struct mlb_text *where)
{
	const char *dir = out[0].each;
	size_t len = fixed_dir(dir);
	uint32_t p;

	for (uint32_t i = 1; i < n; i++)
		len = common_dir(dir, len, out[i].each, fixed_dir(out[i].each));
	if (len == 0) {
		mlb_c_error(
			c, where,
			"the outputs of '%s', metrics too, need one directory of their own, such as %s/",
			c->inst.v[inst].name, mlb_c_target_name(c, inst));
		return false;
	}
	p = claim(c, inst, mlb_arena_strndup(&c->tmp, dir, len), where);
	for (uint32_t i = 0; i < n; i++)
		out[i].path = p;
	return p != MLB_NONE;
}

/* ------------------------------------------------------------ one instance */

static bool
has_dotdot(const char *path)
{
	for (const char *p = strstr(path, ".."); p; p = strstr(p + 2, ".."))
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

static void
fill_out(struct mlb_comp *c, uint32_t inst, struct mlb_c_out *out, const char *what,
	 const struct mlb_text *value)
{
	struct mlb_c_work w = { .inst = inst, .ct = &c->target[c->inst.v[inst].target], .dir = "." };
	const struct mlb_c_inst *in = &c->inst.v[inst];
	bool source = (in->node.flags & MLB_G_SOURCE) != 0;
	const char *text;

	out->path = MLB_NONE;
	mlb_buf_clear(&c->text);
	if (!mlb_c_subst(c, &w, value, MLB_C_CONST | MLB_C_FORM(MLB_REF_EACH), false, &c->text))
		return;
	text = mlb_buf_str(&c->text);
	if (out->kind != MLB_G_METRICS && c->text.len > 1 && text[c->text.len - 1] == '/')
		out->kind = MLB_G_DIR;
	if ((in->node.flags & MLB_G_EACH) && has_dotdot(text)) {
		mlb_c_error(c, value, "'%s' of '%s' has '..' in it", what, in->name);
		return;
	}
	if (!normal(c, in, what, text, value, source))
		return;
	if (in->node.flags & MLB_G_EACH)
		out->each = mlb_arena_strdup(&c->arena, mlb_buf_str(&c->scratch));
	else
		out->path = claim(c, inst, mlb_buf_str(&c->scratch), value);
}

static void
instance_outputs(struct mlb_comp *c, uint32_t inst)
{
	struct mlb_c_target *ct = &c->target[c->inst.v[inst].target];
	const struct mlb_target *t = ct->t;
	const struct mlb_text *where = t->out.n > 0 ? &t->out.v[0].value : &t->metrics;
	size_t first = c->out.n;
	bool ok = true;

	for (size_t i = 0; i < t->out.n; i++) {
		struct mlb_c_out out = { .name = t->out.v[i].name, .kind = MLB_G_FILE };

		fill_out(c, inst, &out,
			 *out.name ? mlb_arena_printf(&c->tmp, "out.%s", out.name) : "out",
			 &t->out.v[i].value);
		mlb_vec_push(&c->out, out);
	}
	if (t->path.s) {
		struct mlb_c_out out = { .name = "", .kind = MLB_G_FILE };

		fill_out(c, inst, &out, "path", &t->path);
		mlb_vec_push(&c->out, out);
	}
	if (t->metrics.s) {
		struct mlb_c_out out = { .name = "metrics", .kind = MLB_G_METRICS };

		fill_out(c, inst, &out, "metrics", &t->metrics);
		mlb_vec_push(&c->out, out);
	}
	for (size_t i = first; i < c->out.n; i++)
		ok = ok && (c->out.v[i].each || c->out.v[i].path != MLB_NONE);
	if (ok && t->each.s && c->out.n > first)
		ok = claim_each(c, inst, &c->out.v[first], (uint32_t)(c->out.n - first), where);
	if (!ok)
		ct->bad = true;
}

static bool
check_templates(struct mlb_comp *c, struct mlb_c_target *ct)
{
	const struct mlb_target *t = ct->t;
	bool ok = true;

	if (ct->n_keys == 0 && !t->each.s)
		return true;
	for (size_t i = 0; i < t->out.n; i++)
		ok = check_template(c, ct, *t->out.v[i].name ? t->out.v[i].name : "out",
				    &t->out.v[i].value) &&
		     ok;
	if (t->metrics.s)
		ok = check_template(c, ct, "metrics", &t->metrics) && ok;
	if (t->path.s)
		ok = check_template(c, ct, "path", &t->path) && ok;
	return ok;
}

/* ------------------------------------------------------------ overlaps */

static void
report_inside(struct mlb_comp *c, uint32_t path, uint32_t above)
{
	uint32_t a = c->path_info.v[path].producer;
	uint32_t b = c->path_info.v[above].producer;
	bool a_source = (c->inst.v[a].node.flags & MLB_G_SOURCE) != 0;
	bool b_source = (c->inst.v[b].node.flags & MLB_G_SOURCE) != 0;
	struct mlb_text a_place, b_place;

	if (a_source && b_source)
		return; /* the deeper one is meant where its path is named */
	mlb_c_place(c, a, &a_place);
	mlb_c_place(c, b, &b_place);
	mlb_c_error(c, &a_place, "'%s', %s of '%s', lies inside '%s', %s of '%s' (%s:%u)",
		    mlb_c_path_text(c, path), a_source ? "the source" : "an output",
		    c->inst.v[a].name, mlb_c_path_text(c, above),
		    b_source ? "the source" : "an output", c->inst.v[b].name,
		    b_place.file ? b_place.file : "", b_place.line);
}

/* A claimed path above this one, MLB_NONE without. */
static uint32_t
claimed_above(const struct mlb_comp *c, const char *path)
{
	for (size_t len = strlen(path); len > 0; len--) {
		uint32_t p;

		if (path[len - 1] != '/')
			continue;
		p = mlb_c_path_find(c, path, len - 1);
		if (p != MLB_NONE && c->path_info.v[p].producer != MLB_NONE)
			return p;
	}
	return MLB_NONE;
}

/* Remember the first `len` bytes and the directories above; keys are cut out of the path's own text. */
static void
add_out_dirs(struct mlb_comp *c, const char *path, size_t len)
{
	bool is_new = true;

	while (len > 0 && is_new) {
		mlb_strmap_add(&c->out_dir, path, len, &is_new);
		while (len > 0 && path[len - 1] != '/')
			len--;
		len -= len > 0;
	}
}

bool
mlb_c_holds_outputs(const struct mlb_comp *c, const char *path)
{
	return mlb_strmap_find(&c->out_dir, path, strlen(path)) != NULL;
}

static void
check_overlaps(struct mlb_comp *c)
{
	const char *last = NULL; /* directory that is known to be in nobody's output */
	size_t last_len = 0;

	for (uint32_t p = 0; p < c->path.n; p++) {
		const char *path = mlb_c_path_text(c, p);
		const char *slash = strrchr(path, '/');
		size_t len = slash ? (size_t)(slash - path) : 0;
		uint32_t above;

		if (c->path_info.v[p].producer == MLB_NONE || len == 0)
			continue;
		if (last && len == last_len && memcmp(last, path, len) == 0)
			continue;
		above = claimed_above(c, path);
		if (above != MLB_NONE) {
			report_inside(c, p, above);
			continue;
		}
		add_out_dirs(c, path, len);
		last = path;
		last_len = len;
	}
}

uint32_t
mlb_c_owner(struct mlb_comp *c, uint32_t path)
{
	struct mlb_c_path *info = &c->path_info.v[path];

	if (info->owner_seen == MLB_C_UNSEEN) {
		info->owner_seen = MLB_C_YES;
		info->owner = info->producer != MLB_NONE
				      ? path
				      : claimed_above(c, mlb_c_path_text(c, path));
	}
	return info->owner;
}

void
mlb_c_check_dirs(struct mlb_comp *c)
{
	struct mlb_strmap dirs = MLB_STRMAP_INIT;

	for (size_t i = 0; i < c->dir.n; i++) {
		const char *path = mlb_c_path_text(c, c->dir.v[i].path);

		mlb_strmap_add(&dirs, path, strlen(path), NULL)->u.num = i;
	}
	for (uint32_t p = 0; p < c->path.n && dirs.n > 0; p++) {
		const char *path = mlb_c_path_text(c, p);
		uint32_t by = c->path_info.v[p].producer;

		if (by == MLB_NONE || (c->inst.v[by].node.flags & MLB_G_SOURCE))
			continue;
		for (size_t len = strlen(path); len > 0; len--) {
			const struct mlb_strmap_entry *e;
			const struct mlb_c_dir *d;

			e = path[len] == '/' ? mlb_strmap_find(&dirs, path, len) : NULL;
			if (!e)
				continue;
			d = &c->dir.v[e->u.num];
			mlb_c_error(
				c, d->where,
				"'%s', an input of '%s', is a directory that holds '%s', an output of '%s'",
				e->key, c->inst.v[d->inst].name, path, c->inst.v[by].name);
			break;
		}
	}
	mlb_strmap_release(&dirs);
}

/* ------------------------------------------------------------ all */

static void
mark_tracked(struct mlb_comp *c)
{
	if (!c->in->vcs)
		return;
	for (uint32_t p = 0; p < c->path.n; p++) {
		uint32_t by = c->path_info.v[p].producer;

		if (by != MLB_NONE && mlb_vcs_tracked(c->in->vcs, mlb_c_path_text(c, p)))
			c->inst.v[by].node.flags |= MLB_G_TRACKED_OUT;
	}
}

void
mlb_c_outputs(struct mlb_comp *c)
{
	for (uint32_t i = 0; i < c->n_targets; i++) {
		struct mlb_c_target *ct = &c->target[i];

		ct->out = (uint32_t)c->out.n;
		ct->n_outs = (uint32_t)(ct->t->out.n + (ct->t->metrics.s != NULL) +
					(ct->t->path.s != NULL));
		if (!check_templates(c, ct)) {
			ct->bad = true;
			ct->n = ct->n > 0 ? 1 : 0; /* one is enough to find what else is wrong */
		}
		for (uint32_t k = 0; k < ct->n; k++) {
			instance_outputs(c, ct->first + k);
			mlb_arena_release(&c->tmp);
		}
	}
	check_overlaps(c);
	mark_tracked(c);
}
