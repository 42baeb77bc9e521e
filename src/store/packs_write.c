/* Packs of a directory: finding what others wrote, appending, syncing. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strmap.h"
#include "os/fs.h"
#include "store/pack_format.h"
#include "store/packs_priv.h"

#define WORTH (16 * MLB_MIB) /* bytes from which on another pack is begun rather than waited for */
#define MOST 8               /* packs that one process appends to at once */
#define MUCH (64 * MLB_MIB)  /* bytes after which what one process appends is not all read soon */

/* ---------------------------------------------------------- what others wrote */

struct blobs {
	MLB_VEC(struct mlb_blob) blob;
	uint8_t type;
};

static int
collect(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct blobs *found = ctx;

	(void)err;
	if (b->type == found->type)
		mlb_vec_push(&found->blob, *b);
	return 0;
}

/* Only what is durable may come here. */
static int
deliver(struct mlb_packs *p, struct mlb_packfile *f, struct blobs *found, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < found->blob.n && rc == 0; i++)
		rc = p->found(p->ctx, f, &found->blob.v[i], err);
	mlb_vec_release(&found->blob);
	return rc;
}

/* What another user wrote is read once before it is believed. */
static bool
is_ours(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == geteuid();
}

static int
look_into_sealed(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	struct blobs found = { .type = p->type };
	char *path = mlb_asprintf("%s/%s", p->dir, f->name);
	int rc = is_ours(path) ? mlb_pack_each(path, 0, collect, &found, err)
			       : mlb_pack_each_read(path, collect, &found, err);

	free(path);
	if (rc)
		mlb_vec_release(&found.blob);
	return rc ? rc : deliver(p, f, &found, err);
}

/* A writer that was just taken: find its end, and what it holds beyond what f says is known. */
static int
adopt(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_pack_writer *w, struct mlb_err *err)
{
	struct blobs found = { .type = p->type };
	int rc = mlb_pack_recover(w, f->synced, collect, &found, err);

	/* Its last owner may have died before it, or its name, was synced. */
	if (rc == 0 && found.blob.n)
		rc = mlb_pack_datasync(w, err);
	if (rc == 0 && found.blob.n)
		rc = mlb_fs_sync_dir(p->dir, err);
	if (rc) {
		mlb_vec_release(&found.blob);
		return rc;
	}
	if (found.blob.n)
		f->synced = mlb_pack_writer_size(w);
	else
		f->synced = MLB_MIN(f->synced, mlb_pack_writer_size(w));
	f->row = MLB_ROW_STALE;
	return deliver(p, f, &found, err);
}

/* An open pack that nobody holds may have blobs that we do not know. */
static void
look_into_open(struct mlb_packs *p, struct mlb_packfile *f, const char *name)
{
	struct mlb_pack_writer *w;
	struct mlb_stat st = { .size = 0 };
	char *path = mlb_asprintf("%s/%s", p->dir, name);

	mlb_fs_lstat(&st, path, NULL);
	free(path);
	if (st.size <= (f ? f->synced : MLB_PACK_HEAD))
		return;
	if (mlb_pack_writer_take_io(&w, p->dir, name, p->io, NULL)) {
		p->skipped = true;
		return;
	}
	if (!f)
		f = mlb_packs_add(p, name);
	if (adopt(p, f, w, NULL))
		p->skipped = true;
	else
		f->again = false;
	mlb_pack_writer_close(w);
}

static void
look_into(struct mlb_packs *p, struct mlb_packfile *f, const char *name)
{
	if (mlb_pack_name_open(name)) {
		if (f && f->again && !f->writer)
			f->synced = 0;
		if (!f || !f->writer)
			look_into_open(p, f, name);
	} else if (mlb_pack_name_sealed(name) && f && f->again) {
		f->again = look_into_sealed(p, f, NULL) != 0;
		f->row = MLB_ROW_STALE;
	} else if (mlb_pack_name_sealed(name) && !f) {
		f = mlb_packs_add(p, name);
		/* Who sealed it may not have come to syncing its name. */
		p->dir_dirty = true;
		if (look_into_sealed(p, f, NULL)) {
			mlb_packs_drop_last(p); /* it cannot be read, or is of a later version */
			p->skipped = true;
		}
	}
}

int
mlb_packs_refresh(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_strmap names = MLB_STRMAP_INIT, present = MLB_STRMAP_INIT;
	struct mlb_stat st;
	int rc = mlb_packs_load(p, err);

	if (rc == 0)
		rc = mlb_fs_stat(&st, p->dir, err);
	if (rc == 0)
		rc = mlb_fs_list(&list, p->dir, err);
	if (rc)
		goto done;
	p->listed = st.mtime;
	p->racy = mlb_packs_racy(st.mtime);
	p->skipped = false;
	for (size_t i = 0; i < p->file.n; i++)
		mlb_strmap_set(&names, p->file.v[i]->name, p->file.v[i]);
	for (size_t i = 0; i < list.n; i++)
		mlb_strmap_set(&present, list.v[i].name, p);
	for (size_t i = 0; i < p->file.n; i++) {
		struct mlb_packfile *f = p->file.v[i];

		bool was_gone = f->gone;

		f->gone = !f->writer && !mlb_strmap_get(&present, f->name);
		f->again |= was_gone && !f->gone;
	}
	for (size_t i = 0; i < list.n; i++)
		look_into(p, mlb_strmap_get(&names, list.v[i].name), list.v[i].name);
done:
	mlb_strmap_release(&present);
	mlb_strmap_release(&names);
	mlb_dirents_release(&list);
	return rc;
}

