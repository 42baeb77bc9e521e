#include "store/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/pool.h"
#include "store/scan_priv.h"
#include "store/scan_rows.h"
#include "store/tree.h"

#define BLOCK 512   /* paths that one task looks at */
#define SIBLINGS 12 /* files of a directory from which on opening it pays */

int
mlb_scan_init(struct mlb_scan *s, const char *root, const char *const *path, const uint8_t *want,
	      size_t n, struct mlb_db *db, unsigned threads, struct mlb_err *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot read directory '%s'", root);
	*s = (struct mlb_scan){
		.root = root, .path = path, .n = n, .db = db, .threads = MLB_MAX(threads, 1)
	};
	s->state = mlb_calloc(n + 1, sizeof(*s->state));
	s->own = mlb_calloc(1, sizeof(*s->own));
	s->own->root = fd;
	s->own->want = want;
	s->own->clock_dir = mlb_asprintf("%s/.mlbuild/tmp", root);
	pthread_mutex_init(&s->own->lock, NULL);
	return 0;
}

void
mlb_scan_release(struct mlb_scan *s)
{
	if (!s->own)
		return;
	for (size_t i = 0; i < s->n; i++)
		mlb_scan_take_walk(&s->state[i], NULL);
	for (size_t i = 0; s->own->problem && i < s->n; i++)
		free(s->own->problem[i]);
	free(s->own->problem);
	pthread_mutex_destroy(&s->own->lock);
	close(s->own->root);
	free(s->own->now);
	free(s->own->clock_dir);
	free(s->own);
	free(s->state);
	memset(s, 0, sizeof(*s));
}

/* ------------------------------------------------------------ rows and stats, side by side */

struct look {
	struct mlb_scan *s;
	struct mlb_stat *now; /* of each path */
	struct mlb_err err;   /* of reading the rows */
};

static void
take_row(struct mlb_path_state *p, const struct mlb_row *row)
{
	p->kind = row->kind;
	p->digest = row->digest;
	p->size = row->size;
	p->racy = row->flags & MLB_SEEN_RACY ? MLB_RACY_YES : MLB_RACY_NO;
	p->st = (struct mlb_stat){
		.ino = row->ino,
		.size = row->size,
		.mtime = row->mtime,
		.ctime = row->ctime,
		.nlink = row->flags & MLB_SEEN_LINKED ? 2 : 1,
		.exec = row->kind == MLB_P_EXEC,
		.type = row->kind == MLB_P_FILE || row->kind == MLB_P_EXEC ? MLB_F_FILE : MLB_F_DIR,
	};
}

static int
load_tree(struct mlb_path_state *p, struct mlb_rows *rows, const char *path, size_t len,
	  bool stored, struct mlb_err *err)
{
	int rc;

	p->walk = mlb_calloc(1, sizeof(*p->walk));
	p->walk->digest = p->digest;
	p->walk->size = p->size;
	p->walk->generation = p->st.ino;
	p->walk->stored = stored && p->st.ino;
	rc = mlb_rows_walk(rows, p->walk, path, len, err);
	if (mlb_digest_is_zero(&p->walk->digest)) /* damaged rows */
		mlb_scan_take_walk(p, NULL);
	return rc;
}

static int
load_rows(struct mlb_scan *s, struct mlb_err *err)
{
	struct mlb_rows rows;
	int rc = mlb_rows_open(&rows, s->db, err);

	for (size_t i = 0; i < s->n && rc == 0; i++) {
		struct mlb_path_state *p = &s->state[i];
		size_t len = strlen(s->path[i]);
		struct mlb_row row;
		bool found;

		rc = mlb_rows_find(&rows, &row, &found, s->path[i], len, err);
		if (rc < 0 || !found)
			continue;
		take_row(p, &row);
		if (p->kind == MLB_P_TREE && p->want == MLB_WANT_CONTENT &&
		    !mlb_digest_is_zero(&p->digest))
			rc = load_tree(p, &rows, s->path[i], len,
				       (row.flags & MLB_SEEN_STORED) != 0, err);
	}
	mlb_rows_close(&rows);
	return rc;
}

