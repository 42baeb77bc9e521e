/* What artifacts consist of, from lock and cache alone. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/locked.h"
#include "engine/words.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_PATH_BYTES = 1 << 20, MAX_LINKS = 40 };

struct contents {
	struct mlb_project *p;
	struct mlb_locked_list list;
	uint8_t *mark;   /* entries that the word means */
	const char *sub; /* path below them; "" */
	bool deep;
	mlb_content_fn *fn;
	void *ctx;
	const struct mlb_locked *l; /* the entry at hand */
	struct mlb_buf path;        /* of what is told */
	size_t base;                /* bytes of it that name the directory at hand */
};

/* ---------------------------------------------------------- the word */

/* The path of the output that a target calls OUT, by the graph; NULL. */
static const char *
path_of_out(struct mlb_project *p, const struct mlb_locked *l, const char *out, size_t len)
{
	const struct mlb_graph *g = p->graph;
	uint32_t n = mlb_graph_find(g, l->name);

	for (uint32_t i = 0; n != MLB_NONE && i < g->node[n].out.n; i++) {
		const struct mlb_g_output *o = &g->output[g->node[n].out.first + i];
		const char *name = mlb_g_str(g, o->name);

		if (strncmp(name, out, len) == 0 && name[len] == '\0')
			return mlb_g_path(g, o->path);
	}
	return NULL;
}

/* Of the marked entries those stay that are the output OUT. */
static int
keep_out(struct contents *c, const char *out, size_t len, struct mlb_err *err)
{
	struct mlb_buf have = MLB_BUF_INIT(MAX_PATH_BYTES);
	bool any = false;
	int rc = mlb_project_load(c->p, err);

	for (size_t i = 0; i < c->list.all.n && rc == 0; i++) {
		const struct mlb_locked *l = &c->list.all.v[i];
		const char *path = c->mark[i] ? path_of_out(c->p, l, out, len) : NULL;

		if (c->mark[i] && l->path)
			mlb_buf_addf(&have, "%s'%s'", have.len ? ", " : "", l->path);
		c->mark[i] = path && l->path && strcmp(path, l->path) == 0;
		any |= c->mark[i];
	}
	if (rc == 0 && !any)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "%s names %s, and none of that is called '%.*s': a path in "
				 "an output is given as TARGET/PATH",
				 mlb_locked_where(&c->list), mlb_buf_str(&have), (int)len, out);
	mlb_buf_release(&have);
	return rc;
}

/* TARGET[:OUT][/PATH]; false if there is no such target. */
static bool
mark_target(struct contents *c, const char *word, const char **out, size_t *out_len)
{
	size_t len = strcspn(word, ":/");
	char *name = mlb_strndup(word, len);
	bool found = false;

	for (size_t i = 0; i < c->list.all.n && len; i++)
		if (mlb_name_matches(c->list.all.v[i].name, c->list.all.v[i].base, name, false))
			c->mark[i] = found = true;
	free(name);
	word += len;
	*out_len = 0;
	if (*word == ':') {
		*out = word + 1;
		*out_len = strcspn(word + 1, "/");
		word += 1 + *out_len;
	}
	c->sub = *word == '/' ? word + 1 : "";
	return found;
}

/* What of a path is below the one output that was marked for it. */
static void
find_sub(struct contents *c, const char *word)
{
	struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *text;

	c->sub = "";
	for (size_t i = 0; i < c->list.all.n; i++) {
		size_t len = c->mark[i] ? strlen(c->list.all.v[i].path) : 0;

		if (!c->mark[i])
			continue;
		mlb_buf_clear(&path);
		mlb_path_absolute(&path, word, NULL);
		text = mlb_buf_str(&path) + MLB_MIN(path.len, strlen(c->p->root) + 1);
		if (!mlb_path_inside(text, c->list.all.v[i].path)) {
			mlb_buf_clear(&path);
			mlb_path_normalize(&path, word, NULL);
			text = mlb_buf_str(&path);
		}
		if (strlen(text) > len)
			c->sub = mlb_arena_strdup(&c->list.arena, text + len + 1);
	}
	mlb_buf_release(&path);
}

