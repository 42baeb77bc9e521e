/*
 * All parameters: a tree (maps within maps) and a flat view of it by full name.
 *
 * 1. Every node but the items of lists stands in the flat view under its full name.
 * 2. A node, once in the flat view, stays the same node: overriding changes it in place.
 * 3. The text of a map or list is made from its children when it is next read
 *    (stale), so that setting n values below one map costs n, not n squared.
 */
#include "graph/params.h"

#include <fnmatch.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "base/vec.h"
#include "graph/params_tree.h"

struct mlb_pnode *
mlb_pnode_new(struct mlb_arena *a, enum mlb_pkindof kind)
{
	struct mlb_pnode *n = mlb_arena_alloc(a, sizeof(*n));

	n->kind = (uint8_t)kind;
	n->stale = kind != MLB_P_SCALAR;
	n->param.type = kind == MLB_P_SCALAR ? MLB_PARAM_SCALAR : MLB_PARAM_JSON;
	n->param.map = kind == MLB_P_MAP;
	return n;
}

void
mlb_pnode_append(struct mlb_pnode *up, struct mlb_pnode *child)
{
	child->up = up;
	if (up->last)
		up->last->next = child;
	else
		up->first = child;
	up->last = child;
	up->n++;
}

void
mlb_params_init(struct mlb_params *p)
{
	memset(p, 0, sizeof(*p));
	p->root = mlb_pnode_new(&p->arena, MLB_P_MAP);
}

void
mlb_params_release(struct mlb_params *p)
{
	mlb_strmap_release(&p->map);
	mlb_arena_release(&p->arena);
	p->root = NULL;
}

static struct mlb_pnode *
find(const struct mlb_params *p, const char *name)
{
	return mlb_strmap_get(&p->map, name);
}

static void
mark_stale(struct mlb_pnode *n)
{
	for (; n; n = n->up)
		n->stale = true;
}

static void
enter(struct mlb_params *p, struct mlb_pnode *n)
{
	mlb_strmap_set(&p->map, n->param.name, n);
}

/* A list of scalars gets its items. */
static void
fill_list(struct mlb_arena *a, struct mlb_pnode *n)
{
	const char **item;
	uint32_t i = 0;

	n->param.type = MLB_PARAM_JSON;
	n->param.item = NULL;
	n->param.n_items = 0;
	for (const struct mlb_pnode *c = n->first; c; c = c->next)
		if (c->kind != MLB_P_SCALAR)
			return;
	item = mlb_arena_alloc(a, (n->n + 1) * sizeof(*item));
	for (const struct mlb_pnode *c = n->first; c; c = c->next)
		item[i++] = c->param.text;
	n->param.type = MLB_PARAM_LIST;
	n->param.item = item;
	n->param.n_items = i;
}

/* Make the text of a map or list from its children; false if it is longer than max. */
static bool
make_text(struct mlb_arena *a, struct mlb_pnode *n, size_t max)
{
	struct mlb_buf b = MLB_BUF_INIT(max);
	bool fits;

	mlb_pnode_json(&b, n);
	fits = !b.full;
	if (fits) {
		n->param.text = mlb_arena_strndup(a, mlb_buf_str(&b), b.len);
		if (n->kind == MLB_P_LIST)
			fill_list(a, n);
		n->stale = false;
	}
	mlb_buf_release(&b);
	return fits;
}

const struct mlb_param *
mlb_params_get(const struct mlb_params *p, const char *name)
{
	struct mlb_pnode *n = find(p, name);

	if (!n)
		return NULL;
	if (n->stale) /* the text is a cache of the children, so making it changes nothing */
		make_text(&((struct mlb_params *)(uintptr_t)p)->arena, n, SIZE_MAX / 4);
	return &n->param;
}

static int
twice(const struct mlb_pnode *old, const char *file, unsigned line, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_EINVALID, "%s:%u: parameter '%s' is given already at %s:%u",
			   file, line, old->param.name, old->param.file, old->param.line);
}

