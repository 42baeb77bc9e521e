#include "azure_listing.h"

#include <string.h>

#include "base/text.h"
#include "http.h"

#define NAME_MAX_BYTES ((size_t)4096) /* Azure's names have 1,024 characters */
#define MARKER_MAX ((size_t)4096)
#define ROOT "EnumerationResults"
#define BLOB ROOT "/Blobs/Blob"

/* The blob that was read is all there. */
static int
give(struct mlb_azure_listing *l, struct mlb_err *err)
{
	const char *name = mlb_buf_str(&l->name);
	struct mlb_remote_entry e = { name, l->size, l->mtime };
	bool sized = l->sized;

	l->sized = false;
	l->mtime = 0;
	if (!mlb_str_starts(name, l->prefix))
		return mlb_err_set(err, MLB_EREMOTE,
				   "the server lists a blob that is not below '%s', which was "
				   "asked for",
				   l->prefix);
	e.name += strlen(l->prefix);
	if (!mlb_remote_name_valid(e.name) || strchr(e.name, '/'))
		return 0;
	if (!sized)
		return mlb_err_set(err, MLB_EREMOTE, "the server lists '%s' without its size",
				   e.name);
	return l->op->entry(l->op, &e, err);
}

static int
element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct mlb_azure_listing *l = ctx;

	if (!strcmp(path, ROOT)) {
		l->root = true;
	} else if (!strcmp(path, ROOT "/NextMarker")) {
		mlb_buf_clear(&l->marker);
		mlb_buf_adds(&l->marker, text);
		return mlb_buf_check(&l->marker, "NextMarker of a listing", err);
	} else if (!strcmp(path, BLOB "/Name")) {
		mlb_buf_clear(&l->name);
		mlb_buf_adds(&l->name, text);
		return mlb_buf_check(&l->name, "the name of a blob", err);
	} else if (!strcmp(path, BLOB "/Properties/Content-Length")) {
		l->sized = mlb_parse_u64(text, &l->size);
	} else if (!strcmp(path, BLOB "/Properties/Last-Modified")) {
		if (!mlb_http_date(text, &l->mtime))
			l->mtime = 0;
	} else if (!strcmp(path, BLOB)) {
		int rc = give(l, err);

		mlb_buf_clear(&l->name);
		return rc;
	}
	return 0;
}

void
mlb_azure_listing_init(struct mlb_azure_listing *l, struct mlb_remote_op *op, const char *prefix)
{
	memset(l, 0, sizeof(*l));
	l->op = op;
	l->prefix = prefix;
	mlb_buf_init(&l->name, NAME_MAX_BYTES);
	mlb_buf_init(&l->marker, MARKER_MAX);
	mlb_xml_init(&l->xml, element, l);
}

int
mlb_azure_listing_feed(struct mlb_azure_listing *l, const void *data, size_t len,
		       struct mlb_err *err)
{
	return mlb_xml_feed(&l->xml, data, len, err);
}

int
mlb_azure_listing_finish(struct mlb_azure_listing *l, struct mlb_err *err)
{
	int rc = mlb_xml_finish(&l->xml, err);

	if (!rc && !l->root)
		rc = mlb_err_set(err, MLB_EREMOTE, "what the server answers is no listing");
	return rc;
}

void
mlb_azure_listing_release(struct mlb_azure_listing *l)
{
	mlb_xml_release(&l->xml);
	mlb_buf_release(&l->name);
	mlb_buf_release(&l->marker);
}
