#include "store/remote_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/fs.h"
#include "store/bytes.h"
#include "store/remote_view_priv.h"

/*
 * Entries of an index from which on it is searched by halving. Smaller ones, of which
 * there are many until somebody collects, share one table.
 */
#define LARGE 32768

static const struct {
	const char *sub, *suffix;
} kinds[] = {
	[MLB_REMOTE_INDEX] = { "index", ".idx" },
	[MLB_REMOTE_SEGMENT] = { "actions", ".seg" },
};

char *
mlb_view_path(const struct mlb_remote_view *v, const char *sub, const struct mlb_digest *name,
	      const char *suffix)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, name);
	return mlb_asprintf("%s/%s/%s%s", v->dir, sub, hex, suffix);
}

static bool
parse_name(struct mlb_digest *out, const char *name, const char *suffix)
{
	return strlen(name) == MLB_HEX_LEN + strlen(suffix) &&
	       mlb_digest_parse(out, name, MLB_HEX_LEN) && strcmp(name + MLB_HEX_LEN, suffix) == 0;
}

bool
mlb_view_map(void **map, size_t *len, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    (uint64_t)st.st_size <= SIZE_MAX / 2;

	*map = NULL;
	*len = 0;
	if (good && st.st_size) {
		*len = (size_t)st.st_size;
		*map = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
		if (*map == MAP_FAILED) {
			*map = NULL;
			good = false;
		}
	}
	if (fd >= 0)
		close(fd);
	return good;
}

static void
unmap(void *map, size_t len)
{
	if (map)
		munmap(map, len);
}

/* ---------------------------------------------------------- the table */

static uint64_t
hash_of(const uint8_t *digest)
{
	return mlb_get_int(digest, 8);
}

static void
insert(struct mlb_remote_view *v, uint64_t hash, struct mlb_view_slot slot)
{
	size_t i = (size_t)hash & (v->n_slots - 1);

	while (v->slot[i].index)
		i = (i + 1) & (v->n_slots - 1);
	v->slot[i] = slot;
}

static void
grow(struct mlb_remote_view *v, size_t more)
{
	struct mlb_view_slot *old = v->slot;
	size_t n = v->n_slots;

	if ((v->n_hashed + more) * 2 <= n)
		return;
	v->n_slots = n ? n : 1024;
	while (v->n_slots < (v->n_hashed + more) * 2)
		v->n_slots *= 2;
	v->slot = mlb_calloc(v->n_slots, sizeof(*v->slot));
	for (size_t i = 0; i < n; i++)
		if (old[i].index)
			insert(v,
			       hash_of(mlb_remote_index_digest(&v->index.v[old[i].index - 1].x,
							       old[i].entry)),
			       old[i]);
	free(old);
}

void
mlb_view_hash(struct mlb_remote_view *v, size_t i)
{
	struct mlb_view_index *f = &v->index.v[i];

	if (!f->map || f->hashed)
		return;
	grow(v, f->x.n);
	for (size_t k = 0; k < f->x.n; k++)
		insert(v, hash_of(mlb_remote_index_digest(&f->x, k)),
		       (struct mlb_view_slot){ (uint32_t)i + 1, (uint32_t)k });
	v->n_hashed += f->x.n;
	f->hashed = true;
}

static void
hash_all(struct mlb_remote_view *v)
{
	free(v->slot);
	v->slot = NULL;
	v->n_slots = v->n_hashed = 0;
	v->large.n = 0;
	for (size_t i = 0; i < v->index.n; i++) {
		v->index.v[i].hashed = false;
		if (!v->index.v[i].map)
			continue;
		if (v->index.v[i].x.n >= LARGE)
			mlb_vec_push(&v->large, (uint32_t)i);
		else
			mlb_view_hash(v, i);
	}
}

/* ---------------------------------------------------------- files */

/* What cannot be read, or was cut off here, is got again. */
static void
load_index(struct mlb_remote_view *v, const struct mlb_digest *name, const char *path)
{
	struct mlb_view_index f = { .name = *name };

	if (!mlb_view_map(&f.map, &f.len, path))
		return;
	if (f.map && mlb_remote_index_read(&f.x, f.map, f.len, NULL) != 0) {
		unmap(f.map, f.len);
		return;
	}
	mlb_vec_push(&v->index, f);
}

