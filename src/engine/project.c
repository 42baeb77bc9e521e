#include "engine/project.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/fingerprint.h"
#include "engine/remotes.h"
#include "os/fs.h"
#include "os/io.h"
#include "os/machine.h"
#include "os/path.h"

#ifndef MLB_VERSION
#define MLB_VERSION "0.0.0"
#endif

/* Deeper nesting than this above the current directory is not searched. */
enum { MAX_PATH_BYTES = 64 * 1024 };

const char *
mlb_version(void)
{
	return MLB_VERSION;
}

void
mlb_free(void *p)
{
	free(p);
}

/* The nearest directory at or above dir that holds an mlbuild.ini; its absolute path replaces out. */
static int
find_root(struct mlb_buf *out, const char *dir, struct mlb_err *err)
{
	struct mlb_buf file = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf up = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_path_absolute(out, dir, err);

	while (rc == 0) {
		mlb_path_join(&file, mlb_buf_str(out), "mlbuild.ini");
		if (mlb_fs_exists(mlb_buf_str(&file)))
			break;
		if (strcmp(mlb_buf_str(out), "/") == 0) {
			rc = mlb_err_set(
				err, MLB_ENOTFOUND,
				"no mlbuild.ini in '%s' or above it: go to your project, or "
				"begin one with 'mlbuild init'",
				dir);
			break;
		}
		mlb_path_dir(&up, mlb_buf_str(out));
		mlb_buf_clear(out);
		mlb_buf_adds(out, mlb_buf_str(&up));
	}
	mlb_buf_release(&up);
	mlb_buf_release(&file);
	return rc;
}

/* "NAME=VALUE" or "@FILE" of -p. A file is relative to the current directory, as words of a command line are. */
static int
add_override(struct mlb_project *p, const char *text, struct mlb_err *err)
{
	struct mlb_override *o = &p->override[p->n_overrides];
	const char *eq = strchr(text, '=');

	if (text[0] == '@') {
		struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES);
		int rc = mlb_path_absolute(&path, text + 1, err);

		if (rc == 0)
			o->value = mlb_arena_strdup(&p->arena, mlb_buf_str(&path));
		o->given = mlb_arena_strdup(&p->arena, text + 1);
		mlb_buf_release(&path);
		if (rc)
			return rc;
	} else if (!eq || eq == text) {
		return mlb_err_set(err, MLB_EINVALID, "-p '%s' is neither NAME=VALUE nor @FILE",
				   text);
	} else {
		o->name = mlb_arena_strndup(&p->arena, text, (size_t)(eq - text));
		o->value = mlb_arena_strdup(&p->arena, eq + 1);
	}
	p->n_overrides++;
	return 0;
}

/* On any thread: the descriptor tells until somebody has heard of it. */
static bool
is_cancelled(const struct mlb_io *io)
{
	const struct mlb_project *p =
		(const struct mlb_project *)((const char *)io - offsetof(struct mlb_project, io));
	struct pollfd fd = { .fd = p->cancel_fd, .events = POLLIN };

	return atomic_load(&p->heard) || poll(&fd, 1, 0) > 0;
}

void
mlb_project_set_io(struct mlb_project *p, const struct mlb_io *io)
{
	p->io = *io;
	p->io.stops = is_cancelled;
}

const struct mlb_io *
mlb_project_io(const struct mlb_project *p)
{
	while (p->parent)
		p = p->parent;
	return &p->io;
}

void
mlb_project_hear(struct mlb_project *p, bool cancelled)
{
	for (; p; p = p->parent)
		atomic_store(&p->heard, cancelled);
}

int
mlb_project_open(struct mlb_project **out, const struct mlb_open *open, struct mlb_err *err)
{
	struct mlb_buf root = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_project *p = mlb_calloc(1, sizeof(*p));
	int rc;

	p->cancel_fd = -1;
	mlb_project_set_io(p, &mlb_io_os);
	p->lease = (struct mlb_lease)MLB_LEASE_INIT;
	p->threads = mlb_machine_cpus();
	mlb_lockfile_init(&p->lock);
	rc = find_root(&root, open->dir ? open->dir : ".", err);
	if (rc == MLB_ENOTFOUND && open->bare) {
		mlb_err_release(err);
		rc = mlb_path_absolute(&root, open->dir ? open->dir : ".", err);
	}
	if (rc)
		goto done;
	p->root = mlb_buf_detach(&root);
	p->state_dir = mlb_project_path(p, ".mlbuild");
	p->override = mlb_calloc(open->n_params + 1, sizeof(*p->override));
	for (size_t i = 0; i < open->n_params && rc == 0; i++)
		rc = add_override(p, open->param[i], err);
	if (rc)
		goto done;
	p->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->cancel_fd < 0)
		rc = mlb_err_errno(err, errno, "cannot make an eventfd");
	if (rc == 0)
		rc = mlb_suspension_init(&p->own_suspension, err);
	p->suspension = &p->own_suspension;
