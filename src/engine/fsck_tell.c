/* What was found, as sentences. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/fsck.h"
#include "engine/needs.h"
#include "os/fs.h"

#define MEND_BUILD "it cannot be had again: the next build makes it"
#define MEND_SOURCE                                                                                \
	"it cannot be had again, and no build makes a source: put it back from another copy"
#define MEND_REPAIR "'mlbuild fsck --repair' mends what can be mended"
#define MEND_INDEX "it is made again from the packs"

/* mended: a repair dealt with it, and nothing is lost. */
static void
tell(struct mlb_fsck_state *s, enum mlb_finding level, const char *kind, const char *path,
     const struct mlb_digest *digest, const char *what, const char *mend, bool mended)
{
	const struct mlb_fsck_lost *l = digest ? mlb_fsck_lost_of(s, digest) : NULL;
	char hex[MLB_HEX_LEN + 1] = "";
	struct mlb_fsck_info info = { .level = level,
				      .kind = kind,
				      .path = path,
				      .object = hex,
				      .what = what,
				      .mend = mend,
				      .repaired = mended };

	if (s->stopped)
		return;
	if (digest && !mlb_digest_is_zero(digest))
		mlb_digest_hex(hex, digest);
	if (l) {
		info.target = l->target.v;
		info.n_targets = l->target.n;
	}
	s->report->problems += level == MLB_FINDING_PROBLEM;
	s->report->notes += level == MLB_FINDING_NOTE;
	s->report->repaired += level == MLB_FINDING_PROBLEM && mended;
	if (s->opt->on_finding)
		s->stopped = s->opt->on_finding(s->opt->ctx, &info);
}

/* Whether the bytes are to be had: from another copy, or stored again. */
static bool
is_had(const struct mlb_fsck_state *s, const struct mlb_digest *digest,
       const struct mlb_fsck_lost *l)
{
	return (l && l->recovered) || mlb_inventory_find(&s->inv, digest);
}

/* What is left to do where the bytes are nowhere. */
static const char *
mend_nowhere(const struct mlb_fsck_lost *l)
{
	return l && l->source && !l->made ? MEND_SOURCE : MEND_BUILD;
}

/* What became of an object. */
static const char *
outcome(struct mlb_fsck_state *s, const struct mlb_digest *digest)
{
	const struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, digest);

	if (mlb_digest_is_zero(digest))
		return "what is right in it is in another pack";
	if (l && l->recovered)
		return mlb_arena_printf(&s->arena, "it was stored again from '%s'", l->recovered);
	if (mlb_inventory_find(&s->inv, digest))
		return "another copy of it is right";
	return mend_nowhere(l);
}

static const char *
mend_of(struct mlb_fsck_state *s, const struct mlb_digest *digest, bool mended)
{
	if (!s->repaired)
		return MEND_REPAIR;
	if (!mended)
		return "another process uses it: repair it later";
	return mlb_arena_printf(&s->arena, "moved to quarantine/; %s", outcome(s, digest));
}

/* A path below the cache as a person would type it. */
static const char *
shown(struct mlb_fsck_state *s, const char *path)
{
	char *full = mlb_arena_printf(&s->arena, "%s/%s", s->inv.dir, path);
	size_t len = strlen(s->p->root);

	if (strncmp(full, s->p->root, len) == 0 && full[len] == '/')
		return full + len + 1;
	return full;
}

static void
tell_bytes(struct mlb_fsck_state *s, const struct mlb_inv_damage *d)
{
	bool loose = strncmp(d->path, "objects/", 8) == 0;
	bool mended = s->mended[d - s->inv.damage.v];
	const char *kind = loose                                  ? "object"
			   : strncmp(d->path, "actions/", 8) == 0 ? "record"
								  : "pack";
	const char *what;

	if (loose)
		what = "its bytes are not those of its name";
	else if (mlb_digest_is_zero(&d->digest))
		what = mlb_arena_printf(&s->arena, "it is damaged at byte %llu",
					(unsigned long long)d->offset);
	else
		what = mlb_arena_printf(&s->arena, "%s at byte %llu is damaged",
					strcmp(kind, "record") == 0 ? "the record" : "the object",
					(unsigned long long)d->offset);
	tell(s, MLB_FINDING_PROBLEM, kind, shown(s, d->path), &d->digest, what,
	     mend_of(s, &d->digest, mended),
	     mended && (mlb_digest_is_zero(&d->digest) ||
			is_had(s, &d->digest, mlb_fsck_lost_of(s, &d->digest))));
}

