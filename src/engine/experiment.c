#include "engine/experiment.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_TEXT = 256 << 20, MAX_PATH_BYTES = 64 * 1024, ID_LEN = 40, MIN_PREFIX = 4 };

char *
mlb_experiment_file(const struct mlb_project *p, const char *id)
{
	return mlb_asprintf("%s/experiments/%s", p->state_dir, id);
}

const char *
mlb_experiment_project(struct mlb_project *p)
{
	struct mlb_buf root = MLB_BUF_INIT(MAX_PATH_BYTES), top = MLB_BUF_INIT(MAX_PATH_BYTES);
	const char *rel = "";

	if (p->vcs && mlb_fs_real(&root, p->root, NULL) == 0 &&
	    mlb_fs_real(&top, mlb_vcs_workdir(p->vcs), NULL) == 0 && root.len > top.len &&
	    mlb_path_inside(mlb_buf_str(&root), mlb_buf_str(&top)))
		rel = mlb_arena_strdup(&p->arena, mlb_buf_str(&root) + top.len + (top.len > 1));
	mlb_buf_release(&top);
	mlb_buf_release(&root);
	return rel;
}

/* ---------------------------------------------------------- reading one */

struct reading {
	struct mlb_arena *arena;
	struct mlb_experiment x;
	MLB_VEC(struct mlb_experiment_param) param;
	MLB_VEC(const char *) target;
	const char *project;
};

/* A value as it is written: plain, or as a JSON string. */
static const char *
value_of(struct reading *r, const char *text)
{
	json_t *json = *text == '"' ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	const char *s = json_is_string(json) ? mlb_arena_strdup(r->arena, json_string_value(json))
					     : text;

	json_decref(json);
	return s;
}

static void
take_param(struct reading *r, const char *value)
{
	const char *eq = strchr(value, '=');
	struct mlb_experiment_param p;

	if (!eq || eq == value)
		return;
	p.name = mlb_arena_strndup(r->arena, value, (size_t)(eq - value));
	p.value = value_of(r, eq + 1);
	mlb_vec_push(&r->param, p);
}

char *
mlb_experiment_param(const char *trailer)
{
	const char *eq = strchr(trailer, '=');
	json_t *json = eq && eq[1] == '"' ? json_loads(eq + 1, JSON_DECODE_ANY, NULL) : NULL;
	char *text = json_is_string(json) ? mlb_asprintf("%.*s=%s", (int)(eq - trailer), trailer,
							 json_string_value(json))
					  : mlb_strdup(trailer);

	json_decref(json);
	return text;
}

/* "2026-12-01T07:20:11Z" */
static int64_t
read_time(const char *s)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	return strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm) ? (int64_t)timegm(&tm) * 1000000000 : 0;
}

static void
take_trailer(struct reading *r, const char *name, const char *value)
{
	if (strcmp(name, "Param") == 0)
		take_param(r, value);
	else if (strcmp(name, "Project") == 0)
		r->project = value_of(r, value);
	else if (strcmp(name, "Target") == 0)
		mlb_vec_push(&r->target, value_of(r, value));
	else if (strcmp(name, "Status") == 0)
		r->x.status = value_of(r, value);
	else if (strcmp(name, "Reason") == 0)
		r->x.reason = value_of(r, value);
	else if (strcmp(name, "Time") == 0)
		r->x.time = read_time(value);
	else if (strcmp(name, "Seconds") == 0)
		r->x.duration = (uint64_t)(strtod(value, NULL) * 1e9);
	else if (strcmp(name, "Metrics") == 0)
		r->x.metrics = value;
}

/* The lines "Mlbuild-NAME: VALUE" of a text, up to its first empty line if it is a file's. */
static void
read_trailers(struct reading *r, const char *text, bool file)
{
	static const char prefix[] = "Mlbuild-";

	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = mlb_arena_strndup(r->arena, text, len);
		char *colon = strstr(line, ": ");

		if (file && len == 0)
			break;
		if (colon && strncmp(line, prefix, strlen(prefix)) == 0) {
			*colon = '\0';
			take_trailer(r, line + strlen(prefix), colon + 2);
		}
		text += len + (text[len] == '\n');
	}
}

