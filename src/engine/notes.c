/*
 * What is worth telling of mlbuild.ini, and no error. It comes with compiling, and a build
 * tells it, once: meta "told.ini" is the digest of what was told last.
 */
#include <string.h>

#include "engine/builder.h"

static void
digest_of(const struct mlb_strvec *notes, struct mlb_digest *out)
{
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	for (size_t i = 0; i < notes->n; i++)
		mlb_sha256_update(&h, notes->v[i], strlen(notes->v[i]) + 1);
	mlb_sha256_final(&h, out);
}

int
mlb_notes_drop_told(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_buf told = MLB_BUF_INIT(MLB_KIB);
	struct mlb_digest now;
	int rc;

	if (p->notes.n == 0)
		return 0;
	digest_of(&p->notes, &now);
	rc = mlb_meta_get(p->db, "told.ini", &told, err);
	if (rc == 0 && told.len == MLB_DIGEST_LEN &&
	    memcmp(mlb_buf_str(&told), now.b, MLB_DIGEST_LEN) == 0)
		mlb_strvec_release(&p->notes);
	mlb_buf_release(&told);
	return rc;
}

int
mlb_notes_tell(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_strvec *notes = &b->p->notes;
	struct mlb_digest now;

	if (notes->n == 0)
		return 0;
	for (size_t i = 0; i < notes->n; i++)
		mlb_note(b, "%s", notes->v[i]);
	digest_of(notes, &now);
	mlb_strvec_release(notes);
	return mlb_meta_set(b->p->db, "told.ini", now.b, MLB_DIGEST_LEN, err);
}
