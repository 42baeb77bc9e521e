#include "engine/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "store/result.h"
#include "store/tree.h"

enum { PART = 64 * 1024, MAX_JSON = 16 << 20, TREE_FILES = 20 /* of a tree are looked into */ };

static const char *const likeness[] = {
	[MLB_LIKE_IDENTICAL] = "identical",   [MLB_LIKE_TOLERATED] = "within tolerance",
	[MLB_LIKE_EXPECTED] = "as expected",  [MLB_LIKE_DIFFERENT] = "different",
	[MLB_LIKE_IMPOSSIBLE] = "impossible",
};

const char *
mlb_likeness_name(enum mlb_likeness l)
{
	return likeness[l];
}

/* ---------------------------------------------------------- bytes */

/* As much as there is, up to len. */
static int
read_part(int fd, const char *path, char *out, size_t len, size_t *got, struct mlb_err *err)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = read(fd, out + *got, len - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlb_err_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return 0;
}

static int
open_file(int *fd, const char *path, struct mlb_err *err)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? mlb_err_errno(err, errno, "cannot open '%s'", path) : 0;
}

int
mlb_first_difference(uint64_t *out, const char *a, const char *b, struct mlb_err *err)
{
	char *part = mlb_alloc((size_t)2 * PART);
	int fd_a = -1, fd_b = -1, rc = open_file(&fd_a, a, err);
	uint64_t at = 0;

	*out = UINT64_MAX;
	if (rc == 0)
		rc = open_file(&fd_b, b, err);
	while (rc == 0 && *out == UINT64_MAX) {
		size_t n_a = 0, n_b = 0, same = 0;

		rc = read_part(fd_a, a, part, PART, &n_a, err);
		if (rc == 0)
			rc = read_part(fd_b, b, part + PART, PART, &n_b, err);
		while (same < n_a && same < n_b && part[same] == part[PART + same])
			same++;
		if (rc == 0 && (same < n_a || same < n_b))
			*out = at + same;
		if (n_a < PART && n_b < PART)
			break;
		at += PART;
	}
	if (fd_a >= 0)
		close(fd_a);
	if (fd_b >= 0)
		close(fd_b);
	free(part);
	return rc;
}

/* A damaged or absent object only costs the details. */
static bool
is_lost(int rc)
{
	return rc == MLB_ENOTFOUND || rc == MLB_ECORRUPT;
}

static int
find_first(uint64_t *first, const struct mlb_comparing *c, struct mlb_cas *was_cas,
	   const struct mlb_digest *was, struct mlb_cas *is_cas, const struct mlb_digest *is,
	   struct mlb_err *err)
{
	char *a = mlb_asprintf("%s/was", c->tmp), *b = mlb_asprintf("%s/is", c->tmp);
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_cas_link(was_cas, was, a, false, MLB_LINK_COPY, &why);

	if (rc == 0)
		rc = mlb_cas_link(is_cas, is, b, false, MLB_LINK_COPY, &why);
	if (rc == 0)
		rc = mlb_first_difference(first, a, b, &why);
	if (rc && !is_lost(rc))
		mlb_err_set(err, why.code, "%s", why.text);
	(void)mlb_fs_unlink(a, NULL);
	(void)mlb_fs_unlink(b, NULL);
	mlb_err_release(&why);
	free(a);
	free(b);
	return is_lost(rc) ? 0 : rc;
}

/* ---------------------------------------------------------- files */

static bool
is_json(const struct mlb_comparing *c, const struct mlb_version *v)
{
	size_t len = strlen(c->path);

	return v->size <= MAX_JSON &&
	       (v->kind == MLB_O_METRICS || (len > 5 && strcmp(c->path + len - 5, ".json") == 0));
}

static void
compare_values(struct mlb_compared *out, const struct mlb_comparing *c,
	       const struct mlb_version *was, const struct mlb_version *is)
{
	struct mlb_buf a = MLB_BUF_INIT(MAX_JSON), b = MLB_BUF_INIT(MAX_JSON);
	bool tolerated = false;

	if (mlb_cas_read(was->cas, &a, &was->digest, NULL) == 0 &&
	    mlb_cas_read(is->cas, &b, &is->digest, NULL) == 0 &&
	    mlb_compare_json(out, c, &a, &b, &tolerated) && tolerated)
		out->like = MLB_LIKE_TOLERATED;
	mlb_buf_release(&a);
	mlb_buf_release(&b);
}

static int
compare_files(struct mlb_compared *out, const struct mlb_comparing *c,
	      const struct mlb_version *was, const struct mlb_version *is, struct mlb_err *err)
{
	if (is_json(c, was) && is_json(c, is))
		compare_values(out, c, was, is);
	return find_first(&out->first, c, was->cas, &was->digest, is->cas, &is->digest, err);
}

/* ---------------------------------------------------------- directories */

struct listing {
	struct mlb_arena *arena;
	MLB_VEC(struct entry {
		const char *path;
		uint8_t kind;
		uint64_t size;
		struct mlb_digest digest;
	}) entry;
};

