/*
 * What rclone answers to orders (rclone.org/rc): JSON objects,
 *
 *	operations/list   {"list": [{"Name": "x", "Size": 5, "ModTime": "2026-…", "IsDir": false}, …]}
 *	operations/stat   {"item": {…the same…}}, or {"item": null}
 *	a failure         {"error": "object not found", "status": 404, …}
 *
 * and what its words mean. They come from many libraries: what is not known is taken for
 * something that may go away.
 */
#ifndef REMOTES_RCLONE_ANSWER_H
#define REMOTES_RCLONE_ANSWER_H

#include "base/buf.h"
#include "mlbuild/sys/remote.h"

/* Give each file of a listing to op's entry; names that no remote has are skipped. */
int mlb_rclone_list(struct mlb_remote_op *op, const char *text, size_t len, struct mlb_err *err);

/* The file that stat has found: *there false: none, or a directory. mtime 0: not told. */
int mlb_rclone_item(bool *there, uint64_t *size, int64_t *mtime, const char *text, size_t len,
		    struct mlb_err *err);

/*
 * Append the words of a failure in one line, without what may be a secret: queries and
 * users of URLs. False: it is no answer of rclone's.
 */
bool mlb_rclone_words(struct mlb_buf *out, const char *text, size_t len);

enum mlb_remote_fault mlb_rclone_fault(const char *words);

#endif
