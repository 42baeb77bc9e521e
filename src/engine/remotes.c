#include "engine/remotes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/project.h"
#include "graph/config.h"
#include "os/pool.h"

enum { MAX_URL_SHOWN = 1024 };

/* One key of a section, kept longer than the configuration. */
struct pair {
	const char *key, *value;
};

struct section {
	struct pair *pair;
	size_t n;
};

static const char *
get(const struct mlb_remote_config *c, const char *key)
{
	const struct section *s = c->ctx;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->pair[i].key, key) == 0)
			return s->pair[i].value;
	return NULL;
}

static const char *
env(const struct mlb_remote_config *c, const char *name)
{
	(void)c;
	return getenv(name);
}

static bool
says(const struct mlb_remote_config *c, const char *key, bool otherwise)
{
	const char *value = get(c, key);
	bool yes = otherwise;

	return value && mlb_parse_bool(value, &yes) ? yes : otherwise;
}

/* A directory below the project is named as paths in mlbuild.ini are. */
static const char *
full_url(struct mlb_arena *a, const char *root, const char *url)
{
	bool is_path = url[0] != '/' && !strchr(url, ':');

	return is_path ? mlb_arena_printf(a, "%s/%s", root, url) : mlb_arena_strdup(a, url);
}

static struct mlb_remote_use *
add_use(struct mlb_remotes *r, const struct mlb_remote_def *def, const char *root)
{
	struct mlb_remote_use *u = mlb_calloc(1, sizeof(*u));
	struct section *s = mlb_arena_alloc(&r->arena, sizeof(*s));
	char *shown = mlb_arena_alloc(&r->arena, MAX_URL_SHOWN);

	s->n = def->key.n;
	s->pair = mlb_arena_alloc(&r->arena, (s->n + 1) * sizeof(*s->pair));
	for (size_t i = 0; i < s->n; i++) {
		s->pair[i].key = mlb_arena_strdup(&r->arena, def->key.v[i].name);
		s->pair[i].value = mlb_arena_strdup(&r->arena, def->key.v[i].value.s);
	}
	u->name = mlb_arena_strdup(&r->arena, def->name);
	u->config = (struct mlb_remote_config){ .name = u->name, .get = get, .env = env, .ctx = s };
	u->config.url = full_url(&r->arena, root, get(&u->config, "url"));
	u->url = mlb_remote_url_shown(shown, MAX_URL_SHOWN, u->config.url);
	u->read = says(&u->config, "read", true);
	u->write = says(&u->config, "write", true);
	u->push = u->write && says(&u->config, "push", false);
	mlb_vec_push(&r->use, u);
	return u;
}

/* A mlb_transfer_trusts. */
static bool
trusts(void *ctx, const struct mlb_signature *s, const char *text, size_t len)
{
	struct mlb_remotes *r = ctx;

	return mlb_keyring_signer(&r->keys, s->key, s->sig, text, len) != NULL;
}

static int
open_use(struct mlb_remote_use *u, struct mlb_project *p, struct mlb_err *err)
{
	int rc = mlb_session_open(&u->session, &u->config, err);

	if (rc == 0)
		rc = mlb_transfer_open(&u->transfer, u->session, p->cas, p->results, p->threads,
				       err);
	if (rc == 0 && p->remotes->keys.required)
		mlb_transfer_require(u->transfer, trusts, p->remotes);
	if (rc && err)
		mlb_err_wrap(err, "[remote %s]", u->name);
	return rc;
}

int
mlb_project_remotes(struct mlb_project *p, struct mlb_err *err)
{
	int rc;

	if (p->remotes)
		return 0;
	if (p->parent) {
		rc = mlb_project_remotes(p->parent, err);
		p->remotes = p->parent->remotes;
		return rc;
	}
	rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = mlb_project_config(p, err);
	if (rc)
		return rc;
	p->remotes = mlb_calloc(1, sizeof(*p->remotes));
	rc = mlb_keyring_open(&p->remotes->keys, p->config, err);
	for (size_t i = 0; i < p->config->remote.n && rc == 0; i++)
		rc = open_use(add_use(p->remotes, &p->config->remote.v[i], p->root), p, err);
	if (rc) {
		mlb_remotes_free(p->remotes);
		p->remotes = NULL;
	}
	return rc;
}

void
mlb_remotes_free(struct mlb_remotes *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->use.n; i++) {
		mlb_transfer_close(r->use.v[i]->transfer);
		mlb_session_close(r->use.v[i]->session);
		mlb_err_release(&r->use.v[i]->err);
		free(r->use.v[i]);
	}
	mlb_vec_release(&r->use);
	mlb_keyring_release(&r->keys);
	mlb_arena_release(&r->arena);
	free(r);
}

int
mlb_remotes_named(struct mlb_remote_use **out, const struct mlb_remotes *r, const char *name,
		  struct mlb_err *err)
{
	struct mlb_buf names = MLB_BUF_INIT(MLB_MIB);
	int rc;

	for (size_t i = 0; i < r->use.n; i++)
		if (strcmp(r->use.v[i]->name, name) == 0) {
			*out = r->use.v[i];
			return 0;
		}
	for (size_t i = 0; i < r->use.n; i++)
		mlb_buf_addf(&names, "%s'%s'", i ? ", " : "", r->use.v[i]->name);
	if (r->use.n)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "there is no remote '%s': there are %s", name,
				 mlb_buf_str(&names));
	else
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no remote '%s': 'mlbuild remote add %s URL' adds one",
				 name, name);
	mlb_buf_release(&names);
	return rc;
}

/* ---------------------------------------------------------- asking */

struct ask {
	struct mlb_remotes *r;
	bool write;
};

static void
ask_one(void *ctx, size_t i)
{
	const struct ask *a = ctx;
	struct mlb_remote_use *u = a->r->use.v[i];

	if (u->asked || !(a->write ? u->write : u->read))
		return;
	u->asked = true;
	u->ready = mlb_transfer_refresh(u->transfer, &u->fault, &u->err) == 0;
}

void
mlb_remotes_ask(struct mlb_remotes *r, bool write)
{
	struct ask a = { r, write };

	mlb_parallel(r->use.n, 1, (unsigned)r->use.n, ask_one, &a);
}

void
mlb_remotes_cancel(struct mlb_remotes *r)
{
	for (size_t i = 0; r && i < r->use.n; i++)
		mlb_session_cancel(r->use.v[i]->session);
}

bool
mlb_remotes_have(const struct mlb_remotes *r, const struct mlb_digest *digest)
{
	for (size_t i = 0; r && i < r->use.n; i++)
		if (r->use.v[i]->read && r->use.v[i]->ready &&
		    mlb_transfer_has(r->use.v[i]->transfer, digest))
			return true;
	return false;
}

int
mlb_remotes_result(const struct mlb_remotes *r, struct mlb_result *out, struct mlb_arena *arena,
		   const struct mlb_digest *key)
{
	for (size_t i = 0; r && i < r->use.n; i++)
		if (r->use.v[i]->read && r->use.v[i]->ready &&
		    mlb_transfer_find(r->use.v[i]->transfer, out, arena, key, NULL) == 0)
			return 0;
	return MLB_ENOTFOUND;
}