int
mlb_packs_find_all(struct mlb_packs *p, struct mlb_err *err)
{
	int rc = mlb_packs_load(p, err);

	for (size_t i = 0; i < p->file.n; i++)
		p->file.v[i]->again = p->file.v[i]->writer == NULL;
	return rc ? rc : mlb_packs_refresh(p, err);
}

/* An open pack that we know: has it grown? */
static bool
has_grown(const struct mlb_packs *p, const struct mlb_packfile *f)
{
	char *path = mlb_asprintf("%s/%s", p->dir, f->name);
	struct mlb_stat st;
	bool grown = mlb_fs_lstat(&st, path, NULL) == 0 && st.type == MLB_F_FILE &&
		     st.size > MLB_MAX(f->synced, MLB_PACK_HEAD);

	free(path);
	return grown;
}

bool
mlb_packs_grown(struct mlb_packs *p)
{
	bool grown = false;

	if (!p->loaded)
		mlb_packs_load(p, NULL);
	for (size_t i = 0; i < p->file.n && !grown; i++) {
		const struct mlb_packfile *f = p->file.v[i];

		grown = !f->writer && !f->gone && mlb_pack_name_open(f->name) && has_grown(p, f);
	}
	return grown;
}

bool
mlb_packs_look_again(struct mlb_packs *p)
{
	struct mlb_stat st;

	if (mlb_fs_stat(&st, p->dir, NULL) != 0 || st.type != MLB_F_DIR)
		return false;
	if (!p->skipped && !p->racy && st.mtime == p->listed && !mlb_packs_grown(p))
		return false;
	return mlb_packs_refresh(p, NULL) == 0;
}

/* Our own open pack again, as far as it is durable. */
static int
look_into_own(struct mlb_packs *p, struct mlb_packfile *f, struct mlb_err *err)
{
	struct blobs found = { .type = p->type };
	uint64_t end;
	int rc =
		mlb_pack_scan(f->fd, f->name, MLB_PACK_HEAD, f->synced, collect, &found, &end, err);

	if (rc)
		mlb_vec_release(&found.blob);
	return rc ? rc : deliver(p, f, &found, err);
}

int
mlb_packs_again(struct mlb_packs *p, struct mlb_err *err)
{
	int rc = mlb_packs_forget(p, err);

	for (size_t i = 0; i < p->file.n && rc == 0; i++)
		if (p->file.v[i]->writer)
			rc = look_into_own(p, p->file.v[i], err);
	return rc ? rc : mlb_packs_refresh(p, err);
}

/* ---------------------------------------------------------- appending */

static int
begin(struct mlb_packs *p, struct mlb_err *err)
{
	struct mlb_pack_writer *w = NULL;
	struct mlb_packfile *f;
	int rc = p->loaded ? 0 : mlb_packs_load(p, err);

	if (rc == 0)
		rc = mlb_pack_writer_open_io(&w, p->dir, p->io, err);
	if (rc)
		return rc;
	f = mlb_packs_by_name(p, mlb_pack_writer_name(w));
	if (!f)
		f = mlb_packs_add(p, mlb_pack_writer_name(w));
	/* What was synced before, was so with the pack's name; else who knows. */
	if (f->synced <= MLB_PACK_HEAD)
		p->dir_dirty = true;
	rc = adopt(p, f, w, err);
	if (rc == 0)
		rc = mlb_packs_open_fd(p, f, err);
	if (rc) {
		mlb_pack_writer_close(w);
		return rc;
	}
	f->writer = w;
	mlb_vec_push(&p->current, f);
	return 0;
}

void
mlb_packs_wait(struct mlb_packs *p, const struct mlb_packfile *f)
{
	while (f->busy)
		pthread_cond_wait(&p->idle, p->lock);
}

static void
not_current(struct mlb_packs *p, const struct mlb_packfile *f)
{
	size_t n = 0;

	for (size_t i = 0; i < p->current.n; i++)
		if (p->current.v[i] != f)
			p->current.v[n++] = p->current.v[i];
	p->current.n = n;
}

/* One to append to that nobody is at work on. */
static int
take_current(struct mlb_packs *p, struct mlb_packfile **out, struct mlb_err *err)
{
	for (;;) {
		for (size_t i = 0; i < p->current.n && !p->settling; i++)
			if (!p->current.v[i]->busy) {
				*out = p->current.v[i];
				return 0;
			}
		if (!p->settling &&
		    (p->current.n == 0 || (p->appended >= WORTH && p->current.n < MOST))) {
			int rc = begin(p, err);

			if (rc)
				return rc;
			continue;
		}
		pthread_cond_wait(&p->idle, p->lock);
	}
}

