/*
 * Large files: cut into chunks, of which those that are new go into packs, and a list
 * of all of them, which stands for the file.
 *
 * The owner reads and cuts; windows of chunks are hashed, compressed and packed by the
 * crew, and sent from there unless little of them is new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/push.h"
#include "store/chunker.h"

#define WORTH (16 * MLB_MIB) /* bytes of new chunks that are a pack of their own */

struct file {
	struct mlb_chunks list;
	unsigned windows; /* that are not hashed yet; under the lock */
	bool cut;         /* to its end */
};

struct mlb_push_window {
	struct mlb_step step;
	struct mlb_push_window *next; /* of those that wait to be put together */
	struct mlb_pushing *p;
	struct file *file;
	uint8_t *data;
	size_t len;
	size_t first; /* chunk of the file */
	MLB_VEC(struct mlb_chunk) chunk;
	struct mlb_remote_packing packing;
};

/* ---------------------------------------------------------- hashing, by the crew */

/* Is it in no pack yet, and nobody's task? Then it is ours. */
static bool
claim(struct mlb_pushing *p, const struct mlb_digest *digest)
{
	bool is_new = !mlb_push_is_there(p, digest);

	if (!is_new)
		return false;
	mlb_crew_lock(p->crew);
	is_new = mlb_digest_set_add(&p->claimed, digest);
	mlb_crew_unlock(p->crew);
	return is_new;
}

static int
pack_chunks(struct mlb_push_window *w, uint64_t *saved, struct mlb_err *err)
{
	const uint8_t *at = w->data;
	int rc = 0;

	for (size_t i = 0; i < w->chunk.n && rc == 0; i++) {
		struct mlb_chunk *c = &w->chunk.v[i];

		mlb_sha256_of(&c->digest, at, c->size);
		if (claim(w->p, &c->digest))
			rc = mlb_remote_packing_add(&w->packing, MLB_BLOB_OBJECT, &c->digest, at,
						    c->size, &c->digest, c->size, err);
		else
			*saved += c->size;
		at += c->size;
	}
	return rc;
}

/* What the owner does with it now depends on how much of it is new. */
static void
hash_window(struct mlb_step *s)
{
	struct mlb_push_window *w = (struct mlb_push_window *)s;
	struct mlb_pushing *p = w->p;
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t saved = 0;
	bool on_its_own;
	int rc;

	mlb_remote_packing_init(&w->packing, w->len + MLB_MIB);
	rc = pack_chunks(w, &saved, &err);
	free(w->data);
	w->data = NULL;
	if (rc)
		mlb_push_failed(p, rc, &err);
	on_its_own = rc == 0 && w->packing.bytes.len >= WORTH;
	if (on_its_own)
		mlb_push_send(p, &w->packing);
	mlb_crew_lock(p->crew);
	for (size_t i = 0; i < w->chunk.n; i++)
		w->file->list.chunk.v[w->first + i].digest = w->chunk.v[i].digest;
	w->file->windows--;
	p->report->saved_chunks += saved;
	w->next = p->emptied;
	p->emptied = w;
	if (!on_its_own)
		p->in_flight--;
	mlb_crew_changed(p->crew);
	mlb_crew_unlock(p->crew);
}

/* ---------------------------------------------------------- what is left over */

static int
rest_for(struct mlb_pushing *p, size_t more, struct mlb_err *err)
{
	int rc = 0;

	if (p->has_rest && (p->rest.bytes.len + more > MLB_PUSH_PACK + MLB_PUSH_PACK / 2 ||
			    p->rest.entry.n >= MLB_PUSH_PACK_OBJECTS))
		rc = mlb_push_send_rest(p, err);
	if (rc == 0 && !p->has_rest) {
		mlb_remote_packing_init(&p->rest, MLB_MIB);
		p->has_rest = true;
	}
	return rc;
}

static int
take_over(struct mlb_pushing *p, const struct mlb_remote_packing *from, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < from->blob.n && rc == 0; i++) {
		const struct mlb_blob *b = &from->blob.v[i];

		rc = rest_for(p, (size_t)b->stored, err);
		if (rc == 0)
			rc = mlb_remote_packing_move(&p->rest, from, i, err);
	}
	return rc;
}

/* Of windows that are through; after a failure they only go. */
static int
take_emptied(struct mlb_pushing *p, int rc, struct mlb_err *err)
{
	struct mlb_push_window *w, *next;

	mlb_crew_lock(p->crew);
	w = p->emptied;
	p->emptied = NULL;
	mlb_crew_unlock(p->crew);
	for (; w; w = next) {
		next = w->next;
		if (rc == 0)
			rc = take_over(p, &w->packing, err);
		mlb_remote_packing_release(&w->packing);
		mlb_vec_release(&w->chunk);
		free(w);
	}
	return rc;
}

/* ---------------------------------------------------------- cutting, by the owner */

