/*
 * A remote by hand, without a session: what tests and measurements of one backend use.
 *
 *	remotes_ops [-o KEY=VALUE]... URL COMMAND
 *
 *	get NAME [OFFSET [LEN]]     to stdout
 *	resume NAME                 the same; goes on where it was cut, ten times at most
 *	put NAME FILE               add NAME FILE: only if it is absent
 *	stat NAME                   SIZE MTIME
 *	list DIR                    NAME SIZE, a line each
 *	delete NAME...
 *	many get|put|add|delete DIR N SIZE AT_ONCE
 *	                            N names DIR/000000...; tells the seconds
 *	race NAME N                 N puts if absent at once; tells how many succeeded
 *
 * Exit: 0, 2 for a wrong call, else 10 + enum mlb_remote_fault, and why on stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "mlbuild/sys/remote.h"
#include "os/clock.h"
#include "os/fs.h"

#define MOST 1000000

static const char *option[20];
static size_t n_options;

static struct {
	struct mlb_remote *r;
	unsigned going, failed;
	size_t size;       /* bytes of one name of many */
	uint64_t received; /* bytes */
	int fault;         /* of the first that failed */
	int why;           /* the number of failures told */
} now;

MLB_NORETURN static void
usage(void)
{
	fprintf(stderr, "usage: see the top of tests/remotes/ops.c\n");
	exit(2);
}

static const char *
key(const struct mlb_remote_config *c, const char *name)
{
	size_t n = strlen(name);

	(void)c;
	for (size_t i = 0; i < n_options; i++)
		if (!strncmp(option[i], name, n) && option[i][n] == '=')
			return option[i] + n + 1;
	return NULL;
}

static const char *
env(const struct mlb_remote_config *c, const char *name)
{
	(void)c;
	return getenv(name);
}

static int
to_stdout(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)op;
	if (fwrite(data, 1, len, stdout) != len)
		return mlb_err_set(err, MLB_ESYSTEM, "cannot write to stdout");
	return MLB_OK;
}

static int
count(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)op;
	(void)data;
	(void)err;
	now.received += len;
	return MLB_OK;
}

static int
tell(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	(void)op;
	(void)err;
	printf("%s %llu\n", e->name, (unsigned long long)e->size);
	return MLB_OK;
}

static void
explain(const struct mlb_remote_op *op)
{
	const struct mlb_remote_backend *b = now.r->backend;
	const char *hint = b->hint ? b->hint(now.r, op->fault) : NULL;

	fprintf(stderr, "%s%s%s\n", op->err.text, hint ? "; " : "", hint ? hint : "");
}

static void
done(struct mlb_remote_op *op)
{
	now.going--;
	if (op->rc) {
		now.failed++;
		if (!now.fault)
			now.fault = (int)op->fault;
		if (now.why++ < 3)
			explain(op);
	}
	mlb_err_release(&op->err);
}

static void
start(struct mlb_remote_op *op)
{
	op->done = done;
	now.going++;
	now.r->backend->start(now.r, op);
}

static void
wait_until(unsigned going)
{
	struct mlb_err err = MLB_ERR_INIT;

	while (now.going > going)
		if (now.r->backend->wait(now.r, -1, &err) != 0) {
			fprintf(stderr, "%s\n", err.text);
			exit(9);
		}
}

static void
run(struct mlb_remote_op *op)
{
	start(op);
	wait_until(0);
}

static uint64_t
number(const char *s)
{
	char *end;
	unsigned long long n = strtoull(s, &end, 10);

	if (*end || !*s)
		usage();
	return n;
}

/* ---------------------------------------------------------- one operation */

static void
get(char **arg, int n)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET, .name = arg[0], .sink = to_stdout };

	op.offset = n > 1 ? number(arg[1]) : 0;
	op.len = n > 2 ? number(arg[2]) : MLB_REMOTE_TO_END;
	run(&op);
}

static void
resume(char **arg, int n)
{
	uint64_t at = 0;

	(void)n;
	for (int i = 0; i < 10; i++) {
		struct mlb_remote_op op = { .verb = MLB_REMOTE_GET,
					    .name = arg[0],
					    .sink = to_stdout,
					    .offset = at,
					    .len = MLB_REMOTE_TO_END };

		now.fault = 0;
		run(&op);
		at += op.moved;
		if (now.fault != MLB_FAULT_TRANSIENT)
			return;
		fprintf(stderr, "cut after %llu bytes\n", (unsigned long long)at);
	}
}

static void
put_or_add(char **arg, bool if_absent)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_op op = { .verb = MLB_REMOTE_PUT, .name = arg[0], .if_absent = if_absent };

	if (mlb_fs_read(&data, arg[1], &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(2);
	}
	op.data = data.data;
	op.size = data.len;
	run(&op);
	mlb_buf_release(&data);
}

