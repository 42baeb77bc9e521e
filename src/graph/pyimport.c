#include "graph/pyimport.h"

#include <stdlib.h>
#include <string.h>

#include "os/path.h"
#include "store/scan.h"

#define MAX_SOURCE (64 * MLB_MIB) /* bytes of a Python file */

/* The search for one script: files found so far, in order. */
struct search {
	struct mlb_py *py;
	const char *const *dirs;
	size_t n_dirs;
	MLB_VEC(struct mlb_py_hit) hit;
	struct mlb_strmap seen;
	const char *by;      /* the file whose imports are looked up */
	struct mlb_buf path; /* scratch */
	struct mlb_err *err;
};

void
mlb_py_init(struct mlb_py *py, const char *root)
{
	memset(py, 0, sizeof(*py));
	py->root = root;
}

void
mlb_py_release(struct mlb_py *py)
{
	for (uint32_t i = 0; i < py->dir.n; i++) {
		struct mlb_py_dir *d = py->dir.entry[i].u.ptr;

		mlb_strmap_release(&d->name);
	}
	mlb_strmap_release(&py->file);
	mlb_strmap_release(&py->dir);
	mlb_strmap_release(&py->closure);
	mlb_arena_release(&py->arena);
}

/* ------------------------------------------------------------ what is on disk */

static uint8_t
entry_type(struct mlb_py *py, const char *dir, const struct mlb_dirent *e)
{
	struct mlb_buf rel = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf full = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_stat st;
	uint8_t type = e->type;

	if (type == MLB_F_SYMLINK) {
		mlb_path_join(&rel, dir, e->name);
		mlb_path_join(&full, py->root, mlb_buf_str(&rel));
		if (mlb_fs_stat(&st, mlb_buf_str(&full), NULL) == 0)
			type = st.type;
	}
	mlb_buf_release(&rel);
	mlb_buf_release(&full);
	return type;
}

static void
read_dir(struct mlb_py *py, struct mlb_py_dir *d, const char *dir)
{
	struct mlb_dirents entries = MLB_VEC_INIT;
	struct mlb_buf full = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_stat st;

	mlb_path_join(&full, py->root, dir);
	if (mlb_fs_stat(&st, mlb_buf_str(&full), NULL) == 0 && st.type == MLB_F_DIR &&
	    mlb_fs_list(&entries, mlb_buf_str(&full), NULL) == 0) {
		mlb_listing_digest(&entries, &d->digest);
		for (size_t i = 0; i < entries.n; i++) {
			char *name = mlb_arena_strdup(&py->arena, entries.v[i].name);

			mlb_strmap_add(&d->name, name, strlen(name), NULL)->u.num =
				entry_type(py, dir, &entries.v[i]);
		}
	}
	mlb_dirents_release(&entries);
	mlb_buf_release(&full);
}

static struct mlb_py_dir *
get_dir(struct mlb_py *py, const char *dir)
{
	struct mlb_py_dir *d = mlb_strmap_get(&py->dir, dir);

	if (d)
		return d;
	d = mlb_arena_alloc(&py->arena, sizeof(*d));
	read_dir(py, d, dir);
	mlb_strmap_set(&py->dir, mlb_arena_strdup(&py->arena, dir), d);
	return d;
}

static bool
dir_has(struct mlb_py *py, const char *dir, const char *name, uint8_t type)
{
	const struct mlb_strmap_entry *e =
		mlb_strmap_find(&get_dir(py, dir)->name, name, strlen(name));

	return e && e->u.num == type;
}

static struct mlb_py_file *
get_file(struct mlb_py *py, const char *path)
{
	struct mlb_py_file *f = mlb_strmap_get(&py->file, path);
	struct mlb_buf text = MLB_BUF_INIT(MAX_SOURCE);
	struct mlb_buf full = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_py_imports imports = MLB_VEC_INIT;

	if (f)
		return f;
	f = mlb_arena_alloc(&py->arena, sizeof(*f));
	mlb_path_join(&full, py->root, path);
	if (mlb_fs_read(&text, mlb_buf_str(&full), NULL) == 0 && !text.full) {
		mlb_sha256_of(&f->digest, mlb_buf_str(&text), text.len);
		mlb_py_parse(&imports, &py->arena, mlb_buf_str(&text), text.len);
	}
	if (imports.n > 0) {
		f->import = mlb_arena_alloc(&py->arena, imports.n * sizeof(*f->import));
		memcpy(f->import, imports.v, imports.n * sizeof(*f->import));
		f->n_imports = (uint32_t)imports.n;
	}
	mlb_strmap_set(&py->file, mlb_arena_strdup(&py->arena, path), f);
	mlb_vec_release(&imports);
	mlb_buf_release(&text);
	mlb_buf_release(&full);
	return f;
}

