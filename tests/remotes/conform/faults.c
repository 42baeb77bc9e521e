/*
 * Through something that disturbs: what is read is right or fails with a clear text, and
 * what was said to be written is there, seen without the disturbance.
 */
#include "conform.h"

#include <stdio.h>
#include <string.h>

#define OBJECTS 16

static size_t
size_of(unsigned i)
{
	static const size_t size[] = { 0, 1, 1000, 65537, 300000, 1048576, 1500000, 17 };

	return size[i % MLB_ARRAY_LEN(size)];
}

static const char *
bytes_of(const struct conform *c, unsigned i)
{
	return c->bytes + (size_t)i * 4096;
}

/* It may have failed in passing, and then says why. */
static bool
clear_failure(struct conform *c, const struct answer *a, const char *what)
{
	return conform_must(c,
			    a->fault == MLB_FAULT_TRANSIENT || a->fault == MLB_FAULT_BUSY ||
				    a->fault == MLB_FAULT_OTHER,
			    "%s: fault %d: %s", what, (int)a->fault, a->text) &&
	       conform_must(c, *a->text, "%s: it does not say why", what);
}

static struct mlb_session *
direct_session(struct conform *c)
{
	const char *url = c->config.url;
	struct mlb_session *s;

	c->config.url = c->direct ? c->direct : url;
	s = conform_session(c);
	c->config.url = url;
	return s;
}

static bool
put_one(struct conform *c, struct mlb_session *direct, unsigned i, unsigned *failures)
{
	const char *name = conform_in(c, "faults/%u", i);
	struct answer put, get;

	ask_put(&put, c->s, name, bytes_of(c, i), size_of(i), i % 2);
	if (put.rc && !clear_failure(c, &put, "PUT"))
		return false;
	*failures += put.rc != 0;
	ask_get(&get, direct, name, 0, MLB_REMOTE_TO_END, bytes_of(c, i), size_of(i));
	if (put.rc && get.fault == MLB_FAULT_ABSENT) {
		ask_put(&put, direct, name, bytes_of(c, i), size_of(i), false);
		return good(c, &put, "PUT without disturbance");
	}
	return good(c, &get, "GET without disturbance");
}

static bool
get_one(struct conform *c, unsigned i, unsigned *failures)
{
	const char *name = conform_in(c, "faults/%u", i);
	struct answer a;

	ask_get(&a, c->s, name, 0, MLB_REMOTE_TO_END, bytes_of(c, i), size_of(i));
	*failures += a.rc != 0;
	if (!(a.rc ? clear_failure(c, &a, "GET") : good(c, &a, "GET")) ||
	    !conform_must(c, !a.wrong || a.rc, "GET: wrong bytes"))
		return false;
	if (!size_of(i))
		return true;
	ask_get(&a, c->s, name, size_of(i) / 3, size_of(i) / 2 + 1, bytes_of(c, i), size_of(i));
	*failures += a.rc != 0;
	return a.rc ? clear_failure(c, &a, "GET of a range") : good(c, &a, "GET of a range");
}

static bool
transfers(struct conform *c)
{
	struct mlb_session *direct = direct_session(c);
	unsigned failures = 0;
	bool ok = direct != NULL;

	mlb_session_hurry(c->s, 10, 1000);
	for (unsigned i = 0; i < OBJECTS && ok; i++)
		ok = put_one(c, direct, i, &failures);
	for (unsigned i = 0; i < OBJECTS && ok; i++)
		ok = get_one(c, i, &failures);
	mlb_session_close(direct);
	printf("# %u of %u failed with a clear text\n", failures, 3 * OBJECTS);
	return ok;
}

/* A listing and what is deleted, tried until they come through. */
static bool
listing_and_delete(struct conform *c)
{
	struct mlb_session *direct = direct_session(c);
	struct listing l = MLB_VEC_INIT;
	const char *name = conform_in(c, "faults/%d", OBJECTS - 1), *dir = conform_in(c, "faults");
	struct answer a;
	bool ok = direct != NULL, there = false;

	if (!ok)
		return false;
	ask_list(&a, c->s, dir, &l);
	ok = a.rc ? clear_failure(c, &a, "LIST") : true;
	/* A listing that was tried again may tell a name again, but leaves none out. */
	for (size_t i = 0; i < l.n; i++)
		there |= !strcmp(l.v[i].name, strrchr(name, '/') + 1);
	ok = ok && conform_must(c, a.rc || there, "LIST leaves a name out");
	listing_release(&l);
	ask_delete(&a, c->s, &name, 1);
	ok = ok && (a.rc ? clear_failure(c, &a, "DELETE") : true);
	if (ok && !a.rc) {
		ask_stat(&a, direct, name);
		ok = failed(c, &a, MLB_FAULT_ABSENT, "STAT after DELETE");
	}
	mlb_session_close(direct);
	return ok;
}

const struct check checks_faults[] = {
	{ "transfers are right or fail clearly", transfers },
	{ "listing and deleting are right or fail clearly", listing_and_delete },
	{ NULL, NULL },
};
