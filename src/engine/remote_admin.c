/* Remotes for people: which there are, adding one, trying one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/text.h"
#include "engine/project.h"
#include "engine/remotes.h"
#include "graph/config.h"
#include "mlbuild/remotes.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/machine.h"

enum { MAX_INI = 64 << 20, MAX_TRIAL = 4096, SKEW_S = 300 };

int
mlb_remote_list(struct mlb_project *p, int (*fn)(void *ctx, const struct mlb_remote_info *r),
		void *ctx, struct mlb_err *err)
{
	int rc = mlb_project_past(p, err);

	if (rc == 0)
		rc = mlb_project_remotes(p, err);
	for (size_t i = 0; rc == 0 && i < p->remotes->use.n; i++) {
		const struct mlb_remote_use *u = p->remotes->use.v[i];
		const struct mlb_remote_info info = {
			.name = u->name,
			.url = u->url,
			.backend = mlb_session_backend(u->session)->name,
			.read = u->read,
			.write = u->write,
			.push = u->push,
		};

		if (fn(ctx, &info))
			break;
	}
	return rc;
}

/* ---------------------------------------------------------- adding */

/* A config.ini of the workspace may be new. */
static int
append(const char *file, const char *name, const char *url, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_INI);
	const char *nl;
	int rc = mlb_fs_exists(file) ? mlb_fs_read(&text, file, err) : 0;

	nl = strstr(mlb_buf_str(&text), "\r\n") ? "\r\n" : "\n";
	if (text.len && text.data[text.len - 1] != '\n')
		mlb_buf_adds(&text, nl);
	mlb_buf_addf(&text, "%s[remote %s]%surl = %s%s", text.len ? nl : "", name, nl, url, nl);
	if (rc == 0)
		rc = mlb_buf_check(&text, file, err);
	if (rc == 0)
		rc = mlb_fs_rewrite(file, mlb_buf_str(&text), text.len, true, err);
	mlb_buf_release(&text);
	return rc;
}

static int
check_new(struct mlb_project *p, const char *name, const char *url, struct mlb_err *err)
{
	const struct mlb_remote_backend *backend;

	if (!mlb_name_valid(name))
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' is no name for a remote: letters, digits, '_', '.' and "
				   "'-', at most %d",
				   name, MLB_NAME_MAX);
	for (size_t i = 0; i < p->config->remote.n; i++)
		if (strcmp(p->config->remote.v[i].name, name) == 0)
			return mlb_err_set(err, MLB_EEXISTS,
					   "there is a remote '%s' already: change its section in "
					   "mlbuild.ini, or choose another name",
					   name);
	if (!*url || strpbrk(url, "\n\r") || url[0] == ' ')
		return mlb_err_set(err, MLB_EINVALID, "'%s' is no URL", url);
	if (!strchr(url, ':') && url[0] != '/')
		return 0; /* a directory below the project */
	return mlb_remote_backend(&backend, url, err);
}

int
mlb_remote_add(struct mlb_project *p, const char *name, const char *url, bool local, char **note,
	       struct mlb_err *err)
{
	char *file = local ? mlb_asprintf("%s/config.ini", p->state_dir)
			   : mlb_project_path(p, "mlbuild.ini");
	int rc = mlb_project_config(p, err);

	if (rc == 0)
		rc = check_new(p, name, url, err);
	if (rc == 0 && local)
		rc = mlb_project_state_dir(p, err);
	if (rc == 0)
		rc = append(file, name, url, err);
	if (rc == 0)
		*note = mlb_asprintf("added [remote %s] to %s: 'mlbuild remote check %s' tries it",
				     name, local ? ".mlbuild/config.ini" : "mlbuild.ini", name);
	free(file);
	return rc;
}

/* ---------------------------------------------------------- trying */

struct trial {
	struct mlb_remote_use *u;
	void (*fn)(void *ctx, const char *remote, const struct mlb_remote_step *s);
	void *ctx;
	struct mlb_buf got;
	char name[64];
	char text[65];
	int64_t sent, mtime; /* s since 1970: by our clock, and by theirs */
	bool failed;
};

/* What a person can do about it. */
static const char *
advice(enum mlb_remote_fault fault)
{
	switch (fault) {
	case MLB_FAULT_DENIED:
		return "look at the credentials: are they there, of this place, not expired, and do "
		       "they allow this?";
	case MLB_FAULT_CLOCK:
		return "set this machine's clock: 'timedatectl' tells whether it is synchronised";
	case MLB_FAULT_TRUST:
		return "the server is not who it should be, or its certificate or host key is not "
		       "known here: ask whoever runs it, and add it to those that are trusted";
	case MLB_FAULT_FULL:
		return "make room there: 'mlbuild remote gc' removes what no project needs";
	case MLB_FAULT_PLACE:
		return "look at the URL: is the host, bucket, container or directory spelled so, and "
		       "was it made?";
	case MLB_FAULT_TRANSIENT:
	case MLB_FAULT_BUSY:
		return "try again later; if it stays so, look at the network, proxy and server";
	default:
		return "";
	}
}

static void
tell(struct trial *t, const char *what, bool good, const char *text, const char *what_to_do)
{
	const struct mlb_remote_step s = {
		.what = what, .good = good, .text = text, .advice = what_to_do
	};

	t->failed |= !good;
	t->fn(t->ctx, t->u->name, &s);
}

static int
take(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct trial *t = op->ctx;

	mlb_buf_add(&t->got, data, len);
	return mlb_buf_check(&t->got, "the object that was just written", err);
}