done:
	mlb_buf_release(&root);
	if (rc) {
		mlb_project_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

void
mlb_project_unload(struct mlb_project *p)
{
	mlb_scan_release(&p->scan);
	mlb_fingerprints_forget(p);
	p->scanned = false;
	mlb_graph_free(p->graph);
	p->graph = NULL;
	mlb_config_free(p->config);
	p->config = NULL;
	mlb_lockfile_release(&p->lock);
	mlb_lockfile_init(&p->lock);
	p->lock_read = p->lock_same = false;
}

static void
close_handles(struct mlb_project *p)
{
	mlb_remotes_free(p->remotes);
	mlb_results_close(p->results);
	mlb_cas_close(p->cas);
	mlb_lease_end(&p->lease);
	mlb_db_close(p->db);
	mlb_vcs_close(p->vcs);
	if (p->cancel_fd >= 0)
		close(p->cancel_fd);
}

void
mlb_project_close(struct mlb_project *p)
{
	if (!p)
		return;
	mlb_scan_release(&p->scan);
	mlb_fingerprints_forget(p);
	if (!p->parent)
		close_handles(p);
	mlb_strmap_release(&p->seen);
	mlb_strmap_release(&p->fingerprints);
	mlb_graph_free(p->graph);
	mlb_config_free(p->config);
	mlb_lockfile_release(&p->lock);
	mlb_arena_release(&p->arena);
	mlb_suspension_release(&p->own_suspension);
	free(p->override);
	mlb_strvec_release(&p->notes);
	free(p->cache_dir);
	free(p->vcs_why);
	free(p->cache_hint);
	free(p->name);
	free(p->state_dir);
	free(p->root);
	free(p);
}

int
mlb_project_child(struct mlb_project **out, struct mlb_project *parent, const char *const *param,
		  size_t n, struct mlb_err *err)
{
	struct mlb_project *p = mlb_calloc(1, sizeof(*p));
	int rc = 0;

	p->parent = parent;
	p->root = mlb_strdup(parent->root);
	p->state_dir = mlb_strdup(parent->state_dir);
	p->threads = parent->threads;
	p->db = parent->db;
	p->cas = parent->cas;
	p->results = parent->results;
	p->vcs = parent->vcs;
	p->vcs_tried = true;
	p->vcs_why = mlb_strdup(parent->vcs_why ? parent->vcs_why : "");
	p->cancel_fd = parent->cancel_fd;
	p->suspension = parent->suspension;
	mlb_lockfile_init(&p->lock);
	p->override = mlb_calloc(n + 1, sizeof(*p->override));
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_override(p, param[i], err);
	if (rc) {
		mlb_project_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

const char *
mlb_project_root(const struct mlb_project *p)
{
	return p->root;
}

const char *
mlb_project_name(struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (!p->name && mlb_project_config(p, &err) == 0)
		p->name = mlb_strdup(p->config->name);
	mlb_err_release(&err);
	return p->name ? p->name : "";
}

char *
mlb_project_path(const struct mlb_project *p, const char *rel)
{
	return mlb_asprintf("%s/%s", strcmp(p->root, "/") == 0 ? "" : p->root, rel);
}

void
mlb_cancel(struct mlb_project *p)
{
	uint64_t one = 1;
	int saved = errno;

	/* A full counter means that it was asked for already. */
	if (write(p->cancel_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

/* .mlbuild ignores itself, so that nobody has to. */
int
mlb_project_state_dir(struct mlb_project *p, struct mlb_err *err)
{
	char *ignore = mlb_asprintf("%s/.gitignore", p->state_dir);
	int rc = 0;

	/* Looked for is what is made last: whoever made the directory may have died then. */
	if (!mlb_fs_exists(ignore)) {
		rc = mlb_io_mkdirs(&mlb_io_os, p->state_dir, err);
		if (rc == 0)
			rc = mlb_fs_write(ignore, "*\n", 2, false, err);
	}
	free(ignore);
	return rc;
}

bool
mlb_project_may_write(const struct mlb_project *p)
{
	char *db = mlb_asprintf("%s/state.db", p->state_dir);
	bool may = mlb_fs_may_write(mlb_fs_exists(p->state_dir) ? p->state_dir : p->root) &&
		   (!mlb_fs_exists(db) || mlb_fs_may_write(db));
	int e = errno;

	free(db);
	errno = e;
	return may;
}

/* Whoever may not write the project reads it all the same, with a copy of the state. */
int
mlb_project_store(struct mlb_project *p, struct mlb_err *err)
{
	char *db = NULL;
	int rc = 0;

	if (p->db)
		return 0;
	db = mlb_asprintf("%s/state.db", p->state_dir);
	if (!mlb_project_may_write(p)) {
		rc = mlb_db_open_copy(&p->db, db, err);
	} else {
		rc = mlb_project_state_dir(p, err);
		if (rc == 0)
			rc = mlb_db_open(&p->db, db, err);
	}
	free(db);
	return rc;
}

int
mlb_project_write(struct mlb_project *p, struct mlb_err *err)
{
	char *db;
	int rc = mlb_project_store(p, err);

	if (rc || !mlb_db_is_copy(p->db))
		return rc;
	db = mlb_asprintf("%s/state.db", p->state_dir);
	if (mlb_project_may_write(p))
		errno = EACCES; /* by now, but we hold a copy */
	rc = mlb_err_errno(err, errno, "cannot write '%s': build in a copy of the project",
			   p->state_dir);
	free(db);
	return rc;
}

/* [cache] dir, or .mlbuild/cache; with the format's version below it. */
char *
mlb_project_cache_dir(const struct mlb_project *p)
{
	const char *dir = p->graph    ? mlb_g_str(p->graph, p->graph->cache_dir)
			  : p->config ? p->config->cache_dir
				      : p->cache_hint;

	if (p->cache_dir)
		return mlb_strdup(p->cache_dir);
	if (!dir || !dir[0])
		return mlb_asprintf("%s/cache/v1", p->state_dir);
	if (dir[0] == '/')
		return mlb_asprintf("%s/v1", dir);
	return mlb_asprintf("%s/%s/v1", p->root, dir);
}

/* Before anything is believed to be there. */
static void
begin_lease(struct mlb_project *p, const char *dir)
{
	char *who;

	if (p->lease.fd >= 0 || p->no_lease)
		return;
	who = mlb_asprintf("process %ld in '%s'", (long)getpid(), p->root);
	mlb_lease_begin(&p->lease, dir, who);
	free(who);
}

int
mlb_project_cache(struct mlb_project *p, struct mlb_err *err)
{
	char *dir;
	int rc = mlb_project_store(p, err);

	if (rc || p->results)
		return rc;
	dir = mlb_project_cache_dir(p);
	/* A cache that is made now has nothing that is old enough to go. */
	if (mlb_fs_exists(dir))
		begin_lease(p, dir);
	if (!p->cas)
		rc = mlb_cas_open_io(&p->cas, dir, p->db, &p->io, err);
	if (rc == 0)
		begin_lease(p, dir);
	if (rc == 0)
		rc = mlb_results_open_io(&p->results, dir, p->db, &p->io, err);
	free(dir);
	return rc;
}

int
mlb_project_past(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_err wrong = MLB_ERR_INIT;
	struct mlb_config *c = NULL;
	int rc = mlb_project_config(p, &wrong);

	if (rc == MLB_EINVALID && mlb_project_try_config(&c, p, NULL) == 0) {
		free(p->cache_hint);
		p->cache_hint = mlb_strdup(c->cache_dir);
		mlb_config_free(c);
		rc = 0;
	}
	if (rc)
		mlb_err_set(err, wrong.code, "%s", wrong.text);
	mlb_err_release(&wrong);
	return rc ? rc : mlb_project_cache(p, err);
}

void
mlb_project_close_cache(struct mlb_project *p)
{
	mlb_remotes_free(p->remotes);
	mlb_results_close(p->results);
	mlb_cas_close(p->cas);
	p->remotes = NULL;
	p->results = NULL;
	p->cas = NULL;
}

void
mlb_project_cache_moved(struct mlb_project *p)
{
	char *dir = mlb_project_cache_dir(p);

	if (!p->parent && p->cas && strcmp(mlb_cas_dir(p->cas), dir) != 0)
		mlb_project_close_cache(p);
	free(dir);
}

bool
mlb_project_shares_cache(const struct mlb_project *p)
{
	char *dir = mlb_project_cache_dir(p);
	bool shares = !mlb_path_inside(dir, p->state_dir);

	free(dir);
	return shares;
}

int
mlb_project_vcs(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_buf why = MLB_BUF_INIT(64 * MLB_KIB);
	int rc;

	if (p->vcs_tried)
		return 0;
	rc = mlb_vcs_open(&p->vcs, p->root, &why, err);
	if (rc == 0) {
		p->vcs_tried = true;
		p->vcs_why = mlb_buf_detach(&why);
	}
	mlb_buf_release(&why);
	return rc;
}

char *
mlb_user_config_dir(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return mlb_asprintf("%s/mlbuild", xdg);
	if (home && home[0] == '/')
		return mlb_asprintf("%s/.config/mlbuild", home);
	return NULL;
}

/* NULL if there is no home. */
static char *
user_config(void)
{
	char *dir = mlb_user_config_dir(), *file = NULL;

	if (dir)
		file = mlb_asprintf("%s/config.ini", dir);
	free(dir);
	return file;
}

int
mlb_project_config(struct mlb_project *p, struct mlb_err *err)
{
	char *user;
	int rc;

	if (p->config)
		return 0;
	user = user_config();
	rc = mlb_config_load(&p->config, p->root, user, p->override, p->n_overrides, err);
	free(user);
	return rc;
}

int
mlb_project_try_config(struct mlb_config **out, const struct mlb_project *p, struct mlb_err *err)
{
	char *user = user_config();
	int rc = mlb_config_try(out, p->root, user, p->override, p->n_overrides, err);

	free(user);
	return rc;
}

enum mlb_link
mlb_project_link(const struct mlb_project *p)
{
	const char *link = mlb_g_str(p->graph, p->graph->cache_link);

	return strcmp(link, "hardlink") == 0 ? MLB_LINK_HARD : MLB_LINK_COPY;
}