/* ------------------------------------------------------------ modules */

static void
add_hit(struct search *s, const char *path)
{
	struct mlb_py_hit hit = { NULL, s->by };
	bool is_new;
	struct mlb_strmap_entry *e = mlb_strmap_add(&s->seen, path, strlen(path), &is_new);

	if (!is_new)
		return;
	hit.path = mlb_arena_strdup(&s->py->arena, path);
	e->key = hit.path;
	mlb_vec_push(&s->hit, hit);
}

/* Is DIR/NAME a file, on disk or as an output? Then it is a hit. */
static bool
take_file(struct search *s, const char *dir, const char *name)
{
	mlb_path_join(&s->path, dir, name);
	if (!dir_has(s->py, dir, name, MLB_F_FILE) &&
	    !(s->py->made && s->py->made(s->py->ctx, mlb_buf_str(&s->path))))
		return false;
	add_hit(s, mlb_buf_str(&s->path));
	return true;
}

enum found { NOTHING, NAMESPACE /* a directory without __init__.py */, PACKAGE, MODULE };

/* One component below dir. A package's directory replaces dir. */
static enum found
step(struct search *s, struct mlb_buf *dir, const char *part, size_t len)
{
	struct mlb_buf name = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf sub = MLB_BUF_INIT(SIZE_MAX / 2);
	enum found found = NOTHING;

	mlb_buf_add(&name, part, len);
	mlb_path_join(&sub, mlb_buf_str(dir), mlb_buf_str(&name));
	if (dir_has(s->py, mlb_buf_str(dir), mlb_buf_str(&name), MLB_F_DIR))
		found = take_file(s, mlb_buf_str(&sub), "__init__.py") ? PACKAGE : NAMESPACE;
	if (found != PACKAGE) {
		mlb_buf_adds(&name, ".py");
		if (take_file(s, mlb_buf_str(dir), mlb_buf_str(&name)))
			found = MODULE;
	}
	if (found == PACKAGE || found == NAMESPACE) {
		mlb_buf_clear(dir);
		mlb_buf_adds(dir, mlb_buf_str(&sub));
	}
	mlb_buf_release(&name);
	mlb_buf_release(&sub);
	return found;
}

/* All components of a dotted name below dir, which becomes the package's directory. */
static enum found
descend(struct search *s, struct mlb_buf *dir, const char *module)
{
	enum found first = NOTHING;
	bool is_first = true;

	while (*module != '\0') {
		size_t len = strcspn(module, ".");
		enum found f = step(s, dir, module, len);

		if (is_first)
			first = f;
		is_first = false;
		if (f == NOTHING || f == MODULE) {
			mlb_buf_clear(dir); /* what follows is no module */
			return first;
		}
		module += len;
		module += *module == '.';
	}
	return first;
}

static void
take_names(struct search *s, const char *dir, const struct mlb_py_import *import)
{
	struct mlb_buf sub = MLB_BUF_INIT(SIZE_MAX / 2);

	for (uint32_t i = 0; i < import->n_names; i++) {
		mlb_buf_clear(&sub);
		mlb_buf_adds(&sub, dir);
		step(s, &sub, import->name[i], strlen(import->name[i]));
	}
	mlb_buf_release(&sub);
}

static void
resolve_absolute(struct search *s, const struct mlb_py_import *import)
{
	struct mlb_buf dir = MLB_BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; i < s->n_dirs; i++) {
		enum found f;

		mlb_buf_clear(&dir);
		mlb_buf_adds(&dir, s->dirs[i]);
		f = descend(s, &dir, import->module);
		if (f != NOTHING && dir.len > 0)
			take_names(s, mlb_buf_str(&dir), import);
		if (f == PACKAGE || f == MODULE)
			break; /* a namespace goes on in the other directories */
	}
	mlb_buf_release(&dir);
}

