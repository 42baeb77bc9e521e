/* One operation at a time: what comes back is what was sent. */
#include "conform.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY 86400

static bool
sizes(struct conform *c)
{
	static const size_t size[] = { 0, 1, 2, 4095, 65536, 65537, 1048576 };

	for (size_t i = 0; i < MLB_ARRAY_LEN(size); i++)
		if (!round_trip(c, conform_in(c, "size/%zu", size[i]), c->bytes, size[i]))
			return false;
	return true;
}

static bool
large(struct conform *c)
{
	const char *name = conform_in(c, "large");
	struct answer a;
	bool ok = round_trip(c, name, c->bytes, c->large);

	ask_delete(&a, c->s, &name, 1);
	return ok && good(c, &a, "DELETE");
}

static bool
every_byte(struct conform *c)
{
	char all[512];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	return round_trip(c, conform_in(c, "every-byte"), all, sizeof(all));
}

static bool
ranges(struct conform *c)
{
	enum { SIZE = 200000 };
	static const struct {
		uint64_t offset, len;
	} range[] = {
		{ 0, 1 },
		{ 0, SIZE },
		{ 0, SIZE + 1 },
		{ 0, MLB_REMOTE_TO_END },
		{ 1, 1 },
		{ 1, MLB_REMOTE_TO_END },
		{ 65535, 2 },
		{ 100000, 50000 },
		{ SIZE - 1, 1 },
		{ SIZE - 1, 1000 },
		{ SIZE - 1, MLB_REMOTE_TO_END },
		{ SIZE, 1 },
		{ SIZE, MLB_REMOTE_TO_END },
		{ SIZE + 1, 5 },
		{ UINT64_C(1) << 40, 5 },
	};
	const char *name = conform_in(c, "ranges");
	struct answer a;

	ask_put(&a, c->s, name, c->bytes, SIZE, false);
	if (!good(c, &a, "PUT"))
		return false;
	for (size_t i = 0; i < MLB_ARRAY_LEN(range); i++) {
		char what[80];

		snprintf(what, sizeof(what), "GET of %llu from %llu",
			 (unsigned long long)range[i].len, (unsigned long long)range[i].offset);
		ask_get(&a, c->s, name, range[i].offset, range[i].len, c->bytes, SIZE);
		if (!good(c, &a, what) ||
		    !conform_must(c, !a.total || a.total == SIZE, "%s: total is %llu", what,
				  (unsigned long long)a.total))
			return false;
	}
	return true;
}

static bool
ranges_of_nothing(struct conform *c)
{
	const char *name = conform_in(c, "empty");
	struct answer a;

	ask_put(&a, c->s, name, "", 0, false);
	if (!good(c, &a, "PUT"))
		return false;
	ask_get(&a, c->s, name, 0, 10, "", 0);
	if (!good(c, &a, "GET of the first 10"))
		return false;
	ask_get(&a, c->s, name, 5, MLB_REMOTE_TO_END, "", 0);
	return good(c, &a, "GET from 5 on");
}

/* A name of all letters, and one as deep and one as long as they may be. */
static bool
names(struct conform *c)
{
	char deep[MLB_REMOTE_NAME_MAX + 1];
	size_t used = strlen(c->prefix) + 1, n = 0;
	const char *long_name;

	if (!round_trip(c,
			conform_in(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/"
				      "0123456789/-_._-/a.b-c_d"),
			"x", 1))
		return false;
	while (used + n + 3 <= MLB_REMOTE_NAME_MAX) {
		deep[n++] = 'd';
		deep[n++] = '/';
	}
	deep[n++] = 'e';
	deep[n] = '\0';
	if (!round_trip(c, conform_in(c, "%s", deep), "deep", 4))
		return false;
	memset(deep, 'n', MLB_REMOTE_NAME_MAX - used);
	deep[MLB_REMOTE_NAME_MAX - used] = '\0';
	long_name = conform_in(c, "%s", deep);
	return round_trip(c, long_name, "long", 4);
}

