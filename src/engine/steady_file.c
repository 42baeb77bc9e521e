/*
 * .mlbuild/steady, in this machine's byte order and only for the program that wrote it:
 *
 * offset  size
 *      0     8  "MLBREST", 1
 *      8     4  0x01020304 in the writer's byte order
 *     12     4  number of closures
 *     16     8  number of paths
 *     24     8  inode of state.db
 *     32    32  id of the graph
 *     64    32  mlbuild.lock: inode, size, mtime, ctime, 8 bytes each; all zero: absent
 *     96    32  .gitignore: the same
 *    128     8  mlb_hash64 of all that follows, seed 1
 *    136    80  each: a closure (struct mlb_steady)
 *           40  each: a path of the graph, in its order (struct seen)
 */
#include "engine/steady_file.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "engine/builder.h"

#define MAGIC "MLBREST\1"
#define ORDER 0x01020304U
#define SEED 1
enum { MAX_BYTES = 1 << 30 };

struct head {
	char magic[8];
	uint32_t order, n_said;
	uint64_t n_paths;
	uint64_t db_ino;
	struct mlb_digest graph;
	struct mlb_file_mark lock, ignore;
	uint64_t sum;
};

enum { SEEN_EXEC = 1, SEEN_LINKED = 2 /* it had several names: then ctime says nothing */ };

struct seen {
	uint64_t ino, size;
	int64_t mtime, ctime;
	uint8_t type; /* enum mlb_ftype */
	uint8_t flags;
	uint8_t only_type; /* 1: of the rest nothing matters */
	uint8_t zero[5];
};

_Static_assert(sizeof(struct head) == 136, "the head has no padding");
_Static_assert(sizeof(struct mlb_steady) == 80, "a closure has no padding");
_Static_assert(sizeof(struct seen) == 40, "a path has no padding");

static char *
path_of(const struct mlb_project *p)
{
	return mlb_asprintf("%s/steady", p->state_dir);
}

static uint64_t
db_ino(const struct mlb_project *p)
{
	char *path = mlb_asprintf("%s/state.db", p->state_dir);
	struct mlb_stat st;
	uint64_t ino = mlb_fs_lstat(&st, path, NULL) == 0 ? st.ino : 0;

	free(path);
	return ino;
}

bool
mlb_steady_file_there(const struct mlb_project *p, const struct mlb_build *opt)
{
	char *path;
	bool there;

	if (mlb_is_variant(p) || p->db || p->scanned || p->adopting || opt->force || opt->update ||
	    opt->only || opt->downstream || opt->locked)
		return false;
	path = path_of(p);
	there = mlb_fs_exists(path) && mlb_project_may_write(p);
	free(path);
	return there;
}

void
mlb_steady_file_drop(const struct mlb_project *p)
{
	char *path = path_of(p);

	(void)unlink(path);
	free(path);
}

/* ---------------------------------------------------------- whether it holds */

/* The head, what follows it being whole; NULL: it is none of ours. */
static const struct head *
check(const struct mlb_buf *text)
{
	const struct head *h = (const void *)text->data;
	size_t rest = text->len - MLB_MIN(text->len, sizeof(*h));

	if (text->len < sizeof(*h) || memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0 ||
	    h->order != ORDER || h->n_said > rest / sizeof(struct mlb_steady) ||
	    h->n_paths > rest / sizeof(struct seen) ||
	    rest != h->n_said * sizeof(struct mlb_steady) + h->n_paths * sizeof(struct seen) ||
	    mlb_hash64(h + 1, rest, SEED) != h->sum)
		return NULL;
	return h;
}

static bool
fits(const struct seen *s, const struct mlb_stat *now)
{
	if (s->type != now->type ||
	    !(s->flags & SEEN_EXEC) != !(now->type == MLB_F_FILE && now->exec))
		return false;
	if (s->only_type)
		return true;
	return s->ino == now->ino && s->size == now->size && s->mtime == now->mtime &&
	       (s->ctime == now->ctime || (s->flags & SEEN_LINKED && now->nlink > 1));
}

