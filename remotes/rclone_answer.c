#include "rclone_answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "http.h"
#include "iso_time.h"

#define WORDS_MAX ((size_t)4096)

static json_t *
load(const char *text, size_t len, struct mlb_err *err)
{
	json_error_t why;
	json_t *all = json_loadb(text, len, 0, &why);

	if (json_is_object(all))
		return all;
	json_decref(all);
	mlb_err_set(err, MLB_EREMOTE, "rclone's answer is no JSON object");
	return NULL;
}

/* ---------------------------------------------------------- files */

/* false: it is none: a directory, or without a size. */
static bool
take_file(const json_t *item, struct mlb_remote_entry *e)
{
	const char *time = json_string_value(json_object_get(item, "ModTime"));
	const json_t *size = json_object_get(item, "Size");

	if (!json_is_false(json_object_get(item, "IsDir")) || !json_is_integer(size) ||
	    json_integer_value(size) < 0)
		return false;
	e->name = json_string_value(json_object_get(item, "Name"));
	e->size = (uint64_t)json_integer_value(size);
	if (!time || !mlb_iso_time(&e->mtime, time) || e->mtime < 0)
		e->mtime = 0;
	return true;
}

int
mlb_rclone_list(struct mlb_remote_op *op, const char *text, size_t len, struct mlb_err *err)
{
	json_t *all = load(text, len, err);
	const json_t *list = json_object_get(all, "list");
	int rc = 0;

	if (!all)
		return MLB_EREMOTE;
	if (!json_is_array(list))
		rc = mlb_err_set(err, MLB_EREMOTE, "rclone's answer has no list of files");
	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		struct mlb_remote_entry e = { NULL, 0, 0 };

		if (take_file(json_array_get(list, i), &e) && e.name &&
		    mlb_remote_name_valid(e.name) && !strchr(e.name, '/'))
			rc = op->entry(op, &e, err);
	}
	json_decref(all);
	return rc;
}

int
mlb_rclone_item(bool *there, uint64_t *size, int64_t *mtime, const char *text, size_t len,
		struct mlb_err *err)
{
	json_t *all = load(text, len, err);
	const json_t *item = json_object_get(all, "item");
	struct mlb_remote_entry e = { NULL, 0, 0 };
	int rc = 0;

	if (!all)
		return MLB_EREMOTE;
	*there = false;
	if (json_is_object(item))
		*there = take_file(item, &e);
	else if (!json_is_null(item))
		rc = mlb_err_set(err, MLB_EREMOTE, "rclone's answer has no item");
	*size = e.size;
	*mtime = e.mtime;
	json_decref(all);
	return rc;
}

/* ---------------------------------------------------------- failures */

/* Of a URL at s: "scheme://host/path" without user and query; how many bytes it had. */
static size_t
add_url(struct mlb_buf *out, const char *s)
{
	size_t len = strcspn(s, " \t\r\n\"'<>");
	char *url = mlb_strndup(s, len);

	mlb_http_shown(out, url);
	if (strcspn(url, "?#") < len)
		mlb_buf_adds(out, "?...");
	free(url);
	return len;
}

bool
mlb_rclone_words(struct mlb_buf *out, const char *text, size_t len)
{
	json_t *all = load(text, len, NULL);
	const char *s = json_string_value(json_object_get(all, "error"));
	struct mlb_buf shown = MLB_BUF_INIT(WORDS_MAX);
	bool found = s && *s;

	while (found && *s) {
		if (strncmp(s, "http://", 7) != 0 && strncmp(s, "https://", 8) != 0)
			mlb_buf_addc(&shown, *s++);
		else
			s += add_url(&shown, s);
	}
	mlb_http_excerpt(out, mlb_buf_str(&shown), shown.len);
	mlb_buf_release(&shown);
	json_decref(all);
	return found;
}

/* The first that the words hold counts. */
static const struct {
	const char *words;
	enum mlb_remote_fault fault;
} meanings[] = {
	{ "object not found", MLB_FAULT_ABSENT },
	{ "is a directory", MLB_FAULT_ABSENT },
	{ "not a directory", MLB_FAULT_ABSENT },
	{ "didn't find section in config", MLB_FAULT_PLACE },
	{ "couldn't find method", MLB_FAULT_OTHER },
	{ "file name too long", MLB_FAULT_OTHER },
	{ "rate limit", MLB_FAULT_BUSY },
	{ "ratelimit", MLB_FAULT_BUSY },
	{ "too many requests", MLB_FAULT_BUSY },
	{ "slowdown", MLB_FAULT_BUSY },
	{ "no space left", MLB_FAULT_FULL },
	{ "quota", MLB_FAULT_FULL },
	{ "insufficient storage", MLB_FAULT_FULL },
	{ "timetooskewed", MLB_FAULT_CLOCK },
	{ "x509", MLB_FAULT_TRUST },
	{ "certificate", MLB_FAULT_TRUST },
	{ "knownhosts", MLB_FAULT_TRUST },
	{ "permission denied", MLB_FAULT_DENIED },
	{ "access denied", MLB_FAULT_DENIED },
	{ "accessdenied", MLB_FAULT_DENIED },
	{ "unauthorized", MLB_FAULT_DENIED },
	{ "forbidden", MLB_FAULT_DENIED },
	{ "unable to authenticate", MLB_FAULT_DENIED },
	{ "invalidaccesskeyid", MLB_FAULT_DENIED },
	{ "signaturedoesnotmatch", MLB_FAULT_DENIED },
	{ "invalid_grant", MLB_FAULT_DENIED },
	{ "token expired", MLB_FAULT_DENIED },
	{ "read-only file system", MLB_FAULT_DENIED },
	{ "unable to decrypt", MLB_FAULT_DENIED }, /* rclone.conf */
	{ "no such host", MLB_FAULT_PLACE },
	{ "nosuchbucket", MLB_FAULT_PLACE },
	{ "bucket does not exist", MLB_FAULT_PLACE },
	{ "no such file or directory", MLB_FAULT_PLACE },
	{ "directory not found", MLB_FAULT_PLACE },
};

enum mlb_remote_fault
mlb_rclone_fault(const char *words)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(meanings); i++)
		if (strcasestr(words, meanings[i].words))
			return meanings[i].fault;
	return MLB_FAULT_TRANSIENT;
}
