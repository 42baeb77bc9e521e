/*
 * What a remote has, as far as it is known here: the copy of its index objects and
 * segments in cache/v1/remotes/ID, searched in maps of the files.
 *
 *   index/HEX.idx    as on the remote; what its listing lacks is removed
 *   actions/HEX.seg  uncompressed; its mtime is when it came to the remote
 *   sent/HEX.idx     of one pack that a push sent and has not told of in an index yet
 *   lists/HEX        the list of chunks of a large file (remote_chunks.h), named by the file
 *   parts/HEX        a large file that is being fetched
 *   bad              lines of 64 hexadecimal digits: name of an index XOR digest of an
 *                    object that is not right where it says, or of a pack that is not
 *                    there; with the first bit turned, of a pack in which something is not
 *                    right. Forgotten after a day, in case it was sent again
 *
 * 1. What is put was found to be what its name says; it is durable under its name.
 * 2. All calls but open and close may come from several threads. A function that is
 *    given may ask where something is, and no more.
 * 3. What is lost here is got again: nothing in it is needed for anything else.
 *
 * Ownership: the view owns all of it. What it hands a function lives for the call.
 */
#ifndef STORE_REMOTE_VIEW_H
#define STORE_REMOTE_VIEW_H

#include "base/digest_set.h"
#include "store/remote_index.h"
#include "store/remote_segment.h"

struct mlb_remote_view;

enum mlb_remote_file { MLB_REMOTE_INDEX, MLB_REMOTE_SEGMENT };

/* The directory, absolute, is made if it is not there. */
int mlb_remote_view_open(struct mlb_remote_view **out, const char *dir, struct mlb_err *err);
void mlb_remote_view_close(struct mlb_remote_view *v);

/* What the remote has is about to be told anew. */
void mlb_remote_view_begin(struct mlb_remote_view *v);
/*
 * The remote has a file of this name (without directory), which came then. True: it is
 * here, and stays. False: it is to be put, or the name is none of such a file.
 */
bool mlb_remote_view_keep(struct mlb_remote_view *v, enum mlb_remote_file which, const char *name,
			  int64_t mtime);
/* Its bytes. MLB_ECORRUPT, MLB_EINVALID: it cannot be used, and is passed over from now on. */
int mlb_remote_view_put(struct mlb_remote_view *v, enum mlb_remote_file which, const char *name,
			int64_t mtime, const void *data, size_t len, struct mlb_err *err);
/* All was kept or put: what was not goes, and everything can be found. */
void mlb_remote_view_settle(struct mlb_remote_view *v);

/* Where an object is. */
struct mlb_remote_place {
	struct mlb_remote_entry_at at;
	struct mlb_remote_pack pack;
	struct mlb_digest claim; /* name of the index that says so */
};
bool mlb_remote_view_has(struct mlb_remote_view *v, const struct mlb_digest *digest);
/* One of the places that are not known to be bad. */
bool mlb_remote_view_locate(struct mlb_remote_view *v, struct mlb_remote_place *out,
			    const struct mlb_digest *digest);
/* The same for pushes: in no pack of `avoid`, and in none in which anything was found wrong, as the rest of it may be. */
bool mlb_remote_view_locate_but(struct mlb_remote_view *v, struct mlb_remote_place *out,
				const struct mlb_digest *digest,
				const struct mlb_digest_set *avoid);
/* Every entry of every index; not 0 stops. For gc, verify, du. */
int mlb_remote_view_each(struct mlb_remote_view *v,
			 int (*fn)(void *ctx, const struct mlb_remote_place *p), void *ctx);

bool mlb_remote_view_tells_of(struct mlb_remote_view *v,
			      const struct mlb_digest *pack); /* does any index? */
/* Every index and segment that could be read, with its name there; not 0 stops. For gc. */
int mlb_remote_view_each_index(struct mlb_remote_view *v,
			       int (*fn)(void *ctx, const char *name,
					 const struct mlb_remote_index *x),
			       void *ctx);
int mlb_remote_view_each_segment(struct mlb_remote_view *v, int (*fn)(void *ctx, const char *name),
				 void *ctx);

/* The records of a key, the one that counts first, then others in their order; a record in each call. Not 0 stops. */
int mlb_remote_view_records(struct mlb_remote_view *v, const struct mlb_digest *key,
			    int (*fn)(void *ctx, const struct mlb_segment_record *r), void *ctx);
/* The same of all keys, in no order. */
int mlb_remote_view_each_record(struct mlb_remote_view *v,
				int (*fn)(void *ctx, const struct mlb_segment_record *r),
				void *ctx);

/* It is not right there, or (whole) its pack is not there at all. True: that was not known. */
bool mlb_remote_view_bad(struct mlb_remote_view *v, const struct mlb_remote_place *p, bool whole);

/* ---------------------------------------------------------- for pushes */

/* A pack arrived: its objects are there from now on. Durable, so that the next push can tell of it. */
int mlb_remote_view_sent(struct mlb_remote_view *v, const struct mlb_remote_pack *pack,
			 const struct mlb_remote_entry_at *entry, size_t n, struct mlb_err *err);
/*
 * Packs that were sent, by pushes that told of them in no index: for each that the
 * remote has (there says so), its objects are found from now on, and fn may take what is
 * to be in an index. What is not there is forgotten.
 */
int mlb_remote_view_resume(struct mlb_remote_view *v,
			   bool (*there)(void *ctx, const struct mlb_digest *pack),
			   int (*fn)(void *ctx, const struct mlb_remote_index *x), void *ctx);
bool mlb_remote_view_any_sent(const struct mlb_remote_view *v); /* is there anything in sent/? */
/* An index tells of this pack now. */
void mlb_remote_view_told(struct mlb_remote_view *v, const struct mlb_digest *pack);

/* Lists of chunks, for whoever wants an older version of a file. */
void mlb_remote_view_put_list(struct mlb_remote_view *v, const struct mlb_digest *file,
			      const void *data, size_t len);
/* The list of a file, appended; false: there is none here. */
bool mlb_remote_view_list(struct mlb_remote_view *v, struct mlb_buf *out,
			  const struct mlb_digest *file);
int mlb_remote_view_each_list(struct mlb_remote_view *v,
			      int (*fn)(void *ctx, const struct mlb_digest *file, const char *path),
			      void *ctx);

const char *mlb_remote_view_dir(const struct mlb_remote_view *v); /* borrowed */

#endif
