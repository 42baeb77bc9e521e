#include "engine/origin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "store/tree.h"
#include "store/vcs_walk.h"

enum { MAX_LOCK = 1 << 30, MAX_OTHERS = 8, MAX_PATH_BYTES = 1 << 20, MAX_DEPTH = 512 };

struct finder {
	struct mlb_origin *out;
	struct mlb_project *p;
	const char *digits;
	size_t len;
	bool one, deep;
	struct mlb_strmap locks;  /* blob id of a lock -> whether it names the digest, plus 1 */
	struct mlb_strmap tables; /* digest of a table -> the same */
	struct mlb_strmap nodes;  /* directories that were looked into */
	struct mlb_buf sub;
	bool held;     /* the lock at hand names it */
	unsigned left; /* commits that are still to be looked at; 0: all */
};

/* ---------------------------------------------------------- digests */

const char *
mlb_digest_word(const char *word)
{
	bool named = mlb_str_starts(word, "sha256:");
	const char *digits = named ? word + 7 : word;
	size_t len = strspn(digits, "0123456789abcdefABCDEF");

	if (digits[len] || len > MLB_HEX_LEN ||
	    len < (named ? MLB_DIGEST_WORD_MIN : MLB_BARE_WORD_MIN))
		return NULL;
	return digits;
}

static bool
matches(struct finder *f, const struct mlb_digest *d)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, d);
	if (memcmp(hex, f->digits, f->len) != 0)
		return false;
	if (f->out->as == MLB_ORIGIN_NONE || mlb_digest_equal(d, &f->out->digest))
		return true;
	if (f->out->others.n < MAX_OTHERS && !mlb_strvec_has(&f->out->others, hex))
		mlb_strvec_push(&f->out->others, hex);
	return false;
}

static const char *
keep(struct finder *f, const char *s)
{
	return mlb_arena_strdup(&f->out->arena, s ? s : "");
}

/* ---------------------------------------------------------- directories */

/* The path of a file below a tree, in f->sub; each directory is read once, whoever holds it. */
static bool
in_tree(struct finder *f, const struct mlb_digest *tree, unsigned depth, struct mlb_digest *found)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_digest *own = mlb_arena_alloc(&f->out->arena, sizeof(*own));
	struct mlb_tree_entry *e = NULL;
	struct mlb_strmap_entry *seen;
	size_t n = 0, len = f->sub.len;
	bool is_new, is = false;

	*own = *tree;
	seen = mlb_strmap_add(&f->nodes, (const char *)own->b, MLB_DIGEST_LEN, &is_new);
	if (!is_new) {
		*found = f->out->digest;
		return seen->u.num != 0;
	}
	if (depth > MAX_DEPTH || mlb_tree_read(&e, &n, &arena, f->p->cas, tree, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n && !is; i++) {
		mlb_buf_truncate(&f->sub, len);
		mlb_buf_addf(&f->sub, "%s%s", len ? "/" : "", e[i].name);
		if (e[i].kind == MLB_T_DIR)
			is = in_tree(f, &e[i].digest, depth + 1, found);
		else if (e[i].kind != MLB_T_LINK && matches(f, &e[i].digest)) {
			*found = e[i].digest;
			is = true;
		}
	}
	/* The map may have grown since. */
	mlb_strmap_add(&f->nodes, (const char *)own->b, MLB_DIGEST_LEN, NULL)->u.num = is;
	mlb_arena_release(&arena);
	return is;
}

static bool
in_output(struct finder *f, uint8_t kind, const struct mlb_digest *d, struct mlb_digest *found)
{
	mlb_buf_clear(&f->sub);
	if (f->deep)
		return kind == MLB_O_TREE && in_tree(f, d, 0, found);
	*found = *d;
	return matches(f, d);
}

/* ---------------------------------------------------------- locks */

