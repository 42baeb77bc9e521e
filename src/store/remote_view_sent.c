/* What a remote will have once this push is through, what it has wrong, and lists of chunks. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/clock.h"
#include "os/fs.h"
#include "store/remote_view_priv.h"

#define BAD_MAX (64 * MLB_MIB)
#define BAD_FOR (INT64_C(24) * 60 * 60 * 1000000000) /* ns */

/* ---------------------------------------------------------- sent */

/* Of one pack, as an index; its name is the pack's. */
static bool
load_one(struct mlb_view_index *f, const char *path, const struct mlb_digest *pack)
{
	if (!mlb_view_map(&f->map, &f->len, path) || !f->map)
		return false;
	if (mlb_remote_index_read(&f->x, f->map, f->len, NULL) == 0 && f->x.n_packs == 1 &&
	    memcmp(mlb_remote_index_pack(&f->x, 0).name.b, pack->b, MLB_DIGEST_LEN) == 0) {
		f->name = *pack;
		f->sent = true;
		return true;
	}
	munmap(f->map, f->len);
	return false;
}

int
mlb_remote_view_sent(struct mlb_remote_view *v, const struct mlb_remote_pack *pack,
		     const struct mlb_remote_entry_at *entry, size_t n, struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(2 * MLB_REMOTE_INDEX_MAX);
	struct mlb_remote_index_writer w = { MLB_VEC_INIT, MLB_VEC_INIT };
	char *path = mlb_view_path(v, "sent", &pack->name, ".idx");
	struct mlb_view_index f = { .map = NULL };
	int rc;

	mlb_remote_index_add(&w, pack, entry, n);
	mlb_remote_index_write(&bytes, &w);
	rc = mlb_buf_check(&bytes, "an index of one pack", err);
	if (rc == 0)
		rc = mlb_fs_write(path, bytes.data, bytes.len, true, err);
	if (rc == 0 && load_one(&f, path, &pack->name)) {
		pthread_rwlock_wrlock(&v->lock);
		mlb_vec_push(&v->index, f);
		mlb_view_hash(v, v->index.n - 1);
		pthread_rwlock_unlock(&v->lock);
	}
	free(path);
	mlb_remote_index_writer_release(&w);
	mlb_buf_release(&bytes);
	return rc;
}

void
mlb_remote_view_told(struct mlb_remote_view *v, const struct mlb_digest *pack)
{
	char *path = mlb_view_path(v, "sent", pack, ".idx");

	/* Its objects are found by the map until the next refresh brings the index. */
	mlb_fs_unlink(path, NULL);
	free(path);
}