/* The value of `with` takes the place of n's. */
static int
replace(struct mlb_params *p, struct mlb_pnode *n, struct mlb_pnode *with, const char *file,
	struct mlb_err *err)
{
	if (n->kind == MLB_P_MAP)
		return mlb_err_set(
			err, MLB_EINVALID,
			"%s:%u: '%s' is a group of parameters: name one of them, such as '%s'",
			file, with->param.line, n->param.name,
			n->first ? n->first->param.name : n->param.name);
	if (with->kind == MLB_P_MAP)
		return mlb_err_set(err, MLB_EINVALID,
				   "%s:%u: '%s' is one parameter (%s:%u): it has none below it",
				   file, with->param.line, n->param.name, n->param.file,
				   n->param.line);
	n->kind = with->kind;
	n->plain = with->plain;
	n->first = with->first;
	n->last = with->last;
	n->n = with->n;
	n->param.text = with->param.text;
	n->param.type = with->param.type;
	n->param.item = NULL;
	n->param.n_items = 0;
	n->param.file = mlb_arena_strdup(&p->arena, file);
	n->param.line = with->param.line;
	n->stale = false;
	mark_stale(n->kind == MLB_P_SCALAR ? n->up : n);
	return 0;
}

/* Put the children of a map that was read into the map `to`; the names begin with `prefix`. */
static int
graft(struct mlb_params *p, struct mlb_pnode *to, struct mlb_pnode *from, const char *file,
      bool override, struct mlb_err *err)
{
	struct mlb_pnode *c, *next;
	int rc = 0;

	for (c = from->first; c && !rc; c = next) {
		const char *name = to->param.name ? mlb_arena_printf(&p->arena, "%s.%s",
								     to->param.name, c->key)
						  : c->key;
		struct mlb_pnode *old = find(p, name);

		next = c->next;
		if (old && old->kind == MLB_P_MAP && c->kind == MLB_P_MAP) {
			rc = graft(p, old, c, file, override, err);
			continue;
		}
		if (old) {
			rc = override ? replace(p, old, c, file, err)
				      : twice(old, file, c->param.line, err);
			continue;
		}
		c->next = NULL;
		c->param.name = name;
		c->param.file = file;
		mlb_pnode_append(to, c);
		mark_stale(to);
		enter(p, c);
		if (c->kind == MLB_P_MAP) {
			struct mlb_pnode below = *c;

			c->first = c->last = NULL;
			c->n = 0;
			rc = graft(p, c, &below, file, override, err);
		}
	}
	return rc;
}

int
mlb_params_read(struct mlb_pnode **out, struct mlb_arena *a, const char *file, const char *text,
		size_t len, struct mlb_err *err)
{
	if (len > MLB_PARAMS_FILE_MAX)
		return mlb_err_set(err, MLB_ETOOBIG, "%s: more than 16 MiB: parameters are small",
				   file);
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (mlb_str_ends(file, ".json"))
		return mlb_params_read_json(out, a, file, text, len, err);
	return mlb_params_read_yaml(out, a, file, text, len, false, err);
}

int
mlb_params_parse(struct mlb_params *p, const char *file, const char *text, size_t len,
		 bool override, struct mlb_err *err)
{
	const char *own = mlb_arena_strdup(&p->arena, file);
	size_t before = p->arena.total;
	struct mlb_pnode *root = NULL;
	int rc = mlb_params_read(&root, &p->arena, own, text, len, err);

	if (rc)
		return rc;
	rc = graft(p, p->root, root, own, override, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < p->map.n; i++) {
		struct mlb_pnode *n = p->map.entry[i].u.ptr;

		if ((n->stale && !make_text(&p->arena, n, MLB_PARAMS_TEXT_MAX)) ||
		    p->arena.total - before > 2 * MLB_PARAMS_TEXT_MAX)
			return mlb_err_set(err, MLB_ETOOBIG,
					   "%s: nested so deeply that the values become too big",
					   file);
	}
	return 0;
}

/* The map that holds `name`, made if it is not there, or NULL; *key is the rest of the name. */
static struct mlb_pnode *
map_of(struct mlb_params *p, const char *name, const char *file, unsigned line, const char **key,
       struct mlb_err *err)
{
	struct mlb_pnode *at = p->root, *next;

	for (const char *from = name;; at = next) {
		const char *dot = strchr(from, '.');
		const char *prefix;

		*key = from;
		if (!dot)
			break;
		prefix = mlb_arena_strndup(&p->arena, name, (size_t)(dot - name));
		next = find(p, prefix);
		if (next && next->kind != MLB_P_MAP) {
			mlb_err_set(err, MLB_EINVALID,
				    "%s:%u: '%s' cannot hold '%s': it is a value already at %s:%u",
				    file, line, prefix, name, next->param.file, next->param.line);
			return NULL;
		}
		if (!next) {
			next = mlb_pnode_new(&p->arena, MLB_P_MAP);
			next->key = mlb_arena_strndup(&p->arena, from, (size_t)(dot - from));
			next->param.name = prefix;
			next->param.file = file;
			next->param.line = line;
			mlb_pnode_append(at, next);
			enter(p, next);
		}
		from = dot + 1;
	}
	return at;
}

