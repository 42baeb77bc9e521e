/*
 * The conformance suite of remotes:
 *
 *	remotes_conform URL [KEY=VALUE...] [--short] [--few] [--no-race] [--only=WORDS]
 *		[--faults [--direct=URL]]
 *	remotes_conform URL [KEY=VALUE...] --ask=VERB:NAME[:SIZE]
 *
 * KEY=VALUE as in a [remote] section; credentials come from the environment. The long
 * form, with larger objects and more names, is run where MLBUILD_REMOTES is "all" and
 * --short is not given; --few is the short form with fewer names, for servers that are
 * slow. --no-race leaves out what only holds where a name can be given atomically. --only
 * runs the checks that have WORDS in their name. --faults
 * is for a remote that is reached through something that disturbs (proxy.py), and
 * --direct the way without it. Prints TAP; exit code 1 where something failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "conform/conform.h"
#include "os/machine.h"

#define SHORT_LARGE (48 * MLB_MIB)
#define LONG_LARGE (200 * MLB_MIB)
#define SHORT_MANY 2500
#define FEW_MANY 200
#define LONG_MANY 20000

struct arguments {
	char **words; /* KEY=VALUE, NULL-terminated */
	const char *only, *direct, *ask;
	bool all, faults, few, no_race;
};

static const char *
get_key(const struct mlb_remote_config *config, const char *key)
{
	size_t len = strlen(key);

	for (char *const *w = ((const struct arguments *)config->ctx)->words; *w; w++)
		if (!strncmp(*w, key, len) && (*w)[len] == '=')
			return *w + len + 1;
	return NULL;
}

static const char *
get_env(const struct mlb_remote_config *config, const char *name)
{
	(void)config;
	return getenv(name);
}

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003): the same bytes every time. */
static char *
make_bytes(size_t size)
{
	char *bytes = mlb_alloc(size + 8);
	uint64_t r = 88172645463325252;

	for (size_t i = 0; i < size; i += sizeof(r)) {
		r ^= r << 13;
		r ^= r >> 7;
		r ^= r << 17;
		memcpy(bytes + i, &r, sizeof(r));
	}
	return bytes;
}

static bool
run_checks(struct conform *c, const struct check *checks, const char *only, unsigned *n)
{
	bool ok = true;

	for (; checks->name; checks++) {
		if (only && !strstr(checks->name, only))
			continue;
		c->why[0] = '\0';
		if (checks->run(c)) {
			printf("ok %u - %s\n", ++*n, checks->name);
		} else {
			printf("not ok %u - %s: %s\n", ++*n, checks->name, c->why);
			ok = false;
		}
		fflush(stdout);
	}
	return ok;
}

static bool
run_all(struct conform *c, const struct arguments *a)
{
	struct mlb_session_stats stats;
	unsigned n = 0;
	bool ok;

	c->s = conform_session(c);
	if (!c->s) {
		printf("not ok 1 - open: %s\n1..1\n", c->why);
		return false;
	}
	if (a->faults) {
		ok = run_checks(c, checks_faults, a->only, &n);
	} else {
		ok = run_checks(c, checks_basic, a->only, &n);
		ok = run_checks(c, checks_many, a->only, &n) && ok;
		if (!a->no_race)
			ok = run_checks(c, checks_race, a->only, &n) && ok;
	}
	mlb_session_stats(c->s, &stats);
	mlb_session_close(c->s);
	printf("# %llu requests, %llu tried again, %llu stalled; %u at once\n1..%u\n",
	       (unsigned long long)stats.requests, (unsigned long long)stats.retries,
	       (unsigned long long)stats.stalls, stats.at_once, n);
	return ok && n;
}

static void
parse(struct arguments *a, int argc, char **argv)
{
	const char *all = getenv("MLBUILD_REMOTES");
	size_t n = 0;

	a->words = mlb_calloc((size_t)argc + 1, sizeof(*a->words));
	a->all = all && !strcmp(all, "all");
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--short"))
			a->all = false;
		else if (!strcmp(argv[i], "--faults"))
			a->faults = true;
		else if (!strcmp(argv[i], "--few"))
			a->few = true;
		else if (!strcmp(argv[i], "--no-race"))
			a->no_race = true;
		else if (mlb_str_starts(argv[i], "--only="))
			a->only = argv[i] + strlen("--only=");
		else if (mlb_str_starts(argv[i], "--ask="))
			a->ask = argv[i] + strlen("--ask=");
		else if (mlb_str_starts(argv[i], "--direct="))
			a->direct = argv[i] + strlen("--direct=");
		else if (*argv[i] != '-' && strchr(argv[i], '='))
			a->words[n++] = argv[i];
		else
			a->words = NULL;
		if (!a->words)
			return;
	}
}

int
main(int argc, char **argv)
{
	struct arguments a = { .words = NULL };
	struct conform c = { .names = MLB_VEC_INIT };
	uint32_t random = 0;
	int code;

	if (argc > 1)
		parse(&a, argc, argv);
	if (!a.words) {
		fprintf(stderr, "usage: remotes_conform URL [KEY=VALUE...] [--short] [--few] "
				"[--no-race] [--only=WORDS] [--faults [--direct=URL]] "
				"[--ask=VERB:NAME[:SIZE]]\n");
		return 2;
	}
	c.config = (struct mlb_remote_config){
		.name = "conform", .url = argv[1], .get = get_key, .env = get_env, .ctx = &a
	};
	c.direct = a.direct;
	c.all = a.all;
	c.large = a.all ? LONG_LARGE : SHORT_LARGE;
	c.many = a.all ? LONG_MANY : a.few ? FEW_MANY : SHORT_MANY;
	mlb_machine_random(&random, sizeof(random), NULL);
	snprintf(c.prefix, sizeof(c.prefix), "conform-%ld-%08x", (long)getpid(), random);
	c.bytes = make_bytes(c.large);
	code = a.ask ? ask_one(&c, a.ask) : !run_all(&c, &a);
	free(c.bytes);
	free(a.words);
	mlb_strvec_release(&c.names);
	return code;
}