static void
load_segment(struct mlb_remote_view *v, const struct mlb_digest *name, const char *path)
{
	struct mlb_view_segment f = { .name = *name };
	struct stat st;

	if (stat(path, &st) != 0 || !mlb_view_map(&f.map, &f.len, path))
		return;
	f.mtime = st.st_mtim.tv_sec;
	if (f.map && mlb_segment_read(&f.s, f.map, f.len, NULL) != 0) {
		unmap(f.map, f.len);
		return;
	}
	mlb_vec_push(&v->segment, f);
}

static void
load_all(struct mlb_remote_view *v, enum mlb_remote_file which)
{
	char *dir = mlb_asprintf("%s/%s", v->dir, kinds[which].sub);
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_digest name;

	mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n; i++) {
		char *path;

		if (!parse_name(&name, list.v[i].name, kinds[which].suffix))
			continue;
		path = mlb_asprintf("%s/%s", dir, list.v[i].name);
		if (which == MLB_REMOTE_INDEX)
			load_index(v, &name, path);
		else
			load_segment(v, &name, path);
		free(path);
	}
	mlb_dirents_release(&list);
	free(dir);
}

int
mlb_remote_view_open(struct mlb_remote_view **out, const char *dir, struct mlb_err *err)
{
	static const char *const sub[] = { "index", "actions", "sent", "lists", "parts" };
	struct mlb_remote_view *v;
	int rc = 0;

	for (size_t i = 0; i < MLB_ARRAY_LEN(sub) && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, sub[i]);

		rc = mlb_fs_mkdirs(path, err);
		if (rc == 0)
			mlb_fs_share(path);
		free(path);
	}
	if (rc)
		return rc;
	v = mlb_calloc(1, sizeof(*v));
	v->dir = mlb_strdup(dir);
	pthread_rwlock_init(&v->lock, NULL);
	load_all(v, MLB_REMOTE_INDEX);
	load_all(v, MLB_REMOTE_SEGMENT);
	mlb_view_load_bad(v);
	hash_all(v);
	*out = v;
	return 0;
}

void
mlb_remote_view_close(struct mlb_remote_view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->index.n; i++)
		unmap(v->index.v[i].map, v->index.v[i].len);
	for (size_t i = 0; i < v->segment.n; i++)
		unmap(v->segment.v[i].map, v->segment.v[i].len);
	mlb_vec_release(&v->index);
	mlb_vec_release(&v->segment);
	mlb_vec_release(&v->large);
	mlb_digest_set_release(&v->bad);
	pthread_rwlock_destroy(&v->lock);
	free(v->slot);
	free(v->dir);
	free(v);
}

const char *
mlb_remote_view_dir(const struct mlb_remote_view *v)
{
	return v->dir;
}

/* ---------------------------------------------------------- refreshing */

static bool
keep_segment(struct mlb_remote_view *v, const struct mlb_digest *name, int64_t mtime)
{
	for (size_t i = 0; i < v->segment.n; i++) {
		struct mlb_view_segment *f = &v->segment.v[i];

		if (!mlb_digest_equal(&f->name, name))
			continue;
		f->mtime = mtime;
		f->kept = true;
		return true;
	}
	return false;
}

void
mlb_remote_view_begin(struct mlb_remote_view *v)
{
	pthread_rwlock_wrlock(&v->lock);
	for (size_t i = 0; i < v->index.n; i++)
		v->index.v[i].kept = false;
	for (size_t i = 0; i < v->segment.n; i++)
		v->segment.v[i].kept = false;
	pthread_rwlock_unlock(&v->lock);
}

static bool
keep_index(struct mlb_remote_view *v, const struct mlb_digest *name)
{
	for (size_t i = 0; i < v->index.n; i++)
		if (!v->index.v[i].sent && mlb_digest_equal(&v->index.v[i].name, name)) {
			v->index.v[i].kept = true;
			return true;
		}
	return false;
}

static bool
keep(struct mlb_remote_view *v, enum mlb_remote_file which, const struct mlb_digest *name,
     int64_t mtime)
{
	return which == MLB_REMOTE_SEGMENT ? keep_segment(v, name, mtime) : keep_index(v, name);
}