static bool
run_op(struct trial *t, struct mlb_remote_op *op, const char *what, const char *well)
{
	struct mlb_err err = MLB_ERR_INIT;
	enum mlb_remote_fault fault = MLB_FAULT_NONE;
	int rc;

	op->ctx = t;
	rc = mlb_session_run(t->u->session, op, &fault, &err);
	if (rc) {
		const char *hint = mlb_session_hint(t->u->session, fault);
		char *text = mlb_asprintf("%s%s%s", err.text ? err.text : "it failed",
					  hint ? "\n" : "", hint ? hint : "");

		tell(t, what, false, text, advice(fault));
		free(text);
	} else if (well) {
		tell(t, what, true, well, "");
	}
	mlb_err_release(&err);
	return rc == 0;
}

static void
check_clock(struct trial *t)
{
	int64_t off = t->mtime - t->sent;
	char text[128];

	if (!t->mtime)
		return;
	(void)snprintf(text, sizeof(text), "the server's clock is %" PRId64 " s %s ours",
		       off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
	if (off > SKEW_S || off < -SKEW_S)
		tell(t, "clock", false, text,
		     "one of the clocks is wrong: requests may be refused, and what is collected "
		     "goes by the server's");
	else
		tell(t, "clock", true, off ? text : "the server's clock is ours", "");
}

static bool
check_written(struct trial *t)
{
	struct mlb_remote_op stat = { .verb = MLB_REMOTE_STAT, .name = t->name };
	struct mlb_remote_op get = {
		.verb = MLB_REMOTE_GET, .name = t->name, .len = MLB_REMOTE_TO_END, .sink = take
	};
	bool good = run_op(t, &stat, "look", NULL);

	t->mtime = stat.mtime;
	if (good)
		good = run_op(t, &get, "read", NULL);
	if (good && (t->got.len != strlen(t->text) || stat.total != t->got.len ||
		     memcmp(t->got.data, t->text, t->got.len) != 0)) {
		tell(t, "read", false, "what was read is not what was written",
		     "something between here and the server changes data, or the server does: do not "
		     "use it");
		return false;
	}
	if (good)
		tell(t, "read", true, "what was written was read back", "");
	return good;
}

static void
try_writing(struct trial *t)
{
	const char *names[] = { t->name };
	struct mlb_remote_op put = { .verb = MLB_REMOTE_PUT,
				     .name = t->name,
				     .data = t->text,
				     .size = strlen(t->text),
				     .if_absent = true };
	struct mlb_remote_op again = put;
	struct mlb_remote_op del = { .verb = MLB_REMOTE_DELETE, .names = names, .n_names = 1 };
	enum mlb_remote_fault fault = MLB_FAULT_NONE;
	struct mlb_err err = MLB_ERR_INIT;

	t->sent = mlb_clock_wall() / 1000000000;
	if (!run_op(t, &put, "write", "an object was written"))
		return;
	if (mlb_session_run(t->u->session, &again, &fault, &err) == 0 || fault != MLB_FAULT_EXISTS)
		tell(t, "write once", false,
		     "it does not refuse to write a name twice, though asked to",
		     "two that push at once may undo each other's manifest: use a server that knows "
		     "conditional writes");
	mlb_err_release(&err);
	if (check_written(t))
		check_clock(t);
	run_op(t, &del, "remove", "it was removed again");
}

static int
try_one(struct mlb_remote_use *u,
	void (*fn)(void *ctx, const char *remote, const struct mlb_remote_step *s), void *ctx,
	bool *failed, struct mlb_err *err)
{
	struct trial t = { .u = u, .fn = fn, .ctx = ctx, .got = MLB_BUF_INIT(MAX_TRIAL) };
	uint8_t noise[32];
	int rc = mlb_machine_random(noise, sizeof(noise), err);

	if (rc)
		return rc;
	mlb_hex_encode(t.text, noise, sizeof(noise));
	(void)snprintf(t.name, sizeof(t.name), "leases/check-%.16s", t.text);
	u->asked = true;
	u->ready = mlb_transfer_refresh(u->transfer, &u->fault, &u->err) == 0;
	if (!u->ready) {
		tell(&t, "list", false, u->err.text ? u->err.text : "it does not answer",
		     advice(u->fault));
	} else {
		tell(&t, "list", true,
		     *mlb_transfer_id(u->transfer)
			     ? "it can be read"
			     : "it can be read, and nothing was pushed there yet",
		     "");
		if (u->write)
			try_writing(&t);
	}
	*failed |= t.failed;
	mlb_buf_release(&t.got);
	return 0;
}

int
mlb_remote_check(struct mlb_project *p, const char *name,
		 void (*fn)(void *ctx, const char *remote, const struct mlb_remote_step *s),
		 void *ctx, struct mlb_err *err)
{
	struct mlb_remote_use *only = NULL;
	bool failed = false;
	int rc = mlb_project_past(p, err);

	if (rc == 0)
		rc = mlb_project_remotes(p, err);
	if (rc == 0 && name)
		rc = mlb_remotes_named(&only, p->remotes, name, err);
	if (rc == 0 && !p->remotes->use.n)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "there is no remote: 'mlbuild remote add NAME URL' adds one");
	for (size_t i = 0; rc == 0 && i < p->remotes->use.n; i++)
		if (!only || only == p->remotes->use.v[i])
			rc = try_one(p->remotes->use.v[i], fn, ctx, &failed, err);
	if (rc == 0 && failed)
		rc = mlb_err_set(err, MLB_EREMOTE, "not everything works: see above");
	return rc;
}