static void
take_locked(struct finder *f, const struct mlb_lock_block *b, const char *name,
	    const struct mlb_digest *key, const struct mlb_lock_output *o)
{
	struct mlb_origin *out = f->out;
	struct mlb_digest found;

	if (!in_output(f, o->kind, &o->digest, &found))
		return;
	f->held = true;
	if (out->as != MLB_ORIGIN_NONE)
		return;
	out->as = f->deep ? MLB_ORIGIN_MEMBER : MLB_ORIGIN_OUTPUT;
	out->digest = found;
	out->target = keep(f, name);
	out->kind = keep(f, b->kind);
	out->path = keep(f, o->path);
	out->sub = keep(f, mlb_buf_str(&f->sub));
	out->okind = o->kind;
	out->size = f->deep ? 0 : o->size;
	out->key = *key;
}

/* The rows of a matrix are named by instance, those of `each` by file. */
static void
look_into_table(struct finder *f, const struct mlb_lock_block *b)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_digest *own = mlb_arena_alloc(&f->out->arena, sizeof(*own));
	struct mlb_table_row *row = NULL;
	struct mlb_strmap_entry *seen;
	bool is_new, before = f->held;
	size_t n = 0, len = strlen(b->name);

	*own = b->table;
	seen = mlb_strmap_add(&f->tables, (const char *)own->b, MLB_DIGEST_LEN, &is_new);
	f->held = false;
	if (is_new && mlb_cas_read(f->p->cas, &text, &b->table, NULL) == 0 &&
	    (f->deep || memmem(text.data, text.len, f->digits, f->len)) &&
	    mlb_table_parse(&row, &n, &arena, mlb_buf_str(&text), text.len, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		bool instance = strncmp(row[i].name, b->name, len) == 0 && row[i].name[len] == '@';

		for (uint32_t k = 0; k < row[i].n_outputs; k++)
			take_locked(f, b, instance ? row[i].name : b->name, &row[i].key,
				    &row[i].output[k]);
	}
	if (is_new)
		seen->u.num = f->held;
	f->held = before || seen->u.num;
	mlb_buf_release(&text);
	mlb_arena_release(&arena);
}

/* Does this text of a lock name it? */
static bool
look_into_lock(struct finder *f, const struct mlb_buf *text)
{
	bool plain = memmem(text->data, text->len, f->digits, f->len) != NULL;
	struct mlb_lockfile lock;

	f->held = false;
	if (!text->len || (!plain && !f->deep && !memmem(text->data, text->len, "\ntable = ", 9)))
		return false;
	mlb_lockfile_init(&lock);
	if (mlb_lockfile_parse(&lock, text->data, text->len, NULL) == 0)
		for (uint32_t i = 0; i < lock.map.n; i++)
			for (const struct mlb_lock_block *b = lock.map.entry[i].u.ptr; b;
			     b = b->other) {
				for (uint32_t k = 0; k < b->n_outputs; k++)
					take_locked(f, b, b->name, &b->key, &b->output[k]);
				if (!mlb_digest_is_zero(&b->table))
					look_into_table(f, b);
			}
	mlb_lockfile_release(&lock);
	return f->held;
}

static bool
lock_holds(struct finder *f, const char *id)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_strmap_entry *e;
	bool is_new, holds = false;

	if (!*id)
		return false;
	e = mlb_strmap_find(&f->locks, id, strlen(id));
	if (e)
		return e->u.num == 2;
	if (mlb_vcs_blob_read(f->p->vcs, id, &text, NULL) == 0)
		holds = look_into_lock(f, &text);
	mlb_buf_release(&text);
	id = keep(f, id);
	e = mlb_strmap_add(&f->locks, id, strlen(id), &is_new);
	e->u.num = holds ? 2 : 1;
	return holds;
}

static int
step(void *ctx, const struct mlb_vcs_step *s, struct mlb_err *err)
{
	struct finder *f = ctx;
	struct mlb_origin *out = f->out;
	bool added = true;

	(void)err;
	if (!lock_holds(f, s->file))
		return f->left && --f->left == 0;
	if (!out->n_holding++)
		out->commit = keep(f, s->commit);
	for (size_t i = 0; i < s->n_before && added && !f->one; i++)
		added = !lock_holds(f, s->before[i]);
	if (added && !f->one) {
		struct mlb_origin_commit c = { keep(f, s->commit), keep(f, s->author),
					       keep(f, s->subject), s->time };

		mlb_vec_push(&out->added, c);
	}
	/* Of some digits only, all must be looked at: more than one digest may begin so. */
	return f->one && f->len == MLB_HEX_LEN;
}

