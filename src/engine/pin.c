/*
 * The pin of a build: the commit that stands for its inputs. Found before
 * anything runs, because afterwards the files may have moved on.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "engine/pin_lock.h"
#include "engine/pin_needs.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_LOCK = 1 << 30, MAX_MARKED = 64 << 20 };

/* Facts may be outside the project, or in git's own directory; neither belongs to a commit. */
static bool
can_be_committed(const char *path)
{
	return path[0] != '/' && strncmp(path, "../", 3) != 0 && strncmp(path, ".git/", 5) != 0 &&
	       strncmp(path, ".mlbuild/", 9) != 0 && !strstr(path, "/.git/");
}

/* What HEAD has of a directory whose names matter and the disk has not: it was deleted. */
struct absent {
	const struct mlb_project *p;
	struct mlb_strvec *out;
};

static int
add_absent(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	struct absent *a = ctx;
	char *full = mlb_project_path(a->p, e->path);

	(void)err;
	if (!mlb_fs_exists(full))
		mlb_strvec_push(a->out, e->path);
	free(full);
	return 0;
}

/* The directory is written "./", "./a/b". */
static int
add_deleted(struct mlb_builder *b, const char *listed, struct mlb_strvec *path, struct mlb_err *err)
{
	const char *dir = listed[2] ? listed + 2 : ".";
	struct absent a = { b->p, path };
	struct mlb_err why = MLB_ERR_INIT;
	int rc = b->head[0] ? mlb_vcs_dir_each(b->p->vcs, "HEAD", dir, add_absent, &a, &why) : 0;

	/* A directory that HEAD has not. */
	if (rc == MLB_ENOTFOUND)
		rc = 0;
	if (rc)
		mlb_err_set(err, why.code, "%s", why.text);
	mlb_err_release(&why);
	return rc;
}

static void
mark_inputs(const struct mlb_builder *b, uint8_t *wanted)
{
	const struct mlb_graph *g = b->g;

	for (uint32_t n = 0; n < g->n_nodes; n++) {
		if (!b->plan->node[n].wanted)
			continue;
		for (uint32_t i = 0; i < g->node[n].in.n; i++) {
			const struct mlb_g_input *in = &g->input[g->node[n].in.first + i];

			if (in->producer == MLB_NONE || g->node[in->producer].flags & MLB_G_SOURCE)
				wanted[in->path] = 1;
		}
	}
}

/*
 * The facts that the graph was made from: an ini file, a module that could be
 * imported, the files that a glob found. One that is absent counts as well: HEAD may have it.
 */
static int
add_facts(struct mlb_builder *b, uint8_t *wanted, struct mlb_strvec *path, struct mlb_err *err)
{
	const struct mlb_graph *g = b->g;
	int rc = 0;

	for (uint32_t i = 0; i < g->n_facts && rc == 0; i++) {
		const struct mlb_g_fact *f = &g->fact[i];
		const char *name = f->kind == MLB_FACT_ENV ? "" : mlb_g_path(g, f->subject);

		if (f->kind == MLB_FACT_ENV || !can_be_committed(name))
			continue;
		if (f->kind == MLB_FACT_LISTING)
			rc = strncmp(name, "./", 2) == 0 ? add_deleted(b, name, path, err) : 0;
		else if (b->p->scan.state[f->subject].kind == MLB_P_ABSENT)
			mlb_strvec_push(path, name);
		else if (f->kind == MLB_FACT_FILE)
			wanted[f->subject] = 1;
	}
	return rc;
}

/* What the commit must have as the disk has it: the sources of the closure, and the facts. */
static int
add_sources(struct mlb_builder *b, struct mlb_strvec *path, struct mlb_err *err)
{
	const struct mlb_graph *g = b->g;
	uint8_t *wanted = mlb_arena_alloc(&b->plan->arena, g->n_paths + 1);
	int rc;

	mark_inputs(b, wanted);
	rc = add_facts(b, wanted, path, err);
	for (uint32_t i = 0; i < g->n_paths && rc == 0; i++) {
		const struct mlb_path_state *s = &b->p->scan.state[i];

		/* A directory stands for its files, those on disk and those that HEAD has. */
		if (wanted[i] && can_be_committed(mlb_g_path(g, i)) &&
		    (s->kind == MLB_P_TREE || s->kind == MLB_P_FILE || s->kind == MLB_P_EXEC))
			mlb_strvec_push(path, mlb_g_path(g, i));
	}
	return rc;
}