static void
look_at_path(struct look *l, size_t i)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_scan_look(l->s, i, &l->now[i], &err) < 0) {
		l->now[i].type = MLB_F_OTHER;
		mlb_scan_problem_add(l->s, i, &err);
	}
}

/* How many of the paths from i on are files of one directory, whose path is the first len bytes of each. */
static size_t
siblings(const struct mlb_scan *s, size_t i, size_t to, size_t *len)
{
	const char *slash = strrchr(s->path[i], '/');
	size_t n = 1;

	*len = slash ? (size_t)(slash - s->path[i]) + 1 : 0;
	while (slash && i + n < to && strncmp(s->path[i + n], s->path[i], *len) == 0 &&
	       !strchr(s->path[i + n] + *len, '/'))
		n++;
	return n;
}

/* Many files of one directory are found faster from there: it need not be looked up each time. */
static void
look_at_paths(struct look *l, size_t from, size_t to)
{
	const struct mlb_scan *s = l->s;

	while (from < to) {
		size_t len;
		size_t n = siblings(s, from, to, &len);
		char *dir = n >= SIBLINGS ? mlb_strndup(s->path[from], len) : NULL;
		int fd = dir ? mlb_open_at(s->own->root, NULL, dir, O_PATH | O_DIRECTORY) : -1;

		for (size_t end = from + n; from < end; from++)
			if (fd < 0 ||
			    mlb_stat_at(&l->now[from], fd, s->path[from] + len, false) != 0 ||
			    l->now[from].type == MLB_F_SYMLINK || l->now[from].type == MLB_F_OTHER)
				look_at_path(l, from);
		if (fd >= 0)
			close(fd);
		free(dir);
	}
}

static void
look_at_block(void *ctx, size_t block)
{
	struct look *l = ctx;

	look_at_paths(l, block * BLOCK, MLB_MIN(l->s->n, (block + 1) * BLOCK));
}

/* The first task reads the rows meanwhile. */
static void
look_at(void *ctx, size_t task)
{
	struct look *l = ctx;

	if (task > 0) {
		look_at_block(l, task - 1);
		return;
	}
	if (l->s->db)
		load_rows(l->s, &l->err);
	mlb_scan_digest(&l->s->rows, l->s);
}

static size_t
n_blocks(const struct mlb_scan *s)
{
	return (s->n + BLOCK - 1) / BLOCK;
}

const struct mlb_stat *
mlb_scan_stats(struct mlb_scan *s)
{
	struct look l = { s, s->own->now, MLB_ERR_INIT };

	if (!l.now) {
		l.now = s->own->now = mlb_calloc(s->n + 1, sizeof(*l.now));
		mlb_parallel(n_blocks(s), 1, s->threads, look_at_block, &l);
	}
	return l.now;
}

int
mlb_scan_run(struct mlb_scan *s, struct mlb_err *err)
{
	struct look l = { s, s->own->now, MLB_ERR_INIT };
	int rc = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint8_t want = s->own->want ? s->own->want[i] : (uint8_t)MLB_WANT_CONTENT;
		bool source = s->state[i].source;

		mlb_scan_take_walk(&s->state[i], NULL);
		s->state[i] = (struct mlb_path_state){ .want = want, .source = source };
	}
	s->own->now = NULL;
	if (l.now) {
		look_at(&l, 0);
	} else {
		l.now = mlb_calloc(s->n + 1, sizeof(*l.now));
		mlb_parallel(1 + n_blocks(s), 1, s->threads, look_at, &l);
	}
	if (l.err.code != MLB_OK) {
		rc = mlb_err_set(err, l.err.code, "%s", l.err.text);
		mlb_err_release(&l.err);
	} else {
		struct mlb_examine x = {
			.s = s, .n = s->n, .now = l.now, .unless = s->unless, .ask = true
		};

		mlb_scan_examine(&x);
		if (x.stopped)
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	}
	free(l.now);
	return rc;
}