/* Fill the window from `at` on; how much of the file is left then. */
static int
fill(struct mlb_push_window *w, int fd, uint64_t at, size_t want, struct mlb_err *err)
{
	while (w->len < want) {
		ssize_t n = pread(fd, w->data + w->len, want - w->len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mlb_err_errno(err, errno, "cannot read an object of the cache");
		if (n == 0)
			return mlb_err_set(err, MLB_ECORRUPT,
					   "an object of the cache was cut while it was read");
		w->len += (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

/* Cut what is surely cut so whatever follows; the rest, which is not, stays behind. */
static size_t
cut(struct mlb_push_window *w, const struct mlb_chunker *c, bool is_end)
{
	size_t at = 0;

	while (at < w->len && (is_end || w->len - at >= c->most)) {
		struct mlb_chunk one = { .size = 0 };

		one.size = (uint32_t)mlb_chunker_cut(c, w->data + at, w->len - at);
		mlb_vec_push(&w->chunk, one);
		at += one.size;
	}
	return at;
}

static int
start_window(struct mlb_pushing *p, struct mlb_push_window *w)
{
	struct file *f = w->file;

	w->step.work = hash_window;
	mlb_crew_lock(p->crew);
	w->first = f->list.chunk.n;
	for (size_t i = 0; i < w->chunk.n; i++)
		mlb_vec_push(&f->list.chunk, w->chunk.v[i]);
	f->windows++;
	mlb_crew_unlock(p->crew);
	mlb_crew_add(p->crew, &w->step);
	return 0;
}

static struct mlb_push_window *
window_new(struct mlb_pushing *p, struct file *f)
{
	struct mlb_push_window *w = mlb_calloc(1, sizeof(*w));

	w->p = p;
	w->file = f;
	return w;
}

static void
window_free(struct mlb_push_window *w)
{
	mlb_vec_release(&w->chunk);
	free(w->data);
	free(w);
}

static int
cut_file(struct mlb_pushing *p, struct file *f, int fd, struct mlb_err *err)
{
	struct mlb_chunker c;
	uint64_t at = 0;
	int rc = 0;

	mlb_chunker_init(&c, f->list.size);
	while (rc == 0 && at < f->list.size) {
		struct mlb_push_window *w = window_new(p, f);
		size_t want = (size_t)MLB_MIN(MLB_PUSH_WINDOW, f->list.size - at);

		rc = mlb_push_begin(p, err);
		if (rc == 0) {
			w->data = mlb_alloc(want);
			rc = fill(w, fd, at, want, err);
			if (rc)
				mlb_push_end(p);
		}
		if (rc) {
			window_free(w);
			break;
		}
		w->len = cut(w, &c, at + want == f->list.size);
		at += w->len;
		rc = start_window(p, w);
		if (rc == 0)
			rc = take_emptied(p, 0, err);
	}
	f->cut = rc == 0;
	return rc;
}

/* All its chunks are known: the list that stands for it. */
static int
list_file(struct mlb_pushing *p, struct file *f, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_REMOTE_PACK_MAX / 2);
	struct mlb_digest d;
	int rc;

	mlb_chunks_format(&text, &f->list);
	rc = mlb_buf_check(&text, "a list of chunks", err);
	if (rc == 0)
		rc = rest_for(p, text.len, err);
	if (rc == 0) {
		mlb_sha256_of(&d, text.data, text.len);
		rc = mlb_remote_packing_add(&p->rest, MLB_BLOB_CHUNKS, &d, text.data, text.len,
					    &f->list.file, f->list.size, err);
	}
	if (rc == 0)
		mlb_remote_view_put_list(p->t->view, &f->list.file, text.data, text.len);
	mlb_buf_release(&text);
	return rc;
}

static int
begin_file(struct mlb_pushing *p, struct file *f, const struct mlb_digest *digest,
	   struct mlb_err *err)
{
	struct stat st;
	int rc = 0, fd = -1;

	/* Once it has been read to its end it is too late to find out that it was damaged. */
	if (!mlb_cas_sure(p->t->cas, digest) ||
	    mlb_cas_open_large(p->t->cas, &fd, digest, NULL) != 0) {
		mlb_push_missing(p, digest);
		return 0;
	}
	if (fstat(fd, &st) != 0)
		rc = mlb_err_errno(err, errno, "cannot examine an object of the cache");
	f->list.file = *digest;
	f->list.size = rc ? 0 : (uint64_t)st.st_size;
	if (rc == 0)
		rc = cut_file(p, f, fd, err);
	close(fd);
	return rc;
}

static bool
is_hashed(struct mlb_pushing *p, const struct file *f)
{
	bool hashed;

	mlb_crew_lock(p->crew);
	hashed = f->cut && !f->windows && !p->rc;
	mlb_crew_unlock(p->crew);
	return hashed;
}

/* Lists of files that are through, in order. */
static int
list_files(struct mlb_pushing *p, struct file *all, size_t *listed, size_t n, struct mlb_err *err)
{
	int rc = take_emptied(p, 0, err);

	while (rc == 0 && *listed < n) {
		struct file *f = &all[*listed];

		if (f->cut && !is_hashed(p, f))
			break;
		if (f->cut)
			rc = list_file(p, f, err);
		mlb_chunks_release(&f->list);
		++*listed;
	}
	return rc;
}

int
mlb_push_large(struct mlb_pushing *p, struct mlb_err *err)
{
	struct file *all = mlb_calloc(p->large.n + 1, sizeof(*all));
	size_t listed = 0;
	int rc = 0;

	for (size_t i = 0; i < p->large.n && rc == 0; i++) {
		rc = begin_file(p, &all[i], &p->large.v[i].digest, err);
		if (rc == 0)
			rc = list_files(p, all, &listed, i + 1, err);
	}
	if (rc == 0)
		rc = mlb_push_wait(p, err);
	if (rc == 0)
		rc = list_files(p, all, &listed, p->large.n, err);
	/* After a failure too: windows that are not through point here. */
	mlb_push_drain(p);
	take_emptied(p, MLB_EINTERRUPTED, NULL);
	for (size_t i = listed; i < p->large.n; i++)
		mlb_chunks_release(&all[i].list);
	free(all);
	return rc;
}