int
mlb_packs_append(struct mlb_packs *p, struct mlb_packfile **file, struct mlb_blob *out,
		 const struct mlb_digest *digest, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_packfile *f;
	bool full = false, is_much;
	int rc = take_current(p, &f, err);

	if (rc)
		return rc;
	is_much = p->appended >= MUCH;
	if (p->lock) {
		f->busy = true;
		pthread_mutex_unlock(p->lock);
	}
	if (is_much)
		mlb_pack_write_past(f->writer);
	rc = mlb_pack_append(f->writer, out, p->type, digest, data, len, err);
	if (rc == 0 && mlb_pack_writer_size(f->writer) >= MLB_PACK_FULL)
		full = mlb_pack_flush(f->writer, NULL) == 0; /* else the next one tries again */
	if (p->lock) {
		pthread_mutex_lock(p->lock);
		f->busy = false;
		pthread_cond_broadcast(&p->idle);
	}
	if (full) {
		f->full = true;
		p->n_full++;
		not_current(p, f);
	}
	if (rc == 0) {
		p->appended += len;
		*file = f;
	}
	return rc;
}

/* ---------------------------------------------------------- syncing */

void
mlb_packs_settle(struct mlb_packs *p)
{
	/* Nobody begins meanwhile: with many that append there would be no end. */
	p->settling = true;
	for (size_t i = 0; i < p->file.n; i++)
		mlb_packs_wait(p, p->file.v[i]);
	p->settling = false;
	if (p->lock)
		pthread_cond_broadcast(&p->idle);
}

int
mlb_packs_sync_begin(struct mlb_packs *p, struct mlb_packs_sync *s, struct mlb_err *err)
{
	int rc = 0;

	memset(s, 0, sizeof(*s));
	s->dir = p->dir_dirty;
	p->dir_dirty = false;
	for (size_t i = 0; i < p->file.n; i++) {
		struct mlb_packfile *f = p->file.v[i];
		struct mlb_packs_item item = { .file = f };

		mlb_packs_wait(p, f);
		item.seal = f->full;
		if (!f->writer || f->stuck ||
		    (!f->full && mlb_pack_writer_size(f->writer) <= f->synced))
			continue;
		if (rc == 0 && !f->full)
			rc = mlb_pack_flush(f->writer, err);
		item.size = mlb_pack_writer_size(f->writer);
		mlb_vec_push(&s->item, item);
	}
	return rc;
}

/* A pack that cannot be sealed now (a full disk) is whole all the same if it can be synced. */
static int
sync_item(struct mlb_packs_item *item, struct mlb_err *err)
{
	struct mlb_buf name = MLB_BUF_INIT(256);

	if (item->seal && mlb_pack_seal(item->file->writer, &name, NULL) == 0)
		item->sealed = mlb_buf_detach(&name);
	mlb_buf_release(&name);
	return item->sealed ? 0 : mlb_pack_datasync(item->file->writer, err);
}

int
mlb_packs_sync_run(struct mlb_packs *p, struct mlb_packs_sync *s, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->item.n && rc == 0; i++)
		rc = sync_item(&s->item.v[i], err);
	if (rc == 0 && s->dir)
		rc = mlb_io_sync_dir(p->io, p->dir, err);
	return rc;
}

static void
became_sealed(struct mlb_packs *p, struct mlb_packfile *f, char *name)
{
	p->n_full -= f->full;
	mlb_pack_writer_close(f->writer);
	f->writer = NULL;
	f->full = false;
	free(f->old_name);
	f->old_name = f->name;
	f->name = name;
	f->row = MLB_ROW_STALE;
}

/* Nobody knows what of it is on the disk: keep what was synced before, and continue elsewhere. */
static void
give_up(struct mlb_packs *p, struct mlb_packfile *f)
{
	mlb_packs_wait(p, f);
	not_current(p, f);
	/* While we hold its lock nobody takes what cannot be cut off for durable. */
	f->stuck = !mlb_pack_cut(f->writer, f->synced);
	p->n_full -= f->full;
	f->full = false;
	if (f->stuck)
		return;
	mlb_pack_writer_close(f->writer);
	f->writer = NULL;
}

void
mlb_packs_sync_end(struct mlb_packs *p, struct mlb_packs_sync *s, bool synced)
{
	for (size_t i = 0; i < s->item.n; i++) {
		struct mlb_packs_item *item = &s->item.v[i];
		struct mlb_packfile *f = item->file;

		if (item->sealed) {
			became_sealed(p, f, item->sealed);
			/* It is durable, whatever became of the others. */
			if (!synced)
				look_into_sealed(p, f, NULL);
		} else if (synced) {
			f->synced = item->size;
		} else {
			give_up(p, f);
		}
	}
	if (!synced && s->dir)
		p->dir_dirty = true;
	mlb_vec_release(&s->item);
}