static void
resolve_relative(struct search *s, const struct mlb_py_import *import)
{
	struct mlb_buf dir = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf up = MLB_BUF_INIT(SIZE_MAX / 2);
	bool ok = true;

	mlb_path_dir(&dir, s->by);
	for (uint32_t i = 1; i < import->level && ok; i++) {
		ok = strcmp(mlb_buf_str(&dir), ".") != 0;
		mlb_path_dir(&up, mlb_buf_str(&dir));
		mlb_buf_clear(&dir);
		mlb_buf_adds(&dir, mlb_buf_str(&up));
	}
	if (ok) {
		take_file(s, mlb_buf_str(&dir), "__init__.py");
		descend(s, &dir, import->module);
		if (dir.len > 0)
			take_names(s, mlb_buf_str(&dir), import);
	}
	mlb_buf_release(&dir);
	mlb_buf_release(&up);
}

static void
follow(struct search *s, const char *path)
{
	const struct mlb_py_file *f;

	if (s->py->made && s->py->made(s->py->ctx, path))
		return;
	f = get_file(s->py, path);
	s->by = path;
	for (uint32_t i = 0; i < f->n_imports; i++) {
		if (f->import[i].level > 0)
			resolve_relative(s, &f->import[i]);
		else
			resolve_absolute(s, &f->import[i]);
	}
}

/* ------------------------------------------------------------ closures */

/* Begin a search; the remembered answer if there is one. */
static const struct mlb_py_hits *
begin(struct search *s, struct mlb_py *py, struct mlb_buf *key, const char *what, const char *name,
      const char *const *dirs, size_t n)
{
	const struct mlb_strmap_entry *e;

	memset(s, 0, sizeof(*s));
	s->py = py;
	s->dirs = dirs;
	s->n_dirs = n;
	mlb_buf_init(&s->path, SIZE_MAX / 2);
	mlb_buf_adds(key, what);
	mlb_buf_adds(key, name);
	for (size_t i = 0; i < n; i++) {
		mlb_buf_addc(key, '\n');
		mlb_buf_adds(key, dirs[i]);
	}
	e = mlb_strmap_find(&py->closure, mlb_buf_str(key), key->len);
	return e ? e->u.ptr : NULL;
}

static const struct mlb_py_hits *
finish(struct search *s, const struct mlb_buf *key)
{
	struct mlb_py_hits *hits = mlb_arena_alloc(&s->py->arena, sizeof(*hits));
	char *copy = mlb_arena_strndup(&s->py->arena, mlb_buf_str(key), key->len);

	if (s->hit.n > 0) {
		hits->v = mlb_arena_alloc(&s->py->arena, s->hit.n * sizeof(*hits->v));
		memcpy(hits->v, s->hit.v, s->hit.n * sizeof(*hits->v));
		hits->n = (uint32_t)s->hit.n;
	}
	mlb_strmap_add(&s->py->closure, copy, key->len, NULL)->u.ptr = hits;
	return hits;
}

static void
end(struct search *s, struct mlb_buf *key)
{
	mlb_vec_release(&s->hit);
	mlb_strmap_release(&s->seen);
	mlb_buf_release(&s->path);
	mlb_buf_release(key);
}

int
mlb_py_script(const struct mlb_py_hits **out, struct mlb_py *py, const char *script,
	      const char *const *search, size_t n, struct mlb_err *err)
{
	struct mlb_buf key = MLB_BUF_INIT(SIZE_MAX / 2);
	struct search s;

	(void)err;
	*out = begin(&s, py, &key, "script ", script, search, n);
	if (!*out) {
		mlb_strmap_add(&s.seen, script, strlen(script), NULL);
		follow(&s, mlb_arena_strdup(&py->arena, script));
		for (size_t i = 0; i < s.hit.n; i++)
			follow(&s, s.hit.v[i].path);
		*out = finish(&s, &key);
	}
	end(&s, &key);
	return 0;
}

int
mlb_py_module(const struct mlb_py_hits **out, struct mlb_py *py, const char *module,
	      const char *const *search, size_t n, struct mlb_err *err)
{
	static const char *const main_name[] = { "__main__" };
	struct mlb_py_import import = { module, main_name, 1, 0 };
	struct mlb_buf key = MLB_BUF_INIT(SIZE_MAX / 2);
	struct search s;

	(void)err;
	*out = begin(&s, py, &key, "module ", module, search, n);
	if (!*out) {
		resolve_absolute(&s, &import);
		for (size_t i = 0; i < s.hit.n; i++)
			follow(&s, s.hit.v[i].path);
		*out = finish(&s, &key);
	}
	end(&s, &key);
	return 0;
}