static int
find_in_locks(struct finder *f, struct mlb_err *err)
{
	int rc;

	mlb_strmap_release(&f->locks);
	mlb_strmap_release(&f->tables);
	if (!f->p->vcs)
		return 0;
	rc = mlb_vcs_walk(f->p->vcs, NULL, 0, "mlbuild.lock", step, f, err);
	return rc < 0 ? rc : 0;
}

/* What was built and is not committed yet. */
static void
find_in_workspace(struct finder *f)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	char *path = mlb_project_path(f->p, "mlbuild.lock");

	if (mlb_fs_exists(path) && mlb_fs_read(&text, path, NULL) == 0)
		look_into_lock(f, &text);
	free(path);
	mlb_buf_release(&text);
}

/* ---------------------------------------------------------- results */

static void
take_record(struct finder *f, const struct mlb_result *r)
{
	if (!f->out->pin[0] && r->pin[0])
		f->out->pin = keep(f, r->pin);
	if (!f->out->run[0] && r->run[0])
		f->out->run = keep(f, r->run);
	f->out->key = r->key;
}

static int
look_into_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct finder *f = ctx;
	struct mlb_origin *out = f->out;
	struct mlb_digest found;

	(void)err;
	for (uint32_t i = 0; i < r->n_outputs; i++) {
		if (!in_output(f, r->output[i].kind, &r->output[i].digest, &found))
			continue;
		if (out->as == MLB_ORIGIN_NONE) {
			out->as = f->deep ? MLB_ORIGIN_MEMBER : MLB_ORIGIN_OUTPUT;
			out->digest = found;
			out->path = keep(f, r->output[i].path);
			out->sub = keep(f, mlb_buf_str(&f->sub));
			out->okind = r->output[i].kind;
			out->size = f->deep ? 0 : r->output[i].size;
			take_record(f, r);
		}
	}
	if (!f->deep && matches(f, &r->key) && out->as == MLB_ORIGIN_NONE) {
		out->as = MLB_ORIGIN_KEY;
		out->digest = r->key;
		out->path = keep(f, r->n_outputs ? r->output[0].path : "");
		take_record(f, r);
	}
	return 0;
}

/* A line "input KIND PATH DIGEST" of the action's text. */
static int
look_into_action(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct finder *f = ctx;
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	const char *at, *line;

	(void)err;
	if (f->out->as != MLB_ORIGIN_NONE || mlb_cas_read(f->p->cas, &text, &r->key, NULL) != 0)
		goto out;
	at = memmem(text.data, text.len, f->digits, f->len);
	for (; at; at = strstr(at + 1, f->digits)) {
		const char *path, *end;

		for (line = at; line > text.data && line[-1] != '\n';)
			line--;
		end = line + strcspn(line, "\n");
		path = mlb_str_starts(line, "input ") ? strchr(line + 6, ' ') : NULL;
		if (!path || path[1 + strcspn(path + 1, " ")] != ' ' ||
		    at != path + 2 + strcspn(path + 1, " ") || end - at != MLB_HEX_LEN ||
		    !mlb_digest_parse(&f->out->digest, at, MLB_HEX_LEN))
			continue;
		f->out->as = MLB_ORIGIN_INPUT;
		f->out->path = mlb_arena_strndup(&f->out->arena, path + 1, strcspn(path + 1, " "));
		take_record(f, r);
		break;
	}
out:
	mlb_buf_release(&text);
	return 0;
}

/* ---------------------------------------------------------- the whole */

/* Whose action it is, by the runs of this project. */
static int
name_target(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct finder *f = ctx;

	(void)err;
	f->out->target = keep(f, a->node);
	return 1;
}

