/*
 * Repair: in an order in which a death at any point loses nothing that is right.
 *
 * 1. Lost objects that can be had elsewhere are stored again, and synced.
 * 2. What is right in damaged packs, and nowhere else, is copied into new ones,
 *    and synced; result records that need what is lost for good are left behind.
 * 3. Only then do damaged packs and objects go, into quarantine/.
 * 4. The indexes are made again from the packs.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/fsck.h"
#include "os/fs.h"
#include "store/repack.h"

enum { MAX_RECORD = 256 << 20, KEEP = 0, DROP, STRIP_LOG };

struct repair {
	struct mlb_fsck_state *s;
	uint8_t *bad;    /* per file: it is to be rewritten */
	int *held;       /* per file: descriptor with its lock, -1 */
	uint8_t *record; /* per record: KEEP, DROP, STRIP_LOG */
};

/* ---------------------------------------------------------- which */

static int
file_of(const struct mlb_inventory *inv, const char *path)
{
	for (size_t i = 0; i < inv->file.n; i++)
		if (strcmp(inv->file.v[i].path, path) == 0)
			return (int)i;
	return -1;
}

/* An open pack is only ours to rewrite while nobody else can take it. */
static bool
hold(struct repair *r, uint32_t file)
{
	const struct mlb_inv_file *f = &r->s->inv.file.v[file];
	char *path = mlb_asprintf("%s/%s", r->s->inv.dir, f->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);

	free(path);
	if (fd >= 0 && (!f->open || flock(fd, LOCK_EX | LOCK_NB) == 0)) {
		r->held[file] = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return false;
}

static void
rewrite(struct repair *r, uint32_t file)
{
	if (!r->bad[file] && hold(r, file))
		r->bad[file] = 1;
}

static void
choose_damaged(struct repair *r)
{
	const struct mlb_inventory *inv = &r->s->inv;

	for (size_t i = 0; i < inv->damage.n; i++) {
		int file = file_of(inv, inv->damage.v[i].path);

		switch ((enum mlb_inv_wrong)inv->damage.v[i].wrong) {
		case MLB_INV_BYTES:
		case MLB_INV_HEAD:
		case MLB_INV_INDEX:
		case MLB_INV_NAME:
		case MLB_INV_TAIL: /* where state.db believes in it, nobody would cut it off */
			if (file >= 0)
				rewrite(r, (uint32_t)file);
			r->s->mended[i] = file < 0 || r->bad[file];
			break;
		default:
			break;
		}
	}
}

/* Records that cannot be believed any more, and the segments that hold them. */
static void
choose_records(struct repair *r)
{
	const struct mlb_fsck_state *s = r->s;

	for (uint32_t i = 0; i < s->lost.n; i++) {
		const struct mlb_fsck_lost *l = s->lost.entry[i].u.ptr;

		if (l->recovered || mlb_inventory_find(&s->inv, &l->digest))
			continue;
		for (size_t k = 0; k < l->log_record.n; k++)
			if (r->record[l->log_record.v[k]] == KEEP)
				r->record[l->log_record.v[k]] = STRIP_LOG;
		for (size_t k = 0; k < l->record.n; k++)
			r->record[l->record.v[k]] = DROP;
	}
	for (size_t i = 0; i < s->owners.bad_record.n; i++)
		r->record[s->owners.bad_record.v[i]] = DROP;
	for (size_t i = 0; i < s->inv.record.n; i++)
		if (r->record[i] != KEEP)
			rewrite(r, s->inv.record.v[i].file);
}

/* ---------------------------------------------------------- copying */

static bool
is_safe_elsewhere(const struct repair *r, const struct mlb_inv_object *o)
{
	const struct mlb_inventory *inv = &r->s->inv;
	const struct mlb_inv_object *c = mlb_inventory_find(inv, &o->digest);

	for (; c; c = c->next ? &inv->object.v[c->next - 1] : NULL) {
		if (c->file == MLB_INV_LOOSE || !r->bad[c->file])
			return true;
		/* The first of several copies in damaged packs is the one that is copied. */
		if (c < o)
			return true;
	}
	return false;
}

static int
copy_objects(struct repair *r, struct mlb_err *err)
{
	const struct mlb_inventory *inv = &r->s->inv;
	struct mlb_repack to;
	int rc = 0;

	mlb_repack_init(&to, inv, false);
	for (size_t i = 0; i < inv->object.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &inv->object.v[i];

		if (o->file != MLB_INV_LOOSE && r->bad[o->file] && !is_safe_elsewhere(r, o))
			rc = mlb_repack_copy(&to, o, err);
	}
	if (rc == 0)
		rc = mlb_repack_finish(&to, err);
	mlb_repack_release(&to);
	return rc;
}

/* A log is for people: without it the result is as good as before. */
static int
copy_without_log(struct mlb_repack *to, const struct mlb_inventory *inv,
		 const struct mlb_inv_object *o, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_RECORD), out = MLB_BUF_INIT(MAX_RECORD);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result rec;
	int rc = mlb_inventory_copy(inv, &text, o, err);

	if (rc == 0)
		rc = mlb_result_parse(&rec, &arena, mlb_buf_str(&text), text.len, err);
	if (rc == 0) {
		memset(&rec.log, 0, sizeof(rec.log));
		mlb_result_format(&out, &rec);
		rc = mlb_repack_add(to, mlb_buf_str(&out), out.len, err);
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&out);
	mlb_buf_release(&text);
	return rc;
}

