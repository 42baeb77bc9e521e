/*
 * --ask=VERB:NAME[:SIZE]: one operation, for tests that look at how it fails.
 *
 *	put:NAME:SIZE   of the bytes that the suite uses
 *	get:NAME        prints how many there are and their SHA-256
 *	stat:NAME, delete:NAME, list:NAME (which prints the names)
 *
 * Prints "fault FAULT: TEXT" where it fails; exit code 1.
 */
#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"

#define NAME_MAX 300

static const char *const fault_names[] = {
	[MLB_FAULT_NONE] = "none",     [MLB_FAULT_ABSENT] = "absent",
	[MLB_FAULT_EXISTS] = "exists", [MLB_FAULT_TRANSIENT] = "transient",
	[MLB_FAULT_BUSY] = "busy",     [MLB_FAULT_DENIED] = "denied",
	[MLB_FAULT_CLOCK] = "clock",   [MLB_FAULT_TRUST] = "trust",
	[MLB_FAULT_FULL] = "full",     [MLB_FAULT_PLACE] = "place",
	[MLB_FAULT_OTHER] = "other",   [MLB_FAULT_CANCELLED] = "cancelled",
};

static int
hash_bytes(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)err;
	mlb_sha256_update(op->ctx, data, len);
	return 0;
}

static void
get(struct answer *a, struct conform *c, const char *name)
{
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest digest;
	struct mlb_sha256 hash;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET,
				    .name = name,
				    .len = MLB_REMOTE_TO_END,
				    .sink = hash_bytes,
				    .ctx = &hash };

	mlb_sha256_init(&hash);
	a->rc = mlb_session_run(c->s, &op, &a->fault, &err);
	snprintf(a->text, sizeof(a->text), "%s", err.text ? err.text : "");
	mlb_err_release(&err);
	mlb_sha256_final(&hash, &digest);
	mlb_digest_hex(hex, &digest);
	if (!a->rc)
		printf("%llu %s\n", (unsigned long long)op.moved, hex);
}

static void
list(struct answer *a, struct conform *c, const char *name)
{
	struct listing l = MLB_VEC_INIT;

	ask_list(a, c->s, name, &l);
	for (size_t i = 0; i < l.n; i++)
		printf("%llu %s\n", (unsigned long long)l.v[i].size, l.v[i].name);
	listing_release(&l);
}

static bool
ask(struct answer *a, struct conform *c, const char *what)
{
	char verb[8], name[NAME_MAX] = "", size_text[24] = "0";
	const char *asked = name;
	uint64_t size = 0;

	if (sscanf(what, "%7[a-z]:%299[^:]:%23s", verb, name, size_text) < 1 ||
	    !mlb_parse_size(size_text, &size) || size > c->large)
		return false;
	if (!strcmp(verb, "put"))
		ask_put(a, c->s, name, c->bytes, size, false);
	else if (!strcmp(verb, "get"))
		get(a, c, name);
	else if (!strcmp(verb, "stat"))
		ask_stat(a, c->s, name);
	else if (!strcmp(verb, "list"))
		list(a, c, name);
	else if (!strcmp(verb, "delete"))
		ask_delete(a, c->s, &asked, 1);
	else
		return false;
	return true;
}

int
ask_one(struct conform *c, const char *what)
{
	struct answer a = { .rc = 0 };

	c->s = conform_session(c);
	if (!c->s) {
		printf("open: %s\n", c->why);
		return 1;
	}
	mlb_session_hurry(c->s, 20, 0);
	if (!ask(&a, c, what)) {
		printf("'%s' is nothing to ask\n", what);
		a.rc = 2;
	} else if (a.rc) {
		const char *hint = mlb_session_hint(c->s, a.fault);

		printf("fault %s: %s\n", fault_names[a.fault], a.text);
		if (hint)
			printf("hint: %s\n", hint);
		a.rc = 1;
	}
	mlb_session_close(c->s);
	return a.rc;
}