static void
tell_damage(struct mlb_fsck_state *s, const struct mlb_inv_damage *d)
{
	const char *path = shown(s, d->path);

	bool mended = s->mended[d - s->inv.damage.v];

	switch ((enum mlb_inv_wrong)d->wrong) {
	case MLB_INV_BYTES:
		tell_bytes(s, d);
		break;
	case MLB_INV_HEAD:
		tell(s, MLB_FINDING_PROBLEM, "pack", path, NULL, "its first bytes are damaged",
		     mend_of(s, &d->digest, mended), mended);
		break;
	case MLB_INV_INDEX:
		tell(s, MLB_FINDING_PROBLEM, "pack", path, NULL, "its index is damaged or cut off",
		     mend_of(s, &d->digest, mended), mended);
		break;
	case MLB_INV_NAME:
		tell(s, MLB_FINDING_PROBLEM, "pack", path, NULL,
		     "its bytes are not those of its name", mend_of(s, &d->digest, mended), mended);
		break;
	case MLB_INV_TAIL:
		tell(s, MLB_FINDING_NOTE, "pack", path, NULL,
		     mlb_arena_printf(&s->arena,
				      "it ends in something unfinished, from byte %llu on",
				      (unsigned long long)d->offset),
		     mended ? mend_of(s, &d->digest, true)
			    : "it is cut off when the pack is continued",
		     mended);
		break;
	case MLB_INV_UNREADABLE:
		tell(s, MLB_FINDING_PROBLEM, "object", path, NULL,
		     mlb_arena_printf(&s->arena, "it cannot be read: %s", d->text ? d->text : ""),
		     "make it readable", false);
		break;
	case MLB_INV_LATER:
		tell(s, MLB_FINDING_NOTE, "pack", path, NULL,
		     "it was written by a later mlbuild, and not examined", "", false);
		break;
	case MLB_INV_BUSY:
		tell(s, MLB_FINDING_NOTE, "pack", path, NULL,
		     "another process writes it: its end was not examined", "", false);
		break;
	case MLB_INV_WRITABLE:
		tell(s, MLB_FINDING_NOTE, "object", path, NULL,
		     "it is writable, which invites accidents",
		     mended ? "it is read-only now" : MEND_REPAIR, mended);
		break;
	case MLB_INV_FOREIGN:
		tell(s, MLB_FINDING_NOTE, "foreign", path, NULL,
		     "nothing of mlbuild has this name; it is left alone", "", false);
		break;
	}
}

static void
tell_lost(struct mlb_fsck_state *s, const struct mlb_fsck_lost *l)
{
	const char *held = l->held[0] ? l->held : "a result";
	const char *mend = s->repaired ? outcome(s, &l->digest) : MEND_REPAIR;

	if (l->damaged && !l->no_tree)
		return; /* told with the file */
	if (l->no_tree && (l->missing || l->target.n))
		tell(s, MLB_FINDING_PROBLEM, "tree", "", &l->digest,
		     "a directory needs it as a tree node, and it is none", mend_nowhere(l), false);
	else if (l->missing)
		tell(s, MLB_FINDING_PROBLEM, "missing", "", &l->digest,
		     mlb_arena_printf(&s->arena, "it is not in the cache, and '%s' needs it", held),
		     mend, l->recovered);
	else if (l->elsewhere)
		tell(s, MLB_FINDING_NOTE, "lock", "", &l->digest,
		     mlb_arena_printf(&s->arena,
				      "mlbuild.lock names it for '%s', and it is neither in the "
				      "cache nor in the workspace",
				      held),
		     mend_nowhere(l), l->recovered);
}

/* Does the lock mean a result of this key, and is there no record of it any more? */
static bool
is_missed(const struct mlb_fsck_state *s, const struct mlb_digest *key)
{
	bool locked = false;

	for (size_t i = 0; i < s->owners.holder.n; i++) {
		if (!mlb_digest_equal(&s->owners.holder.v[i].key, key))
			continue;
		if (s->owners.holder.v[i].by == MLB_HELD_RECORD)
			return false;
		locked = true;
	}
	return locked;
}

static bool
is_in_damaged(const struct mlb_fsck_state *s, const char *path)
{
	for (size_t i = 0; i < s->inv.damage.n; i++)
		if (strcmp(s->inv.damage.v[i].path, path) == 0)
			return true;
	return false;
}

/* What was collected, by a gc that was killed then or by that of another project: its row hurts nobody. */
static uint64_t
left_over(struct mlb_fsck_state *s, const struct mlb_inv_row_info *r)
{
	const struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, &r->digest);

	switch (r->what) {
	case MLB_ROW_NO_PACK:
		return r->count;
	case MLB_ROW_NO_OBJECT:
		/* Of a pack that is there, nothing was collected. */
		return strncmp(r->path, "packs/", 6) != 0 &&
		       !(l && (l->damaged || l->missing || l->elsewhere || l->needed));
	case MLB_ROW_NO_RECORD:
		return !is_missed(s, &r->digest) && !is_in_damaged(s, r->path);
	case MLB_ROW_DAMAGED:
	case MLB_ROW_UNKNOWN:
		break;
	}
	return 0;
}