static void
put(char **arg, int n)
{
	(void)n;
	put_or_add(arg, false);
}

static void
add(char **arg, int n)
{
	(void)n;
	put_or_add(arg, true);
}

static void
stat_name(char **arg, int n)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_STAT, .name = arg[0] };

	(void)n;
	run(&op);
	if (!op.rc)
		printf("%llu %lld\n", (unsigned long long)op.total, (long long)op.mtime);
}

static void
list(char **arg, int n)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_LIST, .name = arg[0], .entry = tell };

	(void)n;
	run(&op);
}

static void delete (char **arg, int n)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE,
				    .names = (const char *const *)(uintptr_t)arg,
				    .n_names = (size_t)n };

	run(&op);
}

/* ---------------------------------------------------------- many */

static void
fill(struct mlb_remote_op *op, const char *what, const char *data, const char *const *name)
{
	*op = (struct mlb_remote_op){ .verb = MLB_REMOTE_PUT,
				      .name = *name,
				      .data = data,
				      .size = now.size,
				      .if_absent = !strcmp(what, "add") };
	if (!strcmp(what, "get")) {
		op->verb = MLB_REMOTE_GET;
		op->sink = count;
		op->len = MLB_REMOTE_TO_END;
	} else if (!strcmp(what, "delete")) {
		op->verb = MLB_REMOTE_DELETE;
		op->names = name;
		op->n_names = 1;
	}
}

static void
many(char **arg, int n)
{
	size_t total = (size_t)MLB_MIN(number(arg[2]), MOST);
	unsigned at_once = (unsigned)number(arg[4]);
	struct mlb_remote_op *op = mlb_calloc(total, sizeof(*op));
	char **name = mlb_calloc(total, sizeof(*name));
	uint64_t began;
	char *data;

	(void)n;
	now.size = (size_t)number(arg[3]);
	data = mlb_calloc(now.size + 1, 1);
	for (size_t i = 0; i < total; i++) {
		name[i] = mlb_asprintf("%s/%06zu", arg[1], i);
		fill(&op[i], arg[0], data, (const char *const *)&name[i]);
	}
	began = mlb_clock_mono();
	for (size_t i = 0; i < total; i++) {
		start(&op[i]);
		wait_until(at_once - 1);
	}
	wait_until(0);
	printf("%.3f\n", (double)(mlb_clock_mono() - began) / 1e9);
	if (!strcmp(arg[0], "get") && !now.failed && now.received != total * now.size) {
		fprintf(stderr, "%llu bytes came\n", (unsigned long long)now.received);
		now.fault = MLB_FAULT_OTHER;
	}
	for (size_t i = 0; i < total; i++)
		free(name[i]);
	free(name);
	free(op);
	free(data);
}

static void
race(char **arg, int n)
{
	struct mlb_remote_op op[64];
	unsigned total = (unsigned)MLB_MIN(number(arg[1]), MLB_ARRAY_LEN(op));

	(void)n;
	for (unsigned i = 0; i < total; i++) {
		op[i] = (struct mlb_remote_op){ .verb = MLB_REMOTE_PUT,
						.name = arg[0],
						.data = "racing",
						.size = 6,
						.if_absent = true };
		start(&op[i]);
	}
	wait_until(0);
	printf("%u\n", total - now.failed);
	for (unsigned i = 0; i < total; i++)
		if (op[i].rc && op[i].fault != MLB_FAULT_EXISTS)
			return;
	now.fault = 0;
}

static const struct {
	const char *name;
	void (*run)(char **arg, int n);
	int least; /* arguments */
} commands[] = {
	{ "add", add, 2 },   { "delete", delete, 1 }, { "get", get, 1 },
	{ "list", list, 1 }, { "many", many, 5 },     { "put", put, 2 },
	{ "race", race, 2 }, { "resume", resume, 1 }, { "stat", stat_name, 1 },
};

int
main(int argc, char **argv)
{
	struct mlb_remote_config c = { .name = "test", .get = key, .env = env };
	const struct mlb_remote_backend *backend;
	struct mlb_err err = MLB_ERR_INIT;
	int i = 1;

	for (; i + 1 < argc && !strcmp(argv[i], "-o") && n_options < MLB_ARRAY_LEN(option); i += 2)
		option[n_options++] = argv[i + 1];
	if (argc - i < 2)
		usage();
	c.url = argv[i];
	if (mlb_remote_backend(&backend, c.url, &err) != 0 ||
	    backend->open(&now.r, &c, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		mlb_err_release(&err);
		return 2;
	}
	for (size_t k = 0; k < MLB_ARRAY_LEN(commands); k++)
		if (!strcmp(argv[i + 1], commands[k].name) && argc - i - 2 >= commands[k].least) {
			commands[k].run(argv + i + 2, argc - i - 2);
			backend->close(now.r);
			return now.fault ? 10 + now.fault : 0;
		}
	usage();
}