static int
find(struct contents *c, const char *word, const char *rev, struct mlb_err *err)
{
	const char *out = "";
	size_t out_len = 0;
	int rc = mlb_locked_read(&c->list, c->p, rev, err);

	if (rc)
		return rc;
	rc = mlb_locked_dispute(&c->list, word, err);
	if (rc)
		return rc;
	c->mark = mlb_calloc(c->list.all.n + 1, 1);
	if (mark_target(c, word, &out, &out_len)) {
		size_t len = strlen(c->sub);

		if (len && c->sub[len - 1] == '/')
			c->sub = mlb_arena_strndup(&c->list.arena, c->sub, len - 1);
		return out_len ? keep_out(c, out, out_len, err) : 0;
	}
	rc = mlb_locked_mark(&c->list, c->p, word, c->mark, err);
	if (rc == 0)
		find_sub(c, word);
	return rc;
}

static void
release(struct contents *c)
{
	free(c->mark);
	mlb_buf_release(&c->path);
	mlb_locked_release(&c->list);
}

/* ---------------------------------------------------------- listing */

static const char *
kind_of_entry(uint8_t kind)
{
	switch (kind) {
	case MLB_T_EXEC:
		return "exec";
	case MLB_T_DIR:
		return "tree";
	case MLB_T_LINK:
		return "link";
	default:
		return "file";
	}
}

/* 0, or what ends the listing: the callback said so, which is no failure. */
static int
tell(struct contents *c, const char *kind, const struct mlb_digest *digest, uint64_t size)
{
	char hex[MLB_HEX_LEN + 1];
	const struct mlb_content e = { c->l->name, mlb_buf_str(&c->path), kind, hex, size };

	mlb_digest_hex(hex, digest);
	return c->fn(c->ctx, &e) ? 1 : 0;
}

static int
tell_below(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct contents *c = ctx;

	(void)err;
	mlb_buf_truncate(&c->path, c->base);
	mlb_buf_addf(&c->path, "/%s%s", path, e->kind == MLB_T_DIR ? "/" : "");
	/* What ends it has to be below 0; no error is set. */
	return tell(c, kind_of_entry(e->kind), &e->digest, e->size) ? MLB_EINTERRUPTED : 0;
}

static int
list_tree(struct contents *c, const struct mlb_digest *tree, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_tree_entry *entry = NULL;
	size_t n = 0;
	int rc;

	c->base = c->path.len;
	if (c->deep) {
		rc = mlb_tree_each(c->p->cas, tree, tell_below, c, err);
		return rc == MLB_EINTERRUPTED ? 1 : rc;
	}
	rc = mlb_tree_read(&entry, &n, &arena, c->p->cas, tree, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		mlb_buf_truncate(&c->path, c->base);
		mlb_buf_addf(&c->path, "/%s%s", entry[i].name,
			     entry[i].kind == MLB_T_DIR ? "/" : "");
		rc = tell(c, kind_of_entry(entry[i].kind), &entry[i].digest, entry[i].size);
	}
	mlb_arena_release(&arena);
	return rc;
}

static int
no_directory(const struct contents *c, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ENOTFOUND, "'%s' is no directory: there is no '%s' in it",
			   c->l->path, c->sub);
}

static int
list_output(struct contents *c, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_tree_entry e = { .kind = MLB_T_DIR, .digest = c->l->digest };
	int rc = 0;

	mlb_buf_clear(&c->path);
	mlb_buf_adds(&c->path, c->l->path);
	if (c->l->okind != MLB_O_TREE)
		return *c->sub ? no_directory(c, err)
			       : tell(c, mlb_okind_word(c->l->okind), &c->l->digest, c->l->size);
	if (*c->sub) {
		rc = mlb_tree_find(&e, &arena, c->p->cas, &c->l->digest, c->sub, err);
		mlb_buf_addf(&c->path, "/%s", c->sub);
	}
	if (rc == 0 && e.kind == MLB_T_DIR)
		rc = list_tree(c, &e.digest, err);
	else if (rc == 0)
		rc = tell(c, kind_of_entry(e.kind), &e.digest, e.size);
	if (rc < 0)
		mlb_err_wrap(err, "'%s'", c->l->path);
	mlb_arena_release(&arena);
	return rc;
}

static int
no_table(const struct contents *c, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ENOTFOUND,
			   "the list of the outputs of '%s' is not in the cache", c->l->name);
}