bool
mlb_remote_view_keep(struct mlb_remote_view *v, enum mlb_remote_file which, const char *name,
		     int64_t mtime)
{
	struct mlb_digest d;
	bool is_here;

	if (!parse_name(&d, name, kinds[which].suffix))
		return false;
	pthread_rwlock_wrlock(&v->lock);
	is_here = keep(v, which, &d, mtime);
	pthread_rwlock_unlock(&v->lock);
	return is_here;
}

/* What can be used of the bytes: in out, which is empty if they cannot. */
static int
digest_file(struct mlb_buf *out, enum mlb_remote_file which, const struct mlb_digest *name,
	    const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_remote_index x;
	struct mlb_segment s;
	struct mlb_digest now;
	int rc;

	mlb_sha256_of(&now, data, len);
	if (!mlb_digest_equal(&now, name))
		return mlb_err_set(err, MLB_ECORRUPT, "its bytes are not what its name says");
	if (which == MLB_REMOTE_SEGMENT) {
		rc = mlb_segment_unpack(out, data, len, err);
		if (rc == 0)
			rc = mlb_segment_read(&s, mlb_buf_str(out), out->len, err);
	} else {
		rc = mlb_remote_index_read(&x, data, len, err);
		if (rc == 0)
			mlb_buf_add(out, data, len);
	}
	if (rc)
		mlb_buf_clear(out);
	return rc;
}

int
mlb_remote_view_put(struct mlb_remote_view *v, enum mlb_remote_file which, const char *name,
		    int64_t mtime, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(2 * MLB_SEGMENT_MAX);
	const struct timespec times[2] = { { mtime, 0 }, { mtime, 0 } };
	struct mlb_digest d;
	char *path;
	int rc, failed;

	if (!parse_name(&d, name, kinds[which].suffix))
		return mlb_err_set(err, MLB_EINVALID, "'%s' is no name of such a file", name);
	failed = digest_file(&bytes, which, &d, data, len, err);
	path = mlb_view_path(v, kinds[which].sub, &d, kinds[which].suffix);
	/* One of no use is here as an empty one, so that it is not got each time; wrong bytes may be right later. */
	rc = failed == MLB_ECORRUPT ? 0 : mlb_fs_write(path, bytes.data, bytes.len, true, err);
	if (rc == 0 && !failed) {
		mlb_fs_share(path);
		(void)utimensat(AT_FDCWD, path, times, 0);
	}
	pthread_rwlock_wrlock(&v->lock);
	if (rc == 0 && which == MLB_REMOTE_INDEX && failed != MLB_ECORRUPT)
		load_index(v, &d, path);
	else if (rc == 0 && failed != MLB_ECORRUPT)
		load_segment(v, &d, path);
	keep(v, which, &d, mtime);
	pthread_rwlock_unlock(&v->lock);
	free(path);
	mlb_buf_release(&bytes);
	return failed ? failed : rc;
}

/* Files that the remote has no more. */
static void
drop_indexes(struct mlb_remote_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->index.n; i++) {
		struct mlb_view_index *f = &v->index.v[i];

		f->hashed = false;
		/* What was sent is in an index by now, or the next push finds it in sent/. */
		if (f->kept) {
			v->index.v[n++] = *f;
			continue;
		}
		unmap(f->map, f->len);
	}
	v->index.n = n;
}

static void
remove_files(const struct mlb_remote_view *v, enum mlb_remote_file which)
{
	char *dir = mlb_asprintf("%s/%s", v->dir, kinds[which].sub);
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_digest_set kept = { 0 };
	struct mlb_digest name;

	for (size_t i = 0; which == MLB_REMOTE_INDEX && i < v->index.n; i++)
		if (!v->index.v[i].sent)
			mlb_digest_set_add(&kept, &v->index.v[i].name);
	for (size_t i = 0; which == MLB_REMOTE_SEGMENT && i < v->segment.n; i++)
		mlb_digest_set_add(&kept, &v->segment.v[i].name);
	mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		if (parse_name(&name, list.v[i].name, kinds[which].suffix) &&
		    !mlb_digest_set_has(&kept, &name))
			mlb_fs_unlink(path, NULL);
		free(path);
	}
	mlb_digest_set_release(&kept);
	mlb_dirents_release(&list);
	free(dir);
}

