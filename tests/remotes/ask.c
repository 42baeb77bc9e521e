/*
 * Asks a remote's backend, once and without a session, and prints what came of it:
 *
 *	remotes_ask URL [KEY=VALUE]... -- put NAME FILE
 *	                                  new NAME FILE       (put if absent)
 *	                                  get NAME [OFFSET [LEN]]
 *	                                  stat NAME
 *	                                  list DIR
 *	                                  delete NAME...
 *
 * stdout: the bytes, "SIZE MTIME", or a line "NAME SIZE" for each, sorted by nobody.
 * Failed: stderr has "FAULT: text", and " (hint)" where there is one; 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mlbuild/sys/remote.h"
#include "os/fs.h"

static const char *const faults[] = {
	[MLB_FAULT_NONE] = "NONE",     [MLB_FAULT_ABSENT] = "ABSENT",
	[MLB_FAULT_EXISTS] = "EXISTS", [MLB_FAULT_TRANSIENT] = "TRANSIENT",
	[MLB_FAULT_BUSY] = "BUSY",     [MLB_FAULT_DENIED] = "DENIED",
	[MLB_FAULT_CLOCK] = "CLOCK",   [MLB_FAULT_TRUST] = "TRUST",
	[MLB_FAULT_FULL] = "FULL",     [MLB_FAULT_PLACE] = "PLACE",
	[MLB_FAULT_OTHER] = "OTHER",   [MLB_FAULT_CANCELLED] = "CANCELLED",
};

static const char *
get_key(const struct mlb_remote_config *c, const char *key)
{
	size_t n = strlen(key);

	for (char *const *a = (char *const *)c->ctx; *a && strcmp(*a, "--") != 0; a++)
		if (!strncmp(*a, key, n) && (*a)[n] == '=')
			return *a + n + 1;
	return NULL;
}

static const char *
get_env(const struct mlb_remote_config *c, const char *name)
{
	(void)c;
	return getenv(name);
}

static int
print_bytes(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)op;
	return fwrite(data, 1, len, stdout) == len ? 0 : mlb_err_set(err, MLB_ESYSTEM, "stdout");
}

static int
print_entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	(void)op;
	(void)err;
	printf("%s %" PRIu64 "\n", e->name, e->size);
	return 0;
}

static void
ended(struct mlb_remote_op *op)
{
	*(bool *)op->ctx = true;
}

/* Words behind "--" to an operation; false: they are wrong. */
static bool
read_words(struct mlb_remote_op *op, char **word, int n, struct mlb_buf *body)
{
	struct mlb_err err = MLB_ERR_INIT;

	op->name = n > 1 ? word[1] : "";
	op->len = MLB_REMOTE_TO_END;
	op->sink = print_bytes;
	op->entry = print_entry;
	if (n == 3 && (!strcmp(word[0], "put") || !strcmp(word[0], "new"))) {
		op->verb = MLB_REMOTE_PUT;
		op->if_absent = *word[0] == 'n';
		if (mlb_fs_read(body, word[2], &err))
			return false;
		op->data = mlb_buf_str(body);
		op->size = body->len;
	} else if (n >= 2 && n <= 4 && !strcmp(word[0], "get")) {
		op->verb = MLB_REMOTE_GET;
		if (n > 2)
			op->offset = strtoull(word[2], NULL, 10);
		if (n > 3)
			op->len = strtoull(word[3], NULL, 10);
	} else if (n == 2 && !strcmp(word[0], "stat")) {
		op->verb = MLB_REMOTE_STAT;
	} else if (n == 2 && !strcmp(word[0], "list")) {
		op->verb = MLB_REMOTE_LIST;
	} else if (n >= 1 && !strcmp(word[0], "delete")) {
		op->verb = MLB_REMOTE_DELETE;
		op->names = (const char *const *)word + 1;
		op->n_names = (size_t)n - 1;
	} else {
		return false;
	}
	return true;
}

static int
report(struct mlb_remote *r, const struct mlb_remote_op *op)
{
	const char *hint = r->backend->hint ? r->backend->hint(r, op->fault) : NULL;

	if (!op->rc && op->verb == MLB_REMOTE_STAT)
		printf("%" PRIu64 " %" PRId64 "\n", op->total, op->mtime);
	if (!op->rc)
		return 0;
	fprintf(stderr, "%s: %s%s%s%s\n", faults[op->fault], op->err.text, hint ? " (" : "",
		hint ? hint : "", hint ? ")" : "");
	return 1;
}

int
main(int argc, char **argv)
{
	struct mlb_remote_config c = { "team", argv[1], get_key, get_env, argv + 2 };
	const struct mlb_remote_backend *b;
	struct mlb_buf body = MLB_BUF_INIT(MLB_GIB * 8);
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote *r;
	bool done = false;
	int i = 2, rc;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	if (++i >= argc || !read_words(&op, argv + i, argc - i, &body)) {
		fprintf(stderr, "usage: remotes_ask URL [KEY=VALUE]... -- VERB WORD...\n");
		return 2;
	}
	if (mlb_remote_backend(&b, argv[1], &err) || b->open(&r, &c, &err)) {
		fprintf(stderr, "open: %s\n", err.text);
		return 2;
	}
	op.done = ended;
	op.ctx = &done;
	b->start(r, &op);
	while (!done && !b->wait(r, -1, &err))
		;
	rc = report(r, &op);
	mlb_err_release(&op.err);
	b->close(r);
	mlb_buf_release(&body);
	return rc;
}