static bool
put_replaces(struct conform *c)
{
	const char *name = conform_in(c, "replaced");

	return round_trip(c, name, c->bytes, 100000) && round_trip(c, name, "short", 5) &&
	       round_trip(c, name, c->bytes + 1, 70000);
}

static bool
put_if_absent(struct conform *c)
{
	const char *name = conform_in(c, "once/lease");
	struct answer a;

	ask_put(&a, c->s, name, "first", 5, true);
	if (!good(c, &a, "the first PUT"))
		return false;
	ask_put(&a, c->s, name, "second", 6, true);
	if (!failed(c, &a, MLB_FAULT_EXISTS, "the second PUT"))
		return false;
	/* The same bytes are no exception. */
	ask_put(&a, c->s, name, "first", 5, true);
	if (!failed(c, &a, MLB_FAULT_EXISTS, "the third PUT"))
		return false;
	ask_get(&a, c->s, name, 0, MLB_REMOTE_TO_END, "first", 5);
	if (!good(c, &a, "GET"))
		return false;
	ask_delete(&a, c->s, &name, 1);
	if (!good(c, &a, "DELETE"))
		return false;
	ask_put(&a, c->s, name, "fourth", 6, true);
	return good(c, &a, "PUT after DELETE");
}

static bool
absent(struct conform *c)
{
	struct listing l = MLB_VEC_INIT;
	struct answer a;

	ask_get(&a, c->s, conform_in(c, "no/such/name"), 0, MLB_REMOTE_TO_END, "", 0);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "GET"))
		return false;
	ask_get(&a, c->s, conform_in(c, "no-range"), 5, 10, "", 0);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "GET of a range"))
		return false;
	ask_stat(&a, c->s, conform_in(c, "no-stat"));
	if (!failed(c, &a, MLB_FAULT_ABSENT, "STAT") ||
	    !conform_must(c, a.rc == MLB_ENOTFOUND, "STAT gave %d", a.rc))
		return false;
	ask_list(&a, c->s, conform_in(c, "no/directory"), &l);
	return good(c, &a, "LIST") && conform_must(c, l.n == 0, "LIST gave %zu names", l.n);
}

/* A directory of names is no name, and what is below a name is none. */
static bool
directories_are_no_names(struct conform *c)
{
	const char *file = conform_in(c, "dir/file"), *dir = conform_in(c, "dir");
	const char *below = conform_in(c, "dir/file/below");
	struct answer a;

	if (!round_trip(c, file, "x", 1))
		return false;
	ask_get(&a, c->s, dir, 0, MLB_REMOTE_TO_END, "", 0);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "GET of a directory"))
		return false;
	ask_stat(&a, c->s, dir);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "STAT of a directory"))
		return false;
	ask_get(&a, c->s, below, 0, MLB_REMOTE_TO_END, "", 0);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "GET below a name"))
		return false;
	ask_delete(&a, c->s, &below, 1);
	if (!good(c, &a, "DELETE below a name"))
		return false;
	ask_get(&a, c->s, file, 0, MLB_REMOTE_TO_END, "x", 1);
	return good(c, &a, "GET after that");
}

static bool
plausible(struct conform *c, int64_t mtime, const char *what)
{
	int64_t now = time(NULL);

	return conform_must(c, mtime == 0 || (mtime > now - DAY && mtime < now + DAY),
			    "%s: the time is %lld", what, (long long)mtime);
}

static bool
stat_tells(struct conform *c)
{
	const char *name = conform_in(c, "stat/12345");
	struct answer a;

	ask_put(&a, c->s, name, c->bytes, 12345, false);
	if (!good(c, &a, "PUT") || !plausible(c, a.mtime, "PUT"))
		return false;
	ask_stat(&a, c->s, name);
	if (!good(c, &a, "STAT") || !plausible(c, a.mtime, "STAT") ||
	    !conform_must(c, a.mtime != 0, "STAT tells no time") ||
	    !conform_must(c, a.total == 12345, "STAT: size %llu", (unsigned long long)a.total))
		return false;
	ask_put(&a, c->s, name, "", 0, false);
	if (!good(c, &a, "PUT"))
		return false;
	ask_stat(&a, c->s, name);
	return good(c, &a, "STAT") &&
	       conform_must(c, a.total == 0, "STAT of 0 bytes: %llu", (unsigned long long)a.total);
}