static int
copy_records(struct repair *r, struct mlb_err *err)
{
	const struct mlb_inventory *inv = &r->s->inv;
	struct mlb_repack to;
	int rc = 0;

	mlb_repack_init(&to, inv, true);
	for (size_t i = 0; i < inv->record.n && rc == 0; i++) {
		const struct mlb_inv_object *o = &inv->record.v[i];

		/* Those that were forgotten stay so. */
		if (!r->bad[o->file] || r->record[i] == DROP || (r->s->live && !r->s->live[i]))
			continue;
		if (r->record[i] == STRIP_LOG)
			rc = copy_without_log(&to, inv, o, err);
		else
			rc = mlb_repack_copy(&to, o, err);
	}
	if (rc == 0)
		rc = mlb_repack_finish(&to, err);
	mlb_repack_release(&to);
	return rc;
}

/* ---------------------------------------------------------- moving away */

static int
quarantine(struct repair *r, const char *path, struct mlb_err *err)
{
	const char *dir = r->s->inv.dir, *base = strrchr(path, '/') + 1;
	bool loose = strncmp(path, "objects/", 8) == 0;
	char *from = mlb_asprintf("%s/%s", dir, path);
	char *to_dir = mlb_asprintf("%s/quarantine", dir);
	/* A loose object gets its whole digest for a name again. */
	char *to = loose ? mlb_asprintf("%s/%.2s%s", to_dir, path + 8, base)
			 : mlb_asprintf("%s/%s", to_dir, base);
	int rc = mlb_fs_mkdirs(to_dir, err);

	/* The store itself may have been faster. */
	if (rc == 0 && mlb_fs_exists(from))
		rc = mlb_fs_rename(from, to, err);
	free(to);
	free(to_dir);
	free(from);
	return rc;
}

static int
move_away(struct repair *r, struct mlb_err *err)
{
	const struct mlb_inventory *inv = &r->s->inv;
	int rc = mlb_cas_raise(r->s->p->cas, err);

	for (size_t i = 0; i < inv->damage.n && rc == 0; i++) {
		const struct mlb_inv_damage *d = &inv->damage.v[i];
		struct mlb_fsck_lost *l = mlb_fsck_lost_of(r->s, &d->digest);

		if (strncmp(d->path, "objects/", 8) == 0 && d->wrong == MLB_INV_BYTES &&
		    !(l && l->recovered))
			rc = quarantine(r, d->path, err);
	}
	for (size_t i = 0; i < inv->file.n && rc == 0; i++)
		if (r->bad[i])
			rc = quarantine(r, inv->file.v[i].path, err);
	return rc;
}

static void
protect(struct repair *r)
{
	const struct mlb_inventory *inv = &r->s->inv;

	for (size_t i = 0; i < inv->damage.n; i++) {
		char *path = mlb_asprintf("%s/%s", inv->dir, inv->damage.v[i].path);
		struct stat st;

		if (inv->damage.v[i].wrong == MLB_INV_WRITABLE && lstat(path, &st) == 0 &&
		    S_ISREG(st.st_mode) && chmod(path, st.st_mode & 0444) == 0)
			r->s->mended[i] = 1;
		free(path);
	}
}

/* ---------------------------------------------------------- indexes */

static bool
is_damaged(const struct mlb_fsck_state *s)
{
	for (size_t i = 0; i < s->row.n; i++)
		if (s->row.v[i].what == MLB_ROW_DAMAGED)
			return true;
	return false;
}

/* What was hashed just now need not be hashed again before its first use. */
static int
trust_loose(struct mlb_fsck_state *s, struct mlb_err *err)
{
	int rc = mlb_db_begin(s->p->db, err);

	for (size_t i = 0; i < s->inv.object.n; i++)
		if (s->inv.object.v[i].file == MLB_INV_LOOSE)
			mlb_cas_trust(s->p->cas, &s->inv.object.v[i].digest,
				      s->inv.object.v[i].size, (int64_t)s->inv.object.v[i].offset);
	if (rc == 0)
		rc = mlb_cas_index(s->p->cas, err);
	if (rc == 0)
		rc = mlb_db_commit(s->p->db, err);
	if (rc)
		mlb_db_rollback(s->p->db);
	return rc;
}

static int
make_indexes(struct mlb_fsck_state *s, struct mlb_err *err)
{
	struct mlb_project *p = s->p;
	int rc;

	if (is_damaged(s)) {
		mlb_results_close(p->results);
		mlb_cas_close(p->cas);
		p->results = NULL;
		p->cas = NULL;
		mlb_db_condemn(p->db);
		mlb_db_close(p->db);
		p->db = NULL;
		rc = mlb_project_cache(p, err);
		p->scan.db = p->db;
	} else {
		rc = mlb_cas_reindex(p->cas, err);
		if (rc == 0)
			rc = mlb_results_reindex(p->results, err);
	}
	return rc ? rc : trust_loose(s, err);
}

int
mlb_fsck_repair(struct mlb_fsck_state *s, struct mlb_err *err)
{
	struct repair r = { .s = s };
	size_t n = s->inv.file.n;
	int rc;

	r.bad = mlb_calloc(n + 1, 1);
	r.held = mlb_calloc(n + 1, sizeof(*r.held));
	r.record = mlb_calloc(s->inv.record.n + 1, 1);
	for (size_t i = 0; i < n; i++)
		r.held[i] = -1;
	choose_damaged(&r);
	rc = mlb_fsck_salvage(s, err);
	if (rc == 0) {
		choose_records(&r);
		rc = copy_objects(&r, err);
	}
	if (rc == 0)
		rc = copy_records(&r, err);
	if (rc == 0)
		rc = move_away(&r, err);
	if (rc == 0)
		protect(&r);
	for (size_t i = 0; i < n; i++)
		if (r.held[i] >= 0)
			close(r.held[i]);
	if (rc == 0)
		rc = make_indexes(s, err);
	s->repaired = rc == 0;
	free(r.bad);
	free(r.held);
	free(r.record);
	return rc;
}
