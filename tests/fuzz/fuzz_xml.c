/*
 * XML as servers send it, and what is shown of an error's body. What is read does not
 * depend on where the pieces end; texts are UTF-8, paths as long as promised.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/text.h"
#include "remotes/http.h"
#include "remotes/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	uint64_t *sum = ctx;

	(void)err;
	if (strlen(path) > 512 || strlen(text) > 16384 || !mlb_is_utf8(text, strlen(text)))
		abort();
	*sum = mlb_hash64(path, strlen(path), *sum);
	*sum = mlb_hash64(text, strlen(text), *sum);
	return 0;
}

/* What was read, in pieces of this size, as one number. */
static uint64_t
read_in(const uint8_t *data, size_t size, size_t piece)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_xml x;
	uint64_t sum = 0;
	int rc = 0;

	mlb_xml_init(&x, element, &sum);
	for (size_t at = 0; !rc && at < size; at += piece)
		rc = mlb_xml_feed(&x, data + at, MLB_MIN(piece, size - at), &err);
	if (!rc)
		rc = mlb_xml_finish(&x, &err);
	if (!rc && x.path.len)
		abort();
	if (rc)
		sum = mlb_hash64(err.text, strlen(err.text), sum);
	mlb_err_release(&err);
	mlb_xml_release(&x);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_buf shown = MLB_BUF_INIT(SIZE_MAX);
	uint64_t whole = read_in(data, size, size ? size : 1);

	if (read_in(data, size, 1) != whole || read_in(data, size, 7) != whole)
		abort();
	mlb_http_excerpt(&shown, (const char *)data, size);
	if (!mlb_is_utf8(mlb_buf_str(&shown), shown.len))
		abort();
	mlb_buf_release(&shown);
	return 0;
}
