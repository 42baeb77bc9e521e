/*
 * A LIST by WebDAV: PROPFIND with Depth 1 (RFC 4918, section 9.1), read as it arrives.
 *
 * Of each response href, getcontentlength, getlastmodified and resourcetype count, and
 * those only where the status of their propstat is 200. Directories, and names that are
 * not ours (sys/remote.h, rule 2), are left out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remotes/fault.h"
#include "remotes/webdav_int.h"
#include "remotes/xml.h"

#define ANSWER_MAX (256 * MLB_MIB)
#define RESPONSE "multistatus/response"

static const char question[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
			       "<propfind xmlns=\"DAV:\"><prop><getcontentlength/>"
			       "<getlastmodified/><resourcetype/></prop></propfind>";

struct properties {
	bool has_size, is_dir;
	uint64_t size;
	int64_t mtime;
};

struct dav_list {
	struct mlb_xml xml;
	uint64_t bytes;        /* of the answer */
	char *parent;          /* the last part of the directory's path; "": the server's root */
	struct mlb_buf href;   /* of the response, its path decoded */
	struct properties now; /* of the propstat */
	struct properties all; /* of the response */
	bool refused;          /* the propstat's status is not 200 */
	int (*entry)(void *ctx, const struct mlb_remote_entry *e, struct mlb_err *err);
	void *ctx;
};

void
dav_list_free(struct dav_list *l)
{
	if (!l)
		return;
	mlb_xml_release(&l->xml);
	mlb_buf_release(&l->href);
	free(l->parent);
	free(l);
}

/* ------------------------------------------------------------ the answer */

/* The path of an href, which is a URL or a path. */
static int
take_href(struct dav_list *l, const char *text, struct mlb_err *err)
{
	size_t scheme = mlb_url_scheme_len(text);

	if (scheme) {
		text += scheme + 3;
		text += strcspn(text, "/");
	}
	mlb_buf_clear(&l->href);
	if (mlb_url_decode(&l->href, text, strcspn(text, "?#")))
		return 0;
	return mlb_err_set(err, MLB_EREMOTE, "the server lists a name that cannot be read");
}

/*
 * The name in href, and whether the part before it is the directory's: a proxy may have
 * changed what stands before that. NULL: it is another directory's.
 */
static const char *
name_in(const struct dav_list *l)
{
	const char *path = mlb_buf_str(&l->href);
	const char *slash = strrchr(path, '/');
	size_t n = strlen(l->parent);

	if (!slash)
		return NULL;
	if ((size_t)(slash - path) < n || memcmp(slash - n, l->parent, n) != 0 ||
	    (n && slash - n > path && slash[-(ptrdiff_t)n - 1] != '/'))
		return NULL;
	return slash + 1;
}

static int
end_response(struct dav_list *l, struct mlb_err *err)
{
	struct properties p = l->all;
	struct mlb_remote_entry e = { .size = p.size, .mtime = p.mtime };

	memset(&l->all, 0, sizeof(l->all));
	if (p.is_dir || mlb_str_ends(mlb_buf_str(&l->href), "/"))
		return 0;
	e.name = name_in(l);
	if (!e.name)
		return mlb_err_set(err, MLB_EREMOTE,
				   "the server lists '%s', which is not in the directory '%s'",
				   mlb_buf_str(&l->href), l->parent);
	if (!mlb_remote_name_valid(e.name))
		return 0;
	if (!p.has_size)
		return mlb_err_set(err, MLB_EREMOTE, "the server does not tell the size of '%s'",
				   e.name);
	return l->entry(l->ctx, &e, err);
}

static void
end_propstat(struct dav_list *l)
{
	struct properties p = l->now;

	memset(&l->now, 0, sizeof(l->now));
	if (l->refused)
		return;
	l->all.is_dir |= p.is_dir;
	if (p.has_size) {
		l->all.has_size = true;
		l->all.size = p.size;
	}
	if (p.mtime)
		l->all.mtime = p.mtime;
}