static bool
list_tells(struct conform *c)
{
	static const char *const want[] = { "a", "b.x", "c-_" };
	struct listing l = MLB_VEC_INIT;
	struct answer a;
	bool ok;

	for (size_t i = 0; i < MLB_ARRAY_LEN(want); i++)
		if (!round_trip(c, conform_in(c, "list/%s", want[i]), c->bytes, i * 1000))
			return false;
	/* What is deeper is not directly below, and what begins alike is elsewhere. */
	if (!round_trip(c, conform_in(c, "list/deeper/d"), "x", 1) ||
	    !round_trip(c, conform_in(c, "list2"), "x", 1) ||
	    !round_trip(c, conform_in(c, "list-3/e"), "x", 1))
		return false;
	ask_list(&a, c->s, conform_in(c, "list"), &l);
	ok = good(c, &a, "LIST") &&
	     conform_must(c, l.n == MLB_ARRAY_LEN(want), "LIST gave %zu names", l.n);
	for (size_t i = 0; ok && i < l.n; i++)
		ok = conform_must(c, !strcmp(l.v[i].name, want[i]), "LIST gave '%s' for '%s'",
				  l.v[i].name, want[i]) &&
		     conform_must(c, l.v[i].size == i * 1000, "LIST: '%s' has size %llu", want[i],
				  (unsigned long long)l.v[i].size) &&
		     plausible(c, l.v[i].mtime, "LIST") &&
		     conform_must(c, l.v[i].mtime != 0, "LIST tells no time");
	listing_release(&l);
	return ok;
}

static bool
delete_removes(struct conform *c)
{
	const char *gone[3] = { conform_in(c, "del/a"), conform_in(c, "del/absent"),
				conform_in(c, "del/no/such") };
	const char *stays = conform_in(c, "del/b");
	struct answer a;

	if (!round_trip(c, gone[0], "x", 1) || !round_trip(c, stays, "y", 1))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		ask_delete(&a, c->s, gone, 3);
		if (!good(c, &a, "DELETE"))
			return false;
	}
	ask_stat(&a, c->s, gone[0]);
	if (!failed(c, &a, MLB_FAULT_ABSENT, "STAT of what was deleted"))
		return false;
	ask_get(&a, c->s, stays, 0, MLB_REMOTE_TO_END, "y", 1);
	return good(c, &a, "GET of what stays");
}

/* The same name with a large and a small letter. */
static bool
letters_differ(struct conform *c)
{
	const char *small = conform_in(c, "case/abc"), *big = conform_in(c, "case/ABC");
	struct answer a;

	if (!round_trip(c, small, "small", 5) || !round_trip(c, big, "BIG", 3))
		return false;
	ask_get(&a, c->s, small, 0, MLB_REMOTE_TO_END, "small", 5);
	return good(c, &a, "GET of the other");
}

const struct check checks_basic[] = {
	{ "objects of 0 bytes to 1 MiB come back", sizes },
	{ "every byte comes back", every_byte },
	{ "a large object comes back", large },
	{ "a range is what was asked for", ranges },
	{ "a range of nothing is nothing", ranges_of_nothing },
	{ "names of all letters, deep and long", names },
	{ "PUT replaces", put_replaces },
	{ "PUT if absent replaces nothing", put_if_absent },
	{ "what is absent is said to be", absent },
	{ "directories are no names", directories_are_no_names },
	{ "STAT tells size and time", stat_tells },
	{ "LIST tells names, sizes and times", list_tells },
	{ "DELETE removes, and may be told of what is not there", delete_removes },
	{ "large and small letters are two names", letters_differ },
	{ NULL, NULL },
};
