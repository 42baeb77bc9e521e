/*
 * A parameter file with some values changed.
 *
 * First the values are replaced where they stand, so that all other bytes stay.
 * The result is read again: it must be the old tree with just these values
 * changed. If it is not (the value came from an alias or a merge key, or had an
 * anchor) the whole tree is written anew in flow style, and checked likewise.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"
#include "graph/params_tree.h"

struct edit {
	size_t start, end; /* bytes of the old text */
	char *text;        /* owned */
};

struct rewriter {
	const char *file;
	const char *text; /* without a BOM */
	size_t len;
	bool json;
	struct mlb_arena arena;
	struct mlb_pnode *root; /* becomes the tree that is wanted */
	MLB_VEC(struct edit) edit;
	struct mlb_buf scratch;
};

/* The node of a full name; keys may hold dots themselves. */
static struct mlb_pnode *
find(struct mlb_pnode *map, const char *name)
{
	for (struct mlb_pnode *c = map->first; c; c = c->next) {
		size_t len = strlen(c->key);
		struct mlb_pnode *found;

		if (strncmp(c->key, name, len) != 0)
			continue;
		if (!name[len])
			return c;
		found = name[len] == '.' && c->kind == MLB_P_MAP ? find(c, name + len + 1) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

/* Can it stand without quotes, in a block and in a flow, and be one scalar? */
static bool
plain_safe(const char *s)
{
	if (!*s || !strcmp(s, "-") || !strncmp(s, "--", 2) || !strcmp(s, "...") || !strcmp(s, "~"))
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && !strchr("_./+-", *s))
			return false;
	return true;
}

/* May this text stand unquoted in this file, so that it is a number, true, false or null where it looks like one? */
static bool
may_be_plain(struct rewriter *r, const char *text)
{
	const char *as_json;

	if (!r->json)
		return plain_safe(text);
	as_json = mlb_plain_json(&r->scratch, text);
	return as_json && !strcmp(as_json, text);
}

static void
add_quoted(struct mlb_buf *out, const char *s)
{
	struct mlb_json j;

	mlb_json_init(&j, out);
	mlb_json_str(&j, s);
}

/* What stands at the node's place from now on; the node becomes that too. */
static void
change_node(struct rewriter *r, struct mlb_pnode *n, const struct mlb_param *p, struct mlb_buf *out)
{
	if (p->type != MLB_PARAM_SCALAR) {
		n->kind = MLB_P_RAW;
		n->param.text = p->text;
		mlb_buf_adds(out, p->text);
		return;
	}
	n->plain = (n->kind != MLB_P_SCALAR || n->plain) && may_be_plain(r, p->text);
	n->kind = MLB_P_SCALAR;
	n->param.text = p->text;
	if (n->plain)
		mlb_buf_adds(out, p->text);
	else
		add_quoted(out, p->text);
}

static void
add_edit(struct rewriter *r, struct mlb_pnode *n, const struct mlb_param *p)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_PARAMS_TEXT_MAX);
	struct edit e = { .start = n->start, .end = n->end };
	size_t start = e.start;

	while (e.end > e.start &&
	       strchr("\r\n", r->text[e.end - 1])) /* a block scalar has its line end in it */
		e.end--;
	/* On a line of its own a value must be indented; behind ':' or '-' it needs a blank. */
	if (!r->json && (!start || !strchr(" \t[{,", r->text[start - 1])))
		mlb_buf_addc(&b, ' ');
	change_node(r, n, p, &b);
	e.text = mlb_buf_detach(&b);
	mlb_vec_push(&r->edit, e);
}