bool
mlb_remote_view_any_sent(const struct mlb_remote_view *v)
{
	char *dir = mlb_asprintf("%s/sent", v->dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	bool any = mlb_fs_list(&list, dir, NULL) == 0 && list.n;

	mlb_dirents_release(&list);
	free(dir);
	return any;
}

static int
resume_one(struct mlb_remote_view *v, const char *path, const struct mlb_digest *pack,
	   int (*fn)(void *ctx, const struct mlb_remote_index *x), void *ctx)
{
	struct mlb_view_index f = { .map = NULL };

	if (!load_one(&f, path, pack)) {
		mlb_fs_unlink(path, NULL);
		return 0;
	}
	pthread_rwlock_wrlock(&v->lock);
	mlb_vec_push(&v->index, f);
	mlb_view_hash(v, v->index.n - 1);
	pthread_rwlock_unlock(&v->lock);
	return fn(ctx, &f.x);
}

int
mlb_remote_view_resume(struct mlb_remote_view *v,
		       bool (*there)(void *ctx, const struct mlb_digest *pack),
		       int (*fn)(void *ctx, const struct mlb_remote_index *x), void *ctx)
{
	char *dir = mlb_asprintf("%s/sent", v->dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = 0;

	mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);
		struct mlb_digest pack;

		if (strlen(list.v[i].name) == MLB_HEX_LEN + 4 &&
		    mlb_digest_parse(&pack, list.v[i].name, MLB_HEX_LEN) && there(ctx, &pack))
			rc = resume_one(v, path, &pack, fn, ctx);
		else
			mlb_fs_unlink(path, NULL);
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

/* ---------------------------------------------------------- bad */

/* One digest for two: who finds others that give it makes something absent, which is all. */
static struct mlb_digest
both(const struct mlb_digest *a, const struct mlb_digest *b)
{
	struct mlb_digest d;

	for (size_t i = 0; i < sizeof(d.b); i++)
		d.b[i] = a->b[i] ^ b->b[i];
	return d;
}

/* A pack in which something is not right. */
static struct mlb_digest
suspect(const struct mlb_remote_place *p)
{
	struct mlb_digest d = both(&p->claim, &p->pack.name);

	d.b[0] ^= 0x80;
	return d;
}

bool
mlb_view_is_bad(const struct mlb_remote_view *v, const struct mlb_remote_place *p, bool sure)
{
	struct mlb_digest object = both(&p->claim, &p->at.digest);
	struct mlb_digest pack = both(&p->claim, &p->pack.name);
	struct mlb_digest doubt = suspect(p);

	return mlb_digest_set_has(&v->bad, &object) || mlb_digest_set_has(&v->bad, &pack) ||
	       (sure && mlb_digest_set_has(&v->bad, &doubt));
}

void
mlb_view_load_bad(struct mlb_remote_view *v)
{
	struct mlb_buf text = MLB_BUF_INIT(BAD_MAX);
	char *path = mlb_asprintf("%s/bad", v->dir);
	struct mlb_stat st;
	struct mlb_digest d;

	if (mlb_fs_lstat(&st, path, NULL) == 0 && st.type == MLB_F_FILE &&
	    st.mtime + BAD_FOR < mlb_clock_wall())
		mlb_fs_unlink(path, NULL);
	else if (st.type == MLB_F_FILE && mlb_fs_read(&text, path, NULL) == 0)
		for (size_t i = 0; i + MLB_HEX_LEN < text.len; i += MLB_HEX_LEN + 1)
			if (mlb_digest_parse(&d, text.data + i, MLB_HEX_LEN))
				mlb_digest_set_add(&v->bad, &d);
	free(path);
	mlb_buf_release(&text);
}

/* If it cannot be written it is found out again. */
static bool
remember_bad(struct mlb_remote_view *v, const struct mlb_digest *d)
{
	char *path = mlb_asprintf("%s/bad", v->dir);
	char line[MLB_HEX_LEN + 2];
	bool is_new;
	int fd;

	pthread_rwlock_wrlock(&v->lock);
	is_new = mlb_digest_set_add(&v->bad, d);
	pthread_rwlock_unlock(&v->lock);
	mlb_digest_hex(line, d);
	line[MLB_HEX_LEN] = '\n';
	fd = is_new ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	if (fd >= 0) {
		is_new = write(fd, line, MLB_HEX_LEN + 1) != 0;
		close(fd);
	}
	free(path);
	return is_new;
}

bool
mlb_remote_view_bad(struct mlb_remote_view *v, const struct mlb_remote_place *p, bool whole)
{
	struct mlb_digest d = both(&p->claim, whole ? &p->pack.name : &p->at.digest);
	struct mlb_digest doubt = suspect(p);

	if (!whole)
		(void)remember_bad(v, &doubt);
	return remember_bad(v, &d);
}

/* ---------------------------------------------------------- lists */

void
mlb_remote_view_put_list(struct mlb_remote_view *v, const struct mlb_digest *file, const void *data,
			 size_t len)
{
	char *path = mlb_view_path(v, "lists", file, "");

	if (!mlb_fs_exists(path))
		mlb_fs_write(path, data, len, false, NULL);
	free(path);
}

int
mlb_remote_view_each_list(struct mlb_remote_view *v,
			  int (*fn)(void *ctx, const struct mlb_digest *file, const char *path),
			  void *ctx)
{
	char *dir = mlb_asprintf("%s/lists", v->dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_digest file;
	int rc = 0;

	mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		if (mlb_digest_parse(&file, list.v[i].name, strlen(list.v[i].name)))
			rc = fn(ctx, &file, path);
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

bool
mlb_remote_view_list(struct mlb_remote_view *v, struct mlb_buf *out, const struct mlb_digest *file)
{
	char *path = mlb_view_path(v, "lists", file, "");
	bool has = mlb_fs_exists(path) && mlb_fs_read(out, path, NULL) == 0;

	free(path);
	return has;
}