static int
describe(struct finder *f, struct mlb_err *err)
{
	struct mlb_origin *out = f->out;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;
	int rc = 0;

	if (out->as == MLB_ORIGIN_NONE || mlb_digest_is_zero(&out->key))
		return 0;
	if (mlb_results_find(f->p->results, &r, &arena, &out->key, NULL) == 0)
		take_record(f, &r);
	mlb_arena_release(&arena);
	if (!*out->target)
		rc = mlb_run_by_key(f->p->db, &out->key, name_target, f, err);
	return rc < 0 ? rc : 0;
}

static int
find(struct finder *f, struct mlb_err *err)
{
	int rc = find_in_locks(f, err);

	if (rc == 0)
		find_in_workspace(f);
	if (rc == 0 && (f->out->as == MLB_ORIGIN_NONE || (f->len < MLB_HEX_LEN && !f->deep)))
		rc = mlb_results_each(f->p->results, look_into_record, f, err);
	return rc < 0 ? rc : 0;
}

static void
finder_release(struct finder *f)
{
	mlb_strmap_release(&f->locks);
	mlb_strmap_release(&f->tables);
	mlb_strmap_release(&f->nodes);
	mlb_buf_release(&f->sub);
}

int
mlb_origin_find(struct mlb_origin *out, struct mlb_project *p, const char *digits, bool one,
		struct mlb_err *err)
{
	struct finder f = { .out = out, .p = p, .one = one, .sub = MLB_BUF_INIT(MAX_PATH_BYTES) };
	char lower[MLB_HEX_LEN + 1];
	int rc;

	*out = (struct mlb_origin){ .arena = MLB_ARENA_INIT };
	out->target = out->kind = out->path = out->sub = out->commit = out->pin = out->run = "";
	for (f.len = 0; digits[f.len] && f.len < MLB_HEX_LEN; f.len++)
		lower[f.len] = (char)tolower((unsigned char)digits[f.len]);
	lower[f.len] = '\0';
	f.digits = lower;
	rc = mlb_project_past(p, err);
	if (rc == 0)
		rc = mlb_project_vcs(p, err);
	if (rc == 0)
		rc = find(&f, err);
	f.deep = true;
	if (rc == 0 && out->as == MLB_ORIGIN_NONE)
		rc = find(&f, err);
	if (rc == 0 && out->as == MLB_ORIGIN_NONE)
		rc = mlb_results_each(p->results, look_into_action, &f, err);
	if (rc == 0)
		rc = describe(&f, err);
	finder_release(&f);
	return rc;
}

int
mlb_origin_locked(char out[MLB_OID_HEX + 1], struct mlb_project *p, const struct mlb_digest *d,
		  unsigned most, struct mlb_err *err)
{
	struct mlb_origin o = { .arena = MLB_ARENA_INIT };
	struct finder f = {
		.out = &o, .p = p, .one = true, .left = most, .sub = MLB_BUF_INIT(MAX_PATH_BYTES)
	};
	char digits[MLB_HEX_LEN + 1];
	int rc;

	o.target = o.kind = o.path = o.sub = o.commit = o.pin = o.run = "";
	mlb_digest_hex(digits, d);
	f.digits = digits;
	f.len = MLB_HEX_LEN;
	rc = find_in_locks(&f, err);
	out[0] = '\0';
	if (rc == 0 && strlen(o.commit) == MLB_OID_HEX)
		memcpy(out, o.commit, MLB_OID_HEX + 1);
	finder_release(&f);
	mlb_origin_release(&o);
	return rc;
}

void
mlb_origin_release(struct mlb_origin *o)
{
	mlb_vec_release(&o->added);
	mlb_strvec_release(&o->others);
	mlb_arena_release(&o->arena);
}

int
mlb_origin_check(const struct mlb_origin *o, const char *word, struct mlb_err *err)
{
	char hex[MLB_HEX_LEN + 1];

	if (o->as == MLB_ORIGIN_NONE)
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "no commit's mlbuild.lock and no result here names '%s'", word);
	mlb_digest_hex(hex, &o->digest);
	if (o->others.n)
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' is the beginning of several digests, such as %.16s and "
				   "%.16s: give more digits",
				   word, hex, o->others.v[0]);
	return 0;
}