static int
by_start(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The old text with the edits made; false if two of them are at the same place (an alias). */
static bool
apply_edits(struct rewriter *r, struct mlb_buf *out)
{
	size_t at = 0;

	if (r->edit.n)
		qsort(r->edit.v, r->edit.n, sizeof(*r->edit.v), by_start);
	for (size_t i = 0; i < r->edit.n; i++) {
		const struct edit *e = &r->edit.v[i];

		if (e->start < at || e->end < e->start || e->end > r->len)
			return false;
		mlb_buf_add(out, r->text + at, e->start - at);
		mlb_buf_adds(out, e->text);
		at = e->end;
	}
	mlb_buf_add(out, r->text + at, r->len - at);
	return true;
}

static void
write_flow(struct rewriter *r, struct mlb_buf *out, const struct mlb_pnode *n, unsigned depth)
{
	if (n->kind == MLB_P_RAW ||
	    (n->kind == MLB_P_SCALAR && n->plain && may_be_plain(r, n->param.text))) {
		mlb_buf_adds(out, n->param.text);
		return;
	}
	if (n->kind == MLB_P_SCALAR) {
		const char *as_json = n->plain ? mlb_plain_json(&r->scratch, n->param.text) : NULL;

		if (as_json)
			mlb_buf_adds(out, as_json);
		else
			add_quoted(out, n->param.text);
		return;
	}
	mlb_buf_addc(out, n->kind == MLB_P_MAP ? '{' : '[');
	for (const struct mlb_pnode *c = n->first; c; c = c->next) {
		if (c != n->first)
			mlb_buf_adds(out, depth ? ", " : ",\n ");
		if (c->key) {
			add_quoted(out, c->key);
			mlb_buf_adds(out, ": ");
		}
		write_flow(r, out, c, depth + 1);
	}
	mlb_buf_addc(out, n->kind == MLB_P_MAP ? '}' : ']');
	if (!depth)
		mlb_buf_addc(out, '\n');
}

/* Does this text read as the tree that is wanted? */
static bool
is_wanted(struct rewriter *r, const struct mlb_buf *text)
{
	struct mlb_buf want = MLB_BUF_INIT(MLB_PARAMS_TEXT_MAX),
		       got = MLB_BUF_INIT(MLB_PARAMS_TEXT_MAX);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pnode *root;
	bool same = false;

	if (!text->full &&
	    !mlb_params_read(&root, &arena, r->file, mlb_buf_str(text), text->len, NULL)) {
		mlb_pnode_json(&want, r->root);
		mlb_pnode_json(&got, root);
		same = !want.full && !got.full && want.len == got.len &&
		       !strcmp(mlb_buf_str(&want), mlb_buf_str(&got));
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&want);
	mlb_buf_release(&got);
	return same;
}

static int
rewrite(struct rewriter *r, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_PARAMS_TEXT_MAX);
	int rc = 0;

	if (!apply_edits(r, &b) || !is_wanted(r, &b)) {
		mlb_buf_clear(&b);
		write_flow(r, &b, r->root, 0);
		if (!is_wanted(r, &b))
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"%s: cannot write the changed parameters so that they read back the same",
				r->file);
	}
	if (!rc)
		mlb_buf_add(out, mlb_buf_str(&b), b.len);
	mlb_buf_release(&b);
	return rc ? rc : mlb_buf_check(out, r->file, err);
}

int
mlb_params_rewrite(struct mlb_buf *out, const char *file, const char *text, size_t len,
		   const struct mlb_param *const *changes, size_t n, unsigned *changed,
		   struct mlb_err *err)
{
	struct rewriter r = { .file = file,
			      .text = text,
			      .len = len,
			      .json = mlb_str_ends(file, ".json"),
			      .arena = MLB_ARENA_INIT,
			      .scratch = MLB_BUF_INIT(MLB_PARAMS_FILE_MAX) };
	bool bom = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3);
	int rc = mlb_params_read(&r.root, &r.arena, file, text, len, err);

	*changed = 0;
	if (rc)
		goto out;
	if (bom) {
		r.text += 3;
		r.len -= 3;
	}
	for (size_t i = 0; i < n; i++) {
		struct mlb_pnode *node = find(r.root, changes[i]->name);

		if (!node || node->kind == MLB_P_MAP || node->kind == MLB_P_RAW)
			continue;
		add_edit(&r, node, changes[i]);
		++*changed;
	}
	if (bom)
		mlb_buf_add(out, "\xef\xbb\xbf", 3);
	rc = rewrite(&r, out, err);
out:
	for (size_t i = 0; i < r.edit.n; i++)
		free(r.edit.v[i].text);
	mlb_vec_release(&r.edit);
	mlb_buf_release(&r.scratch);
	mlb_arena_release(&r.arena);
	return rc;
}