static bool
same_mark(const struct mlb_file_mark *a, const struct mlb_file_mark *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool
all_fit(struct mlb_project *p, const struct head *h, const struct seen *seen)
{
	struct mlb_file_mark lock, ignore;
	const struct mlb_stat *now;

	if (mlb_project_mark_lock(p, &lock, NULL) != 0 || !same_mark(&lock, &h->lock))
		return false;
	ignore = mlb_gitignore_mark(p);
	if (!same_mark(&ignore, &h->ignore) || db_ino(p) != h->db_ino || !mlb_project_env_holds(p))
		return false;
	now = mlb_scan_stats(&p->scan);
	for (size_t i = 0; i < h->n_paths; i++)
		if (!fits(&seen[i], &now[i]))
			return false;
	return true;
}

bool
mlb_steady_file_holds(struct mlb_steady *out, struct mlb_project *p,
		      const struct mlb_plan_options *o)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_BYTES);
	char *path = path_of(p);
	const struct head *h = NULL;
	struct mlb_digest closure;
	bool holds = false;

	if (mlb_fs_read(&text, path, NULL) == 0)
		h = check(&text);
	if (h && mlb_project_peek(p) && mlb_digest_equal(&h->graph, &p->graph->id) &&
	    h->n_paths == p->graph->n_paths &&
	    mlb_steady_closure(&closure, p, o, NULL, NULL) == 0) {
		const struct mlb_steady *said = (const void *)(h + 1);

		for (uint32_t i = 0; i < h->n_said && !holds; i++) {
			*out = said[i];
			holds = mlb_digest_equal(&said[i].closure, &closure);
		}
		holds = holds && all_fit(p, h, (const void *)(said + h->n_said));
	}
	free(path);
	mlb_buf_release(&text);
	return holds;
}

/* ---------------------------------------------------------- writing it */

/* false: its stat does not prove what it holds. */
static bool
see(struct seen *s, const struct mlb_path_state *state)
{
	bool only_type = state->want == MLB_WANT_EXISTS || state->kind == MLB_P_ABSENT;

	if (state->kind == MLB_P_BAD || state->kind == MLB_P_UNKNOWN ||
	    (!only_type && (state->racy != MLB_RACY_NO || state->kind == MLB_P_TREE)))
		return false;
	*s = (struct seen){ .type = (uint8_t)state->st.type, .only_type = only_type };
	if (state->st.type == MLB_F_FILE && state->st.exec)
		s->flags |= SEEN_EXEC;
	if (only_type)
		return true;
	if (state->st.type == MLB_F_FILE && state->st.nlink > 1)
		s->flags |= SEEN_LINKED;
	s->ino = state->st.ino;
	s->size = state->st.size;
	s->mtime = state->st.mtime;
	s->ctime = state->st.ctime;
	return true;
}

/* Of the closures that state.db has those that are said of this very state. */
static int
add_said(struct mlb_buf *out, struct head *h, struct mlb_project *p)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_BYTES);
	struct mlb_digest paths;
	int rc = mlb_steady_read(p, &text, NULL);

	mlb_scan_digest(&paths, &p->scan);
	for (size_t at = 0; rc == 0 && at < text.len; at += sizeof(struct mlb_steady)) {
		struct mlb_steady said;

		memcpy(&said, text.data + at, sizeof(said));
		if (!mlb_digest_equal(&said.paths, &paths))
			continue;
		mlb_buf_add(out, &said, sizeof(said));
		h->n_said++;
	}
	mlb_buf_release(&text);
	return rc;
}

void
mlb_steady_file_write(struct mlb_project *p)
{
	struct head h = { .magic = MAGIC, .order = ORDER, .graph = p->graph->id };
	struct mlb_buf out = MLB_BUF_INIT(MAX_BYTES);
	bool good = true;

	h.n_paths = p->scan.n;
	h.db_ino = db_ino(p);
	h.ignore = mlb_gitignore_mark(p);
	mlb_buf_add(&out, &h, sizeof(h));
	good = mlb_project_mark_lock(p, &h.lock, NULL) == 0 && add_said(&out, &h, p) == 0;
	for (size_t i = 0; i < p->scan.n && good; i++) {
		struct seen s;

		good = see(&s, &p->scan.state[i]);
		if (good)
			mlb_buf_add(&out, &s, sizeof(s));
	}
	if (good && mlb_buf_check(&out, "steady", NULL) == 0) {
		char *path = path_of(p);

		h.sum = mlb_hash64(out.data + sizeof(h), out.len - sizeof(h), SEED);
		memcpy(out.data, &h, sizeof(h));
		(void)mlb_fs_write(path, out.data, out.len, false, NULL);
		free(path);
	}
	mlb_buf_release(&out);
}