static void
drop_segments(struct mlb_remote_view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->segment.n; i++) {
		if (v->segment.v[i].kept)
			v->segment.v[n++] = v->segment.v[i];
		else
			unmap(v->segment.v[i].map, v->segment.v[i].len);
	}
	v->segment.n = n;
}

void
mlb_remote_view_settle(struct mlb_remote_view *v)
{
	pthread_rwlock_wrlock(&v->lock);
	drop_indexes(v);
	drop_segments(v);
	remove_files(v, MLB_REMOTE_INDEX);
	remove_files(v, MLB_REMOTE_SEGMENT);
	hash_all(v);
	pthread_rwlock_unlock(&v->lock);
}

/* ---------------------------------------------------------- objects */

/* Not in a pack of `avoid`, nor, where that is not NULL, in one in which anything is wrong. */
static bool
place_of(const struct mlb_remote_view *v, size_t index, size_t entry,
	 const struct mlb_digest_set *avoid, struct mlb_remote_place *out)
{
	const struct mlb_view_index *f = &v->index.v[index];

	if (!f->map || !mlb_remote_index_entry(&f->x, entry, &out->at))
		return false;
	out->pack = mlb_remote_index_pack(&f->x, out->at.pack);
	out->claim = f->name;
	if (avoid && mlb_digest_set_has(avoid, &out->pack.name))
		return false;
	return !v->bad.n || !mlb_view_is_bad(v, out, avoid != NULL);
}

static bool
locate_small(const struct mlb_remote_view *v, struct mlb_remote_place *out,
	     const struct mlb_digest *digest, const struct mlb_digest_set *avoid)
{
	size_t i = (size_t)hash_of(digest->b) & (v->n_slots - 1);

	for (; v->n_slots && v->slot[i].index; i = (i + 1) & (v->n_slots - 1)) {
		const struct mlb_view_index *f = &v->index.v[v->slot[i].index - 1];

		if (memcmp(mlb_remote_index_digest(&f->x, v->slot[i].entry), digest->b,
			   MLB_DIGEST_LEN) == 0 &&
		    place_of(v, v->slot[i].index - 1, v->slot[i].entry, avoid, out))
			return true;
	}
	return false;
}

static bool
locate_large(const struct mlb_remote_view *v, struct mlb_remote_place *out,
	     const struct mlb_digest *digest, const struct mlb_digest_set *avoid)
{
	for (size_t i = 0; i < v->large.n; i++) {
		const struct mlb_remote_index *x = &v->index.v[v->large.v[i]].x;
		size_t at = mlb_remote_index_find(x, digest);

		for (; at < x->n &&
		       memcmp(mlb_remote_index_digest(x, at), digest->b, MLB_DIGEST_LEN) == 0;
		     at++)
			if (place_of(v, v->large.v[i], at, avoid, out))
				return true;
	}
	return false;
}

bool
mlb_remote_view_locate_but(struct mlb_remote_view *v, struct mlb_remote_place *out,
			   const struct mlb_digest *digest, const struct mlb_digest_set *avoid)
{
	bool found;

	pthread_rwlock_rdlock(&v->lock);
	found = locate_small(v, out, digest, avoid) || locate_large(v, out, digest, avoid);
	pthread_rwlock_unlock(&v->lock);
	return found;
}

bool
mlb_remote_view_locate(struct mlb_remote_view *v, struct mlb_remote_place *out,
		       const struct mlb_digest *digest)
{
	return mlb_remote_view_locate_but(v, out, digest, NULL);
}

bool
mlb_remote_view_has(struct mlb_remote_view *v, const struct mlb_digest *digest)
{
	struct mlb_remote_place p;

	return mlb_remote_view_locate(v, &p, digest);
}

int
mlb_remote_view_each(struct mlb_remote_view *v,
		     int (*fn)(void *ctx, const struct mlb_remote_place *p), void *ctx)
{
	struct mlb_remote_place p;
	int rc = 0;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->index.n && rc == 0; i++)
		for (size_t k = 0; v->index.v[i].map && k < v->index.v[i].x.n && rc == 0; k++)
			if (place_of(v, i, k, NULL, &p))
				rc = fn(ctx, &p);
	pthread_rwlock_unlock(&v->lock);
	return rc;
}