static void
tell_row(struct mlb_fsck_state *s, const struct mlb_inv_row_info *r)
{
	const struct mlb_fsck_lost *l = mlb_fsck_lost_of(s, &r->digest);
	const char *what = "";

	switch (r->what) {
	case MLB_ROW_DAMAGED:
		what = mlb_arena_printf(&s->arena, "it is damaged: %s", r->text);
		break;
	case MLB_ROW_NO_PACK:
		return;
	case MLB_ROW_NO_OBJECT:
		if (l && (l->damaged || l->missing || l->elsewhere))
			return; /* told already */
		what = mlb_arena_printf(&s->arena, "it names an object in '%s' that is not there",
					shown(s, r->path));
		break;
	case MLB_ROW_NO_RECORD:
		what = "it names a result of what mlbuild.lock has that is not there";
		break;
	case MLB_ROW_UNKNOWN:
		what = mlb_arena_printf(&s->arena, "it does not know %llu objects of '%s'",
					(unsigned long long)r->count, shown(s, r->path));
		break;
	}
	tell(s, MLB_FINDING_PROBLEM, "database", ".mlbuild/state.db",
	     r->what == MLB_ROW_NO_OBJECT ? &r->digest : NULL, what,
	     s->repaired ? MEND_INDEX : MEND_REPAIR, s->repaired);
}

static void
tell_rows(struct mlb_fsck_state *s)
{
	uint64_t n = 0, one;

	for (size_t i = 0; i < s->row.n; i++) {
		one = left_over(s, &s->row.v[i]);
		n += one;
		if (!one)
			tell_row(s, &s->row.v[i]);
	}
	if (n)
		tell(s, MLB_FINDING_NOTE, "database", ".mlbuild/state.db", NULL,
		     mlb_arena_printf(&s->arena,
				      "it names %llu things that were collected, and nobody needs",
				      (unsigned long long)n),
		     s->repaired ? MEND_INDEX : "", s->repaired);
}

/* What projects need: a file that nobody can read keeps gc from removing anything. */
static void
tell_roots(struct mlb_fsck_state *s)
{
	char *dir = mlb_asprintf("%s/roots", s->inv.dir), *own = mlb_needs_path(s->p);
	struct mlb_dirents list = MLB_VEC_INIT;

	if (mlb_fs_exists(dir))
		mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n; i++) {
		char *name = mlb_arena_printf(&s->arena, "roots/%s", list.v[i].name);
		char *path = mlb_arena_printf(&s->arena, "%s/%s", s->inv.dir, name);
		bool mended;

		if (mlb_needs_is_temporary(list.v[i].name) || mlb_needs_readable(path))
			continue;
		mended = s->repaired && strcmp(path, own) == 0 &&
			 mlb_needs_add(s->p, &s->p->lock, NULL) == 0;
		tell(s, MLB_FINDING_PROBLEM, "roots", shown(s, name), NULL,
		     "what it says that a project needs cannot be read",
		     mended ? "it was written anew" : "a build in that project writes it anew",
		     mended);
	}
	mlb_dirents_release(&list);
	free(own);
	free(dir);
}

static void
tell_records(struct mlb_fsck_state *s)
{
	for (size_t i = 0; i < s->owners.bad_record.n; i++) {
		const struct mlb_inv_object *o = &s->inv.record.v[s->owners.bad_record.v[i]];

		tell(s, MLB_FINDING_PROBLEM, "record", shown(s, s->inv.file.v[o->file].path), NULL,
		     mlb_arena_printf(&s->arena, "what it holds at byte %llu is no result record",
				      (unsigned long long)o->offset),
		     s->repaired ? "moved to quarantine/" : MEND_REPAIR, s->repaired);
	}
}

void
mlb_fsck_tell_lock(struct mlb_fsck_state *s, const char *text)
{
	tell(s, MLB_FINDING_PROBLEM, "lock", "mlbuild.lock", NULL, text,
	     "take it from git, or build without it", false);
}

void
mlb_fsck_tell(struct mlb_fsck_state *s)
{
	if (s->db_was_broken)
		tell(s, MLB_FINDING_PROBLEM, "database", ".mlbuild/state.db", NULL,
		     "it was damaged, and is set aside",
		     "it was made anew: nothing in it was the only copy", s->repaired);
	for (size_t i = 0; i < s->inv.damage.n; i++)
		tell_damage(s, &s->inv.damage.v[i]);
	tell_records(s);
	tell_roots(s);
	for (uint32_t i = 0; i < s->lost.n; i++)
		tell_lost(s, s->lost.entry[i].u.ptr);
	tell_rows(s);
}
