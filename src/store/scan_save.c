/* What was found out about paths, into the stat cache. */
#include <string.h>
#include <time.h>

#include "store/scan_priv.h"
#include "store/scan_rows.h"

#define WORTH                                                                                      \
	(4 * MLB_MIB) /* bytes whose hashing takes longer than waiting until they cannot be racy */

#define LARGE 100 /* entries of a directory that fill a record */

static uint64_t
racy_bytes(const struct mlb_scan *s, int64_t now, bool *any)
{
	uint64_t sum = 0;

	*any = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct mlb_path_state *p = &s->state[i];

		if (p->lent || !p->dirty || p->racy != MLB_RACY_AT_SAVE)
			continue;
		*any = true;
		if (mlb_racy(p->st.ctime, now) && p->st.ctime <= now)
			sum += p->size;
	}
	return sum;
}

/* For paths that we put there ourselves: were they left alone long enough to trust their stat? */
static void
decide_racy(struct mlb_scan *s)
{
	int64_t now = INT64_MIN;
	bool any;

	racy_bytes(s, now, &any);
	if (!any)
		return;
	if (mlb_clock_in(&now, s->own->clock_dir, NULL) == 0 && racy_bytes(s, now, &any) > WORTH) {
		const struct timespec wait = { 0, MLB_RACY_NS + MLB_RACY_NS / 2 };

		nanosleep(&wait, NULL);
		mlb_clock_in(&now, s->own->clock_dir, NULL);
	}
	for (size_t i = 0; i < s->n; i++) {
		struct mlb_path_state *p = &s->state[i];

		if (!p->lent && p->dirty && p->racy == MLB_RACY_AT_SAVE)
			p->racy = mlb_racy(p->st.ctime, now) ? MLB_RACY_YES : MLB_RACY_NO;
	}
}

/* Marks are only written down where what they tell of is durable, and was not removed since. */
static bool
marks_hold(const struct mlb_walk *walk, struct mlb_cas *cas)
{
	if (!walk->generation)
		return false;
	if (!cas) /* they are as they were read */
		return walk->ticket == 0;
	return mlb_cas_durable(cas, walk->ticket) && mlb_cas_generation(cas) == walk->generation;
}

static int
save_walk(struct mlb_rows_writer *w, const struct mlb_walk *walk, const char *path, size_t len,
	  uint8_t flags, struct mlb_err *err)
{
	struct mlb_buf key = MLB_BUF_INIT(MLB_ROW_KEY_MAX + MLB_ROW_KEY_MAX);
	int rc = 0;

	mlb_buf_add(&key, path, len + 1); /* with the NUL */
	for (size_t i = 0; i < walk->all.n && rc == 0; i++) {
		const struct mlb_seen *seen = &walk->all.v[i];
		struct mlb_row row = { NULL,        0,
				       seen->kind,  (uint8_t)(seen->flags & flags),
				       seen->ino,   seen->size,
				       seen->mtime, seen->ctime,
				       seen->digest };

		mlb_buf_truncate(&key, len + 1);
		mlb_buf_add(&key, seen->path, seen->len);
		if (key.full) {
			mlb_buf_clear(&key);
			mlb_buf_add(&key, path, len + 1);
			continue;
		}
		row.key = key.data;
		row.len = key.len;
		rc = mlb_rows_add(w, &row, err);
	}
	mlb_buf_release(&key);
	return rc;
}

static int
save_path(struct mlb_rows_writer *w, const struct mlb_path_state *p, const char *path,
	  struct mlb_cas *cas, struct mlb_err *err)
{
	size_t len = strlen(path);
	bool linked = p->st.type == MLB_F_FILE && p->st.nlink > 1;
	struct mlb_row row = { path,       len,         p->kind,     0,        p->st.ino,
			       p->st.size, p->st.mtime, p->st.ctime, p->digest };
	bool marks = p->kind == MLB_P_TREE && p->walk && marks_hold(p->walk, cas);
	int rc;

	if (len > MLB_ROW_KEY_MAX)
		return 0;
	row.flags = (uint8_t)((linked ? MLB_SEEN_LINKED : 0) | (p->racy ? MLB_SEEN_RACY : 0));
	if (p->kind == MLB_P_TREE) {
		row.size = p->size;
		row.ino = marks ? p->walk->generation : 0;
		row.flags |= marks && p->walk->stored ? MLB_SEEN_STORED : 0;
	}
	if (p->kind == MLB_P_TREE &&
	    !p->walk) /* its files are not known: so its digest proves nothing */
		memset(&row.digest, 0, sizeof(row.digest));
	rc = mlb_rows_path(w, path, len, err);
	if (rc < 0 || p->kind == MLB_P_UNKNOWN || p->kind == MLB_P_BAD)
		return rc;
	rc = mlb_rows_add(w, &row, err);
	/* The row of a large directory changes with each of its files: their neighbours need not be written again. */
	if (rc == 0 && p->kind == MLB_P_TREE && p->walk && p->walk->all.n > LARGE)
		rc = mlb_rows_cut(w, err);
	if (rc == 0 && p->kind == MLB_P_TREE && p->walk)
		rc = save_walk(w, p->walk, path, len, marks ? UINT8_MAX : (uint8_t)~MLB_SEEN_STORED,
			       err);
	return rc;
}

void
mlb_scan_lend(struct mlb_scan *s, size_t i, bool lent)
{
	s->state[i].lent = lent;
}

int
mlb_scan_save(struct mlb_scan *s, struct mlb_cas *cas, struct mlb_err *err)
{
	struct mlb_rows_writer *w;
	int rc = 0;

	if (!s->db)
		return 0;
	decide_racy(s);
	w = mlb_rows_writer_new(s->db);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		if (!s->state[i].lent && s->state[i].dirty)
			rc = save_path(w, &s->state[i], s->path[i], cas, err);
	if (rc == 0)
		rc = mlb_rows_finish(w, err);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		if (!s->state[i].lent)
			s->state[i].dirty = false;
	mlb_rows_writer_free(w);
	return rc;
}