static int
element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct dav_list *l = ctx;

	if (!mlb_str_starts(path, RESPONSE))
		return 0;
	path += strlen(RESPONSE);
	if (!*path)
		return end_response(l, err);
	if (!strcmp(path, "/href"))
		return take_href(l, text, err);
	if (!strcmp(path, "/propstat/status"))
		l->refused = strstr(text, " 200") == NULL;
	else if (!strcmp(path, "/propstat/prop/resourcetype/collection"))
		l->now.is_dir = true;
	else if (!strcmp(path, "/propstat/prop/getcontentlength"))
		l->now.has_size = mlb_parse_u64(text, &l->now.size);
	else if (!strcmp(path, "/propstat/prop/getlastmodified") &&
		 !mlb_http_date(text, &l->now.mtime))
		l->now.mtime = 0;
	else if (!strcmp(path, "/propstat"))
		end_propstat(l);
	return 0;
}

static int
read_answer(struct mlb_http_request *q, const void *data, size_t len, struct mlb_err *err)
{
	struct dav_list *l = ((struct dav_job *)q->ctx)->list;

	if (q->status != 207)
		return mlb_err_set(
			err, MLB_EREMOTE,
			"the server answers %u to PROPFIND: it is no WebDAV, or not at that url",
			q->status);
	l->bytes += len;
	if (l->bytes > ANSWER_MAX)
		return mlb_err_set(err, MLB_EREMOTE, "the server's listing is longer than 256 MiB");
	return mlb_xml_feed(&l->xml, data, len, err);
}

void
dav_list_ask(struct dav_job *j, const char *dir,
	     int (*entry)(void *ctx, const struct mlb_remote_entry *e, struct mlb_err *err),
	     void *ctx, void (*done)(struct mlb_http_request *q))
{
	struct dav_list *l = mlb_calloc(1, sizeof(*l));
	const char *slash = strrchr(dir, '/');

	mlb_xml_init(&l->xml, element, l);
	mlb_buf_init(&l->href, MLB_URL_MAX);
	l->parent = mlb_strdup(!*dir ? j->dav->dir : slash ? slash + 1 : dir);
	l->entry = entry;
	l->ctx = ctx;
	dav_list_free(j->list);
	j->list = l;
	dav_ask(j, "PROPFIND", dir, "/", done);
	mlb_http_header(&j->q, "Depth: 1");
	mlb_http_header(&j->q, "Content-Type: application/xml; charset=utf-8");
	j->q.body = question;
	j->q.size = sizeof(question) - 1;
	j->q.sink = read_answer;
	mlb_http_start(j->dav->http, &j->q);
}

/* ------------------------------------------------------------ the operation */

static void
finish(struct dav_job *j)
{
	dav_outcome(j);
	dav_end(j);
}

/* There was no such directory: is there the remote's? */
static void
root_ended(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;

	if (q->status == 404)
		mlb_http_fail(q, MLB_FAULT_PLACE,
			      "there is no directory '%s' on the server: look at url, or make it",
			      j->dav->url);
	finish(j);
}

static void
list_ended(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;
	struct mlb_err err = MLB_ERR_INIT;

	if (q->status == 404 && *j->op->name) {
		dav_ask(j, "PROPFIND", "", "/", root_ended);
		mlb_http_header(&j->q, "Depth: 0");
		mlb_http_header(&j->q, "Content-Type: application/xml; charset=utf-8");
		j->q.body = question;
		j->q.size = sizeof(question) - 1;
		mlb_http_start(j->dav->http, &j->q);
		return;
	}
	if (q->status == 404)
		root_ended(q);
	else {
		if (!q->rc && mlb_xml_finish(&j->list->xml, &err))
			mlb_http_fail(q, MLB_FAULT_OTHER, "%s", err.text);
		mlb_err_release(&err);
		finish(j);
	}
}

static int
give(void *ctx, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct mlb_remote_op *op = ctx;

	return op->entry(op, e, err);
}

void
dav_list(struct dav_job *j)
{
	dav_list_ask(j, j->op->name, give, j->op, list_ended);
}