static void
begin_reading(struct reading *r, struct mlb_experiment_list *l)
{
	memset(r, 0, sizeof(*r));
	r->arena = &l->arena;
	r->project = "";
	r->x = (struct mlb_experiment){ .id = "",
					.name = "",
					.status = "done",
					.reason = "",
					.commit = "",
					.author = "",
					.metrics = "" };
}

static void
release_reading(struct reading *r)
{
	mlb_vec_release(&r->param);
	mlb_vec_release(&r->target);
}

static void
end_reading(struct reading *r, struct mlb_experiment_list *l)
{
	struct mlb_experiment_param *p = mlb_arena_alloc(r->arena, (r->param.n + 1) * sizeof(*p));
	const char **target = mlb_arena_alloc(r->arena, (r->target.n + 1) * sizeof(*target));
	struct mlb_strmap_entry *slot;
	bool is_new;

	for (size_t i = 0; i < r->param.n; i++)
		p[i] = r->param.v[i];
	for (size_t i = 0; i < r->target.n; i++)
		target[i] = r->target.v[i];
	r->x.param = p;
	r->x.n_params = r->param.n;
	r->x.target = target;
	r->x.n_targets = r->target.n;
	release_reading(r);
	slot = mlb_strmap_add(&l->at, r->x.id, strlen(r->x.id), &is_new);
	if (is_new) {
		mlb_vec_push(&l->all, r->x);
		slot->u.num = l->all.n;
	} else if (r->x.name[0]) {
		l->all.v[slot->u.num - 1].name = r->x.name;
	}
}

/* ---------------------------------------------------------- all of them */

static bool
is_id(const char *s)
{
	return strlen(s) == ID_LEN && strspn(s, "0123456789abcdef") == ID_LEN;
}

static int
read_ref(struct mlb_experiment_list *l, struct mlb_project *p, const char *ref, const char *project,
	 struct mlb_err *err)
{
	const char *name = ref + strlen(MLB_EXPERIMENTS);
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_vcs_commit c = { 0 };
	struct mlb_err ignored = MLB_ERR_INIT;
	struct reading r;
	int rc = mlb_vcs_commit_info(p->vcs, ref, &c, &ignored);

	/* What cannot be read (a clone that has the reference alone) is nobody's experiment. */
	if (rc == 0)
		rc = mlb_vcs_message(p->vcs, ref, &text, &ignored);
	if (rc == 0) {
		begin_reading(&r, l);
		read_trailers(&r, mlb_buf_str(&text), false);
		r.x.id = mlb_arena_strdup(&l->arena, c.id);
		r.x.name = is_id(name) ? "" : mlb_arena_strdup(&l->arena, name);
		r.x.commit = mlb_arena_strdup(&l->arena, c.parent);
		r.x.author = mlb_arena_strdup(&l->arena, c.author);
		r.x.shared = true;
		if (strcmp(r.project, project) == 0)
			end_reading(&r, l);
		else
			release_reading(&r);
	}
	mlb_err_release(&ignored);
	mlb_vcs_commit_release(&c);
	mlb_buf_release(&text);
	(void)err;
	return 0;
}

static int
read_refs(struct mlb_experiment_list *l, struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_strvec refs = MLB_VEC_INIT;
	const char *project = mlb_experiment_project(p);
	int rc = mlb_vcs_refs(p->vcs, MLB_EXPERIMENTS, &refs, err);

	for (size_t i = 0; i < refs.n && rc == 0; i++)
		rc = read_ref(l, p, refs.v[i], project, err);
	mlb_strvec_release(&refs);
	return rc;
}