static const char *
trailers(struct mlb_builder *b)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	const char *s;

	for (size_t i = 0; i < b->p->n_overrides; i++)
		if (b->p->override[i].name)
			mlb_buf_addf(&text, "Mlbuild-Param: %s=%s\n", b->p->override[i].name,
				     b->p->override[i].value);
	s = mlb_arena_strdup(&b->plan->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
	return s;
}

/* Said once in a project's life. */
static int
tell_no_pins(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_buf told = MLB_BUF_INIT(MLB_KIB);
	int rc = mlb_meta_get(b->p->db, "told.nopin", &told, err);

	if (rc == 0 && !told.len) {
		mlb_note(b, "no pins: %s", b->p->vcs_why);
		rc = mlb_meta_set(b->p->db, "told.nopin", "1", 1, err);
	}
	mlb_buf_release(&told);
	return rc;
}

/* The line of git's first mark in a file; 0: it has none, and is settled but for "git add". */
static unsigned
marked_line(const struct mlb_builder *b, const char *path)
{
	static const char mark[] = "<<<<<<< ";
	struct mlb_buf text = MLB_BUF_INIT(MAX_MARKED);
	char *full = mlb_project_path(b->p, path);
	unsigned line = 0;
	bool found = false;

	if (mlb_fs_read(&text, full, NULL) != 0)
		mlb_buf_clear(&text);
	for (const char *s = mlb_buf_str(&text); s && *s && !found; s = s ? s + 1 : NULL) {
		line++;
		found = strncmp(s, mark, sizeof(mark) - 1) == 0;
		s = strchr(s, '\n');
	}
	free(full);
	mlb_buf_release(&text);
	return found ? line : 0;
}

/* Sources that a merge has left with both sides in them are built, as any other text. */
static void
tell_conflicts(struct mlb_builder *b, const struct mlb_strvec *source)
{
	struct mlb_strvec conflict = MLB_VEC_INIT;

	mlb_vcs_conflicts(b->p->vcs, &conflict);
	for (size_t i = 0; i < conflict.n; i++) {
		unsigned line = 0;

		for (size_t k = 0; k < source->n && !line; k++)
			if (mlb_path_inside(conflict.v[i], source->v[k]))
				line = marked_line(b, conflict.v[i]);
		if (line)
			mlb_note(b,
				 "'%s' line %u: git's merge is not settled there, and what is "
				 "built has both sides of it: edit it, then 'git add %s'",
				 conflict.v[i], line, conflict.v[i]);
	}
	mlb_strvec_release(&conflict);
}

static int
find(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_pin_spec spec = { .also = "mlbuild.lock", .trailers = trailers(b) };
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_pin_file lock = { .path = "mlbuild.lock" };
	struct mlb_strvec path = MLB_VEC_INIT;
	int rc = mlb_vcs_head(b->p->vcs, b->head, err);

	if (rc == 0)
		rc = add_sources(b, &path, err);
	/* A snapshot needs the lock too: it names what git does not have. */
	if (rc == 0)
		rc = mlb_pin_lock(b, &text, &spec.always, err);
	lock.text = mlb_buf_str(&text);
	lock.len = text.len;
	spec.also_file = text.len ? &lock : NULL;
	spec.path = (const char *const *)path.v;
	spec.n = path.n;
	if (rc == 0)
		rc = mlb_vcs_pin(b->p->vcs, &spec, b->pin, err);
	if (rc == 0) /* which has read the index as it is by now */
		tell_conflicts(b, &path);
	mlb_buf_release(&text);
	mlb_strvec_release(&path);
	return rc;
}

/* What a new snapshot needs is written down with the results that will name it. gc reads it from git if we cannot. */
static void
note_needs(struct mlb_builder *b)
{
	const struct mlb_roots *ignored;

	if (b->pin[0] && strcmp(b->pin, b->head) != 0 && !mlb_pin_needs_has(b->p->db, b->pin))
		(void)mlb_pin_needs_of(&b->pinned, b->p, b->pin, &ignored, NULL);
}

int
mlb_find_pin(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_project_vcs(b->p, err);

	if (rc || b->p->past)
		return rc;
	if (!b->p->vcs)
		return tell_no_pins(b, err);
	/* A repository that cannot be read or written costs the pin, not the build. */
	if (find(b, &why)) {
		b->pin[0] = '\0';
		mlb_note(b, "no pin: %s", why.text);
	}
	note_needs(b);
	mlb_err_release(&why);
	return 0;
}
