/*
 * The conformance suite: what every backend has to do, asked of a session.
 * conform.c has the program; ask.c asks one thing and waits for the answer; the other
 * files have checks. A check returns false where something was not as it must be, and
 * c->why says what.
 *
 * Ownership: names of conform_in and data of conform_bytes belong to the suite.
 */
#ifndef TESTS_CONFORM_H
#define TESTS_CONFORM_H

#include "base/alloc.h"
#include "base/hash.h"
#include "base/vec.h"
#include "mlbuild/sys/session.h"

#define TEXT_MAX 600

struct conform {
	struct mlb_remote_config config;
	struct mlb_session *s;
	bool all;         /* the long form */
	size_t large;     /* bytes of a large object */
	unsigned many;    /* names of a long listing */
	const char *direct; /* URL without disturbance; NULL: the same */
	char prefix[48];  /* where this run's names are */
	char why[TEXT_MAX];
	struct mlb_strvec names;
	char *bytes;      /* `large` of them, which no compression makes smaller */
};

/* What came of one operation. */
struct answer {
	int rc;
	enum mlb_remote_fault fault;
	char text[TEXT_MAX];
	uint64_t moved, total;
	int64_t mtime;
	bool wrong; /* GET: bytes that were not expected */
};

struct listed {
	char *name;
	uint64_t size;
	int64_t mtime;
};
MLB_VEC_NAMED(listing, struct listed);

/* Sets c->why where cond is false; returns cond. */
bool conform_must(struct conform *c, bool cond, const char *fmt, ...) MLB_PRINTF(3, 4);
const char *conform_in(struct conform *c, const char *fmt, ...) MLB_PRINTF(2, 3);
struct mlb_session *conform_session(struct conform *c); /* another one; NULL: c->why. Closed by the caller */

void ask_put(struct answer *a, struct mlb_session *s, const char *name, const void *data,
	     size_t size, bool if_absent);
/* `want` are all bytes of the name, of which the range is compared. */
void ask_get(struct answer *a, struct mlb_session *s, const char *name, uint64_t offset,
	     uint64_t len, const void *want, size_t size);
void ask_stat(struct answer *a, struct mlb_session *s, const char *name);
void ask_list(struct answer *a, struct mlb_session *s, const char *dir, struct listing *out);
void ask_delete(struct answer *a, struct mlb_session *s, const char *const *names, size_t n);
void listing_release(struct listing *l);

/* The answer is good: rc 0, and bytes as expected. */
bool good(struct conform *c, const struct answer *a, const char *what);
/* It failed with that, and says why. */
bool failed(struct conform *c, const struct answer *a, enum mlb_remote_fault fault,
	    const char *what);

/* A PUT, and then a GET of all of it. */
bool round_trip(struct conform *c, const char *name, const void *data, size_t size);

int ask_one(struct conform *c, const char *what); /* --ask: the program's exit code */

struct check {
	const char *name;
	bool (*run)(struct conform *c);
};
extern const struct check checks_basic[], checks_many[], checks_race[], checks_faults[];

#endif