/* "ID", or "ID.NAME". */
static void
read_file(struct mlb_experiment_list *l, const struct mlb_project *p, const char *file)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	char *path = mlb_experiment_file(p, file);
	struct reading r;

	if (mlb_fs_read(&text, path, NULL) == 0 &&
	    strncmp(mlb_buf_str(&text), MLB_EXPERIMENT_HEAD, strlen(MLB_EXPERIMENT_HEAD)) == 0) {
		begin_reading(&r, l);
		read_trailers(&r, mlb_buf_str(&text), true);
		r.x.id = mlb_arena_strndup(&l->arena, file, ID_LEN);
		r.x.name = file[ID_LEN] ? mlb_arena_strdup(&l->arena, file + ID_LEN + 1) : "";
		end_reading(&r, l);
	}
	free(path);
	mlb_buf_release(&text);
}

static int
read_files(struct mlb_experiment_list *l, const struct mlb_project *p, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/experiments", p->state_dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_exists(dir) ? mlb_fs_list(&list, dir, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		const char *name = list.v[i].name;

		if (strspn(name, "0123456789abcdef") == ID_LEN &&
		    (name[ID_LEN] == '\0' || name[ID_LEN] == '.'))
			read_file(l, p, name);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static int
by_time(const void *a, const void *b)
{
	const struct mlb_experiment *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->id, y->id);
}

int
mlb_experiment_list(struct mlb_experiment_list *out, struct mlb_project *p, struct mlb_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = mlb_project_vcs(p, err);
	if (rc == 0 && p->vcs)
		rc = read_refs(out, p, err);
	if (rc == 0)
		rc = read_files(out, p, err);
	if (rc == 0 && out->all.n > 1)
		qsort(out->all.v, out->all.n, sizeof(*out->all.v), by_time);
	mlb_strmap_release(&out->at);
	return rc;
}

void
mlb_experiment_list_release(struct mlb_experiment_list *l)
{
	mlb_strmap_release(&l->at);
	mlb_vec_release(&l->all);
	mlb_arena_release(&l->arena);
}

int
mlb_experiments(struct mlb_project *p, mlb_experiment_fn *fn, void *ctx, struct mlb_err *err)
{
	struct mlb_experiment_list l;
	int rc = mlb_experiment_list(&l, p, err);

	for (size_t i = 0; i < l.all.n && rc == 0; i++)
		if (fn(ctx, &l.all.v[i]))
			break;
	mlb_experiment_list_release(&l);
	return rc;
}

/* ---------------------------------------------------------- one of them */

int
mlb_experiment_find(const struct mlb_experiment_list *l, const char *word,
		    const struct mlb_experiment **out, struct mlb_err *err)
{
	size_t len = strlen(word), n = 0;

	for (size_t i = 0; i < l->all.n; i++)
		if (l->all.v[i].name[0] && strcmp(l->all.v[i].name, word) == 0) {
			*out = &l->all.v[i];
			return 0;
		}
	for (size_t i = 0; i < l->all.n && len >= MIN_PREFIX; i++)
		if (strncmp(l->all.v[i].id, word, len) == 0) {
			*out = &l->all.v[i];
			n++;
		}
	if (n == 1)
		return 0;
	if (n > 1)
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' is the beginning of %zu experiments' ids: give more of it",
				   word, n);
	return mlb_err_set(err, MLB_ENOTFOUND,
			   "there is no experiment '%s': 'mlbuild experiments' lists them (an id "
			   "may be cut short, to %d digits at least)",
			   word, MIN_PREFIX);
}

int
mlb_experiment_lock(struct mlb_project *p, const struct mlb_experiment *x, struct mlb_buf *out,
		    struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	char *path;
	const char *lock;
	int rc;

	if (x->shared)
		return mlb_vcs_read(p->vcs, x->id, "mlbuild.lock", out, err);
	path = x->name[0] ? mlb_asprintf("%s/experiments/%s.%s", p->state_dir, x->id, x->name)
			  : mlb_experiment_file(p, x->id);
	rc = mlb_fs_read(&text, path, err);
	lock = rc == 0 ? strstr(mlb_buf_str(&text), "\n\n") : NULL;
	if (lock)
		mlb_buf_adds(out, lock + 2);
	free(path);
	mlb_buf_release(&text);
	return rc;
}