bool
mlb_remote_view_tells_of(struct mlb_remote_view *v, const struct mlb_digest *pack)
{
	bool tells = false;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->index.n && !tells; i++)
		for (size_t k = 0; v->index.v[i].map && k < v->index.v[i].x.n_packs && !tells;
		     k++) {
			struct mlb_remote_pack p = mlb_remote_index_pack(&v->index.v[i].x, k);

			tells = mlb_digest_equal(&p.name, pack);
		}
	pthread_rwlock_unlock(&v->lock);
	return tells;
}

int
mlb_remote_view_each_index(struct mlb_remote_view *v,
			   int (*fn)(void *ctx, const char *name, const struct mlb_remote_index *x),
			   void *ctx)
{
	int rc = 0;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->index.n && rc == 0; i++) {
		char name[MLB_HEX_LEN + 8];

		if (!v->index.v[i].map || v->index.v[i].sent)
			continue;
		mlb_digest_hex(name, &v->index.v[i].name);
		memcpy(name + MLB_HEX_LEN, ".idx", 5);
		rc = fn(ctx, name, &v->index.v[i].x);
	}
	pthread_rwlock_unlock(&v->lock);
	return rc;
}

int
mlb_remote_view_each_segment(struct mlb_remote_view *v, int (*fn)(void *ctx, const char *name),
			     void *ctx)
{
	int rc = 0;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->segment.n && rc == 0; i++) {
		char name[MLB_HEX_LEN + 8];

		if (!v->segment.v[i].map)
			continue;
		mlb_digest_hex(name, &v->segment.v[i].name);
		memcpy(name + MLB_HEX_LEN, ".seg", 5);
		rc = fn(ctx, name);
	}
	pthread_rwlock_unlock(&v->lock);
	return rc;
}

/* ---------------------------------------------------------- records */

struct candidate {
	struct mlb_segment_record r;
	struct mlb_digest segment;
};

static int
by_arrival(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->r.arrived != y->r.arrived)
		return x->r.arrived < y->r.arrived ? -1 : 1;
	return mlb_digest_cmp(&x->segment, &y->segment);
}

int
mlb_remote_view_records(struct mlb_remote_view *v, const struct mlb_digest *key,
			int (*fn)(void *ctx, const struct mlb_segment_record *r), void *ctx)
{
	MLB_VEC(struct candidate) all = MLB_VEC_INIT;
	int rc = 0;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->segment.n; i++) {
		const struct mlb_view_segment *f = &v->segment.v[i];
		struct candidate c = { .segment = f->name };
		size_t at = f->map ? mlb_segment_find(&f->s, key) : SIZE_MAX;

		for (; at < f->s.n && mlb_segment_record(&f->s, at, &c.r) &&
		       mlb_digest_equal(&c.r.key, key);
		     at++) {
			if (!c.r.arrived)
				c.r.arrived = f->mtime;
			mlb_vec_push(&all, c);
		}
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_arrival);
	for (size_t i = 0; i < all.n && rc == 0; i++)
		rc = fn(ctx, &all.v[i].r);
	pthread_rwlock_unlock(&v->lock);
	mlb_vec_release(&all);
	return rc;
}

int
mlb_remote_view_each_record(struct mlb_remote_view *v,
			    int (*fn)(void *ctx, const struct mlb_segment_record *r), void *ctx)
{
	struct mlb_segment_record r;
	int rc = 0;

	pthread_rwlock_rdlock(&v->lock);
	for (size_t i = 0; i < v->segment.n; i++) {
		const struct mlb_view_segment *f = &v->segment.v[i];

		for (size_t k = 0; f->map && k < f->s.n && rc == 0; k++) {
			if (!mlb_segment_record(&f->s, k, &r))
				continue;
			if (!r.arrived)
				r.arrived = f->mtime;
			rc = fn(ctx, &r);
		}
	}
	pthread_rwlock_unlock(&v->lock);
	return rc;
}