int
mlb_contents(struct mlb_project *p, const char *word, const char *rev, bool deep,
	     mlb_content_fn *fn, void *ctx, struct mlb_err *err)
{
	struct contents c = { .p = p,
			      .deep = deep,
			      .fn = fn,
			      .ctx = ctx,
			      .path = MLB_BUF_INIT((size_t)MAX_PATH_BYTES * 2) };
	int rc = find(&c, word, rev, err);

	for (size_t i = 0; rc == 0 && i < c.list.all.n; i++) {
		if (!c.mark[i])
			continue;
		c.l = &c.list.all.v[i];
		rc = c.l->path ? list_output(&c, err) : no_table(&c, err);
	}
	release(&c);
	return rc < 0 ? rc : 0;
}

/* ---------------------------------------------------------- one file's bytes */

static int
one_output(struct contents *c, struct mlb_err *err)
{
	struct mlb_buf all = MLB_BUF_INIT(MAX_PATH_BYTES);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < c->list.all.n; i++) {
		if (!c->mark[i])
			continue;
		c->l = &c->list.all.v[i];
		if (n < 10 && c->l->path)
			mlb_buf_addf(&all, "%s'%s'", n ? ", " : "", c->l->path);
		n++;
	}
	if (n > 1)
		rc = mlb_err_set(err, MLB_EINVALID, "there are %zu outputs: name one, such as %s",
				 n, mlb_buf_str(&all));
	else if (!c->l->path)
		rc = no_table(c, err);
	mlb_buf_release(&all);
	return rc;
}

/* A link leads to another path of the same tree. */
static int
follow(struct contents *c, struct mlb_buf *sub, const struct mlb_tree_entry *link,
       struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_TREE_LINK_MAX), dir = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_cas_read(c->p->cas, &text, &link->digest, err);

	mlb_path_dir(&dir, mlb_buf_str(sub));
	mlb_buf_addf(&dir, "/%s", mlb_buf_str(&text));
	mlb_buf_clear(sub);
	if (rc == 0)
		rc = mlb_path_normalize(sub, mlb_buf_str(&dir), err);
	mlb_buf_release(&dir);
	mlb_buf_release(&text);
	return rc;
}

/* The digest of the file at c->sub of a tree. */
static int
find_file(struct contents *c, struct mlb_digest *digest, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf sub = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_tree_entry e = { .kind = MLB_T_DIR };
	int rc = 0, links = 0;

	mlb_buf_adds(&sub, c->sub);
	while (rc == 0 && sub.len && strcmp(mlb_buf_str(&sub), ".") != 0) {
		rc = mlb_tree_find(&e, &arena, c->p->cas, &c->l->digest, mlb_buf_str(&sub), err);
		if (rc || e.kind != MLB_T_LINK)
			break;
		rc = ++links > MAX_LINKS
			     ? mlb_err_set(err, MLB_EINVALID, "its links lead in a circle")
			     : follow(c, &sub, &e, err);
		e.kind = MLB_T_DIR;
	}
	if (rc == 0 && e.kind == MLB_T_DIR)
		rc = mlb_err_set(err, MLB_EINVALID, "it is a directory: 'mlbuild ls' lists it");
	if (rc < 0)
		mlb_err_wrap(err, "'%s%s%s'", c->l->path, *c->sub ? "/" : "", c->sub);
	*digest = e.digest;
	mlb_buf_release(&sub);
	mlb_arena_release(&arena);
	return rc;
}

int
mlb_cat(struct mlb_project *p, const char *word, const char *rev, mlb_bytes_fn *fn, void *ctx,
	struct mlb_err *err)
{
	struct contents c = { .p = p, .path = MLB_BUF_INIT((size_t)MAX_PATH_BYTES * 2) };
	struct mlb_digest digest;
	int rc = find(&c, word, rev, err);

	if (rc == 0)
		rc = one_output(&c, err);
	if (rc == 0) {
		digest = c.l->digest;
		if (c.l->okind == MLB_O_TREE)
			rc = find_file(&c, &digest, err);
		else if (*c.sub)
			rc = no_directory(&c, err);
	}
	if (rc == 0)
		rc = mlb_cas_stream(p->cas, &digest, fn, ctx, err);
	release(&c);
	return rc;
}
