#include "engine/variant.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/into.h"
#include "os/path.h"

enum { MAX_TEXT = 16 << 20, MAX_PATH_BYTES = 64 * 1024 };

int
mlb_variant_roots(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_root_stock_spec spec = {
		.project = b->p->root,
		.state_dir = b->p->state_dir,
		.vcs = b->p->vcs,
		.graph = b->m->shared ? b->m->base->g : b->g, /* lives as long as they do */
		.cas = b->p->cas,
		.file = b->p->file,
		.n_files = b->p->n_files,
	};

	return mlb_root_stock_new(&b->m->roots, &spec, err);
}

/* Where the artifacts go: --into, or a directory named by the parameters given. */
static int
artifact_dir(struct mlb_builder *b, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_digest d;
	char hex[MLB_HEX_LEN + 1];

	if (b->opt->into)
		return mlb_path_absolute(out, b->opt->into, err);
	for (size_t i = 0; i < b->p->n_overrides; i++)
		mlb_buf_addf(&text, "%s=%s\n",
			     b->p->override[i].name ? b->p->override[i].name : "@",
			     b->p->override[i].value);
	mlb_sha256_of(&d, mlb_buf_str(&text), text.len);
	mlb_digest_hex(hex, &d);
	mlb_buf_addf(out, "%s/variants/%.12s", b->p->state_dir, hex);
	mlb_buf_release(&text);
	return 0;
}

static int
put_node(struct mlb_builder *b, uint32_t n, const char *dir, struct mlb_buf *list,
	 struct mlb_err *err)
{
	const struct mlb_range out = b->g->node[n].out;
	struct mlb_buf to = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = 0;

	for (uint32_t i = 0; i < out.n && rc == 0; i++) {
		mlb_path_join(&to, dir, mlb_g_path(b->g, b->g->output[out.first + i].path));
		rc = mlb_into_put(b, out.first + i, mlb_buf_str(&to), err);
		if (rc == 0)
			mlb_buf_addf(list, "%s%s %s", list->len ? "\n" : "",
				     mlb_g_str(b->g, b->g->node[n].name), mlb_buf_str(&to));
	}
	mlb_buf_release(&to);
	return rc;
}

int
mlb_variant_artifacts(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH_BYTES), list = MLB_BUF_INIT(MAX_TEXT);
	int rc = artifact_dir(b, &dir, err);

	if (rc == 0)
		rc = mlb_project_cache(b->p, err);
	for (uint32_t n = 0; n < b->g->n_nodes && rc == 0; n++)
		if (b->plan->node[n].asked && b->plan->node[n].phase == MLB_PH_DONE &&
		    !(b->g->node[n].flags & MLB_G_SOURCE))
			rc = put_node(b, n, mlb_buf_str(&dir), &list, err);
	b->report->artifacts = mlb_buf_detach(&list);
	mlb_buf_release(&dir);
	return rc;
}