/* "a.b.c" with a name between all dots, and not too many of them. */
static bool
good_name(const char *name)
{
	unsigned depth = 1;

	if (!*name || *name == '.')
		return false;
	for (const char *s = name; *s; s++)
		if (*s == '.' && (++depth > MLB_PARAMS_DEPTH || !s[1] || s[1] == '.'))
			return false;
	return true;
}

static int
override_one(struct mlb_params *p, struct mlb_pnode *old, const char *text, const char *file,
	     unsigned line, struct mlb_err *err)
{
	struct mlb_pnode *with;

	if (old->kind == MLB_P_LIST) {
		int rc =
			mlb_params_read_yaml(&with, &p->arena, file, text, strlen(text), true, err);

		if (rc)
			return rc;
		if (with->kind == MLB_P_MAP)
			return mlb_err_set(
				err, MLB_EINVALID,
				"%s:%u: '%s' is a list: write '[1, 2]', one value, or '[]'", file,
				line, old->param.name);
	} else {
		with = mlb_pnode_new(&p->arena, MLB_P_SCALAR);
		with->param.text = mlb_arena_strdup(&p->arena, text);
		with->plain = old->plain || old->kind == MLB_P_MAP;
	}
	with->param.line = line;
	return replace(p, old, with, file, err);
}

int
mlb_params_set(struct mlb_params *p, const char *name, const char *text, const char *file,
	       unsigned line, bool override, struct mlb_err *err)
{
	struct mlb_pnode *n = find(p, name), *map;
	const char *key;

	if (n)
		return override ? override_one(p, n, text, file, line, err)
				: twice(n, file, line, err);
	if (!good_name(name))
		return mlb_err_set(err, MLB_EINVALID,
				   "%s:%u: '%.80s' cannot be the name of a parameter", file, line,
				   name);
	name = mlb_arena_strdup(&p->arena, name);
	file = mlb_arena_strdup(&p->arena, file);
	map = map_of(p, name, file, line, &key, err);
	if (!map)
		return MLB_EINVALID;
	n = mlb_pnode_new(&p->arena, MLB_P_SCALAR);
	n->key = key;
	n->plain = true;
	n->param.name = name;
	n->param.text = mlb_arena_strdup(&p->arena, text);
	n->param.file = file;
	n->param.line = line;
	mlb_pnode_append(map, n);
	mark_stale(map);
	enter(p, n);
	return 0;
}

const char *
mlb_params_nearest(const struct mlb_params *p, const char *name)
{
	const char **names = mlb_calloc((size_t)p->map.n + 1, sizeof(char *));
	const char *found;

	for (uint32_t i = 0; i < p->map.n; i++)
		names[i] = p->map.entry[i].key;
	found = mlb_nearest(name, names, p->map.n);
	free(names);
	return found;
}

static int
no_match(const struct mlb_params *p, const char *pattern, struct mlb_err *err)
{
	const char *near = mlb_params_nearest(p, pattern);

	return mlb_err_set(err, MLB_ENOTFOUND, "no parameter '%s'%s%s%s", pattern,
			   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int
mlb_params_match(const struct mlb_params *p, const char *pattern, struct mlb_strvec *out,
		 struct mlb_err *err)
{
	struct mlb_strvec names = MLB_VEC_INIT;

	if (!strpbrk(pattern, "*?")) {
		if (!find(p, pattern))
			return no_match(p, pattern, err);
		mlb_strvec_push(out, pattern);
		return 0;
	}
	for (uint32_t i = 0; i < p->map.n; i++) {
		const struct mlb_pnode *n = p->map.entry[i].u.ptr;

		if (n->kind != MLB_P_MAP && !fnmatch(pattern, n->param.name, 0))
			mlb_strvec_push(&names, n->param.name);
	}
	if (!names.n)
		return no_match(p, pattern, err);
	mlb_strvec_sort(&names, true);
	for (size_t i = 0; i < names.n; i++)
		mlb_strvec_push(out, names.v[i]);
	mlb_strvec_release(&names);
	return 0;
}