/* Its reference, or the path of its file; owned by the caller. */
static char *
place_of(const struct mlb_project *p, const struct mlb_experiment *x, const char *name)
{
	if (x->shared)
		return mlb_asprintf("%s%s", MLB_EXPERIMENTS, name[0] ? name : x->id);
	return mlb_asprintf("%s/experiments/%s%s%s", p->state_dir, x->id, name[0] ? "." : "", name);
}

static int
find_one(struct mlb_experiment_list *l, struct mlb_project *p, const char *word,
	 const struct mlb_experiment **out, struct mlb_err *err)
{
	int rc = mlb_experiment_list(l, p, err);

	return rc ? rc : mlb_experiment_find(l, word, out, err);
}

static int
drop(struct mlb_project *p, const struct mlb_experiment *x, const char *name, struct mlb_err *err)
{
	char *place = place_of(p, x, name);
	struct mlb_strvec ref = MLB_VEC_INIT;
	int rc;

	mlb_strvec_push(&ref, place);
	rc = x->shared ? mlb_vcs_drop_refs(p->vcs, &ref, err) : mlb_fs_remove_tree(place, err);
	mlb_strvec_release(&ref);
	free(place);
	return rc;
}

int
mlb_experiment_remove(struct mlb_project *p, const char *id, struct mlb_err *err)
{
	struct mlb_experiment_list l;
	const struct mlb_experiment *x;
	int rc = find_one(&l, p, id, &x, err);

	if (rc == 0)
		rc = drop(p, x, x->name, err);
	/* One that was named, and then made again, has both. */
	if (rc == 0 && x->name[0])
		rc = drop(p, x, "", err);
	mlb_experiment_list_release(&l);
	return rc;
}

static bool
is_name(const char *s)
{
	if (!isalnum((unsigned char)*s) || strlen(s) > MLB_NAME_MAX || is_id(s) || strstr(s, ".."))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return s[-1] != '.';
}

static int
check_name(const struct mlb_experiment_list *l, const struct mlb_experiment *x, const char *name,
	   struct mlb_err *err)
{
	if (!is_name(name))
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' cannot be a name: use letters, digits, _ . -, beginning "
				   "with a letter or digit, at most %d",
				   name, MLB_NAME_MAX);
	for (size_t i = 0; i < l->all.n; i++)
		if (&l->all.v[i] != x && strcmp(l->all.v[i].name, name) == 0)
			return mlb_err_set(err, MLB_EEXISTS,
					   "another experiment is called '%s': rename or remove it",
					   name);
	return 0;
}

static int
move(struct mlb_project *p, const struct mlb_experiment *x, const char *name, struct mlb_err *err)
{
	char *from = place_of(p, x, x->name), *to = place_of(p, x, name);
	int rc;

	/* The new reference first: one of them keeps it from git's collector at every moment. */
	if (x->shared) {
		rc = mlb_vcs_add_ref(p->vcs, to, x->id, err);
		if (rc == 0)
			rc = drop(p, x, x->name, err);
	} else {
		rc = mlb_fs_move(from, to, err);
	}
	free(to);
	free(from);
	return rc;
}

int
mlb_experiment_rename(struct mlb_project *p, const char *id, const char *name, struct mlb_err *err)
{
	struct mlb_experiment_list l;
	const struct mlb_experiment *x;
	int rc = find_one(&l, p, id, &x, err);

	if (rc == 0 && name[0])
		rc = check_name(&l, x, name, err);
	if (rc == 0 && strcmp(x->name, name) != 0)
		rc = move(p, x, name, err);
	mlb_experiment_list_release(&l);
	return rc;
}
