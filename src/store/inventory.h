/*
 * What rests on the disk below a cache directory, whatever state.db says of it:
 * loose objects, packs, segments of result records, and what does not belong
 * there.  fsck and gc work on it; nothing here writes.
 *
 * 1. An object is listed once per copy; the copies of one digest are a chain.
 * 2. MLB_INV_VERIFY reads every byte: a copy is listed only if it is right, and
 *    what is wrong is listed as damage. MLB_INV_LIST believes names and indexes.
 * 3. What gc has set aside (store/condemned.h) is listed after all else, never read
 *    to its end, and never found damaged.
 * 4. An open pack that another process holds is listed as far as it can be read,
 *    and what is wrong in it is no damage: it is being written.
 *
 * Ownership: the inventory owns all of it.
 */
#ifndef STORE_INVENTORY_H
#define STORE_INVENTORY_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_INV_LOOSE UINT32_MAX

enum mlb_inv_mode { MLB_INV_LIST, MLB_INV_VERIFY };

struct mlb_inv_file {
	char *path; /* below the cache: "packs/…", "actions/…", "condemned/BATCH/packs/…" */
	uint64_t size;
	int64_t mtime;
	bool open;    /* appended to, or left behind by a process that died */
	bool busy;    /* another process holds it */
	bool records; /* of actions/ */
	uint32_t batch; /* set aside by gc: index of the batch plus one; 0: not */
};

struct mlb_inv_object {
	struct mlb_digest digest;
	uint32_t file;   /* index of the pack, or MLB_INV_LOOSE */
	uint32_t next;   /* index plus one of the next copy, 0: none */
	uint64_t offset; /* of the blob; of a loose object its mtime */
	uint64_t size;   /* of the content */
	uint32_t stored; /* bytes that it takes in a pack, without its header */
	uint32_t batch;  /* as of a file */
};

enum mlb_inv_wrong {
	MLB_INV_BYTES,      /* the content is not what the name or the pack's header says */
	MLB_INV_HEAD,       /* a pack does not begin as one */
	MLB_INV_INDEX,      /* a sealed pack's index is damaged or cut off */
	MLB_INV_NAME,       /* a sealed pack is whole, but not the one that its name says */
	MLB_INV_TAIL,       /* an open pack ends in something that is no whole blob */
	MLB_INV_UNREADABLE, /* see text */
	MLB_INV_LATER,      /* written by a later version: not examined */
	MLB_INV_BUSY,       /* an open pack that another process writes: not examined to its end */
	MLB_INV_WRITABLE,   /* a loose object that is not read-only */
	MLB_INV_FOREIGN     /* nothing that a store has */
};

struct mlb_inv_damage {
	uint8_t wrong; /* enum mlb_inv_wrong */
	char *path;    /* below the cache */
	char *text;    /* of the system's error; NULL */
	uint64_t offset;
	struct mlb_digest digest; /* of the object that is lost there; zero: unknown */
};

struct mlb_inventory {
	char *dir;
	MLB_VEC(struct mlb_inv_file) file;
	MLB_VEC(struct mlb_inv_object) object; /* copies, in the order in which they were found */
	MLB_VEC(struct mlb_inv_object) record; /* blobs of actions/, sorted by file and offset; next is 0 */
	MLB_VEC(struct mlb_inv_damage) damage; /* sorted by path and offset */
	struct mlb_strvec batch; /* names of those below condemned/ */
	uint32_t *slot; /* by digest: index of the first copy plus one */
	size_t n_slots;
	uint64_t bytes;              /* in all files, to be read */
	atomic_uint_fast64_t done;   /* of them */
};

/* Called on the calling thread a few times a second; not 0 stops with that code. */
typedef int mlb_inv_tick(void *ctx, uint64_t done, uint64_t total);

int mlb_inventory_read(struct mlb_inventory *inv, const char *dir, enum mlb_inv_mode mode, unsigned threads,
		       mlb_inv_tick *tick, void *ctx, struct mlb_err *err);
void mlb_inventory_release(struct mlb_inventory *inv);

/*
 * Did packs or segments come or go since their names were read? Then one that was
 * sealed meanwhile may be missing. What was appended to them is not asked for.
 */
bool mlb_inventory_changed(const struct mlb_inventory *inv);

/* The first copy, NULL if there is none. */
const struct mlb_inv_object *mlb_inventory_find(const struct mlb_inventory *inv, const struct mlb_digest *digest);

/* The path of a copy's file, absolute; owned by the caller. */
char *mlb_inventory_path(const struct mlb_inventory *inv, const struct mlb_inv_object *o);

/* Append the content of one copy, hashed on the way. MLB_ECORRUPT, or the system's error. */
int mlb_inventory_copy(const struct mlb_inventory *inv, struct mlb_buf *out, const struct mlb_inv_object *o,
		       struct mlb_err *err);
/* The same of any copy that is right. MLB_ENOTFOUND. */
int mlb_inventory_get(const struct mlb_inventory *inv, struct mlb_buf *out, const struct mlb_digest *digest,
		      struct mlb_err *err);

/* "objects/ab/cdef…" -> digest; false for any other path. */
bool mlb_inventory_loose_name(struct mlb_digest *out, const char *dir_name, const char *name);

#endif