static int
add_entry(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct listing *l = ctx;
	const struct entry it = { mlb_arena_strdup(l->arena, path), e->kind, e->size, e->digest };

	(void)err;
	mlb_vec_push(&l->entry, it);
	return 0;
}

/* What two listings, both sorted, do not share. */
struct merge {
	const struct mlb_comparing *c;
	const struct mlb_version *was, *is;
	struct mlb_compared *out;
	MLB_VEC(struct mlb_changed_file) file;
	unsigned looked; /* into so many files */
};

static int
add_changed(struct merge *m, const struct entry *a, const struct entry *b, struct mlb_err *err)
{
	struct mlb_changed_file f = { .path = mlb_arena_strdup(m->c->arena, (a ? a : b)->path),
				      .was = a != NULL,
				      .is = b != NULL,
				      .was_size = a ? a->size : 0,
				      .is_size = b ? b->size : 0,
				      .first = UINT64_MAX };
	int rc = 0;

	m->out->files_changed++;
	if (m->file.n >= MLB_COMPARE_MOST)
		return 0;
	if (a && b && a->kind != MLB_T_DIR && b->kind != MLB_T_DIR &&
	    !mlb_digest_equal(&a->digest, &b->digest) && m->looked++ < TREE_FILES)
		rc = find_first(&f.first, m->c, m->was->cas, &a->digest, m->is->cas, &b->digest,
				err);
	mlb_vec_push(&m->file, f);
	return rc;
}

static int
merge_lists(struct merge *m, const struct listing *was, const struct listing *is,
	    struct mlb_err *err)
{
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < was->entry.n || k < is->entry.n)) {
		const struct entry *a = i < was->entry.n ? &was->entry.v[i] : NULL;
		const struct entry *b = k < is->entry.n ? &is->entry.v[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);

		i += order <= 0;
		k += order >= 0;
		if (order == 0 && a->kind == b->kind && mlb_digest_equal(&a->digest, &b->digest))
			continue;
		rc = add_changed(m, order <= 0 ? a : NULL, order >= 0 ? b : NULL, err);
	}
	return rc;
}

static int
compare_trees(struct mlb_compared *out, const struct mlb_comparing *c,
	      const struct mlb_version *was, const struct mlb_version *is, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct listing a = { .arena = &arena }, b = { .arena = &arena };
	struct merge m = { .c = c, .was = was, .is = is, .out = out };
	struct mlb_changed_file *file;
	int rc = 0;

	/* Without the nodes of both there is nothing more to tell. */
	if (mlb_tree_each(was->cas, &was->digest, add_entry, &a, NULL) == 0 &&
	    mlb_tree_each(is->cas, &is->digest, add_entry, &b, NULL) == 0)
		rc = merge_lists(&m, &a, &b, err);
	file = mlb_arena_alloc(c->arena, (m.file.n + 1) * sizeof(*file));
	for (size_t i = 0; i < m.file.n; i++)
		file[i] = m.file.v[i];
	out->file = file;
	out->n_files = m.file.n;
	mlb_vec_release(&m.file);
	mlb_vec_release(&a.entry);
	mlb_vec_release(&b.entry);
	mlb_arena_release(&arena);
	return rc;
}

/* ---------------------------------------------------------- the whole */

static const char *
kind_name(uint8_t kind)
{
	switch (kind) {
	case MLB_O_EXEC:
		return "exec";
	case MLB_O_TREE:
		return "tree";
	case MLB_O_METRICS:
		return "metrics";
	default:
		return "file";
	}
}

static const char *
hex(const struct mlb_comparing *c, const struct mlb_version *v)
{
	char text[MLB_HEX_LEN + 1];

	if (!v->kind)
		return "";
	mlb_digest_hex(text, &v->digest);
	return mlb_arena_strdup(c->arena, text);
}

int
mlb_compare(struct mlb_compared *out, const struct mlb_comparing *c, const struct mlb_version *was,
	    const struct mlb_version *is, struct mlb_err *err)
{
	*out = (struct mlb_compared){
		.path = c->path,
		.kind = kind_name(was->kind ? was->kind : is->kind),
		.was = hex(c, was),
		.is = hex(c, is),
		.was_size = was->kind ? was->size : 0,
		.is_size = is->kind ? is->size : 0,
		.first = UINT64_MAX,
		.like = MLB_LIKE_DIFFERENT,
	};
	if (!was->kind || !is->kind) {
		out->like = MLB_LIKE_IMPOSSIBLE;
		return 0;
	}
	if (was->kind == is->kind && mlb_digest_equal(&was->digest, &is->digest)) {
		out->like = MLB_LIKE_IDENTICAL;
		return 0;
	}
	if ((was->kind == MLB_O_TREE) != (is->kind == MLB_O_TREE))
		return 0;
	if (was->kind == MLB_O_TREE)
		return compare_trees(out, c, was, is, err);
	return compare_files(out, c, was, is, err);
}
