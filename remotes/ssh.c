/*
 * ssh://[user@]host[:port]/path and [user@]host:path: SFTP version 3, by the user's own
 * ssh, so that his keys, agent, known hosts, jump hosts and shared connections are what
 * they are everywhere. Nothing is run on the server but its SFTP subsystem.
 *
 * One ssh serves all operations: they share its window (2 MiB in OpenSSH), and
 * processors are busy with one cipher at each end long before a second one would help.
 * It is started when an operation needs it, again when it was lost.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/machine.h"
#include "remotes/backends.h"
#include "remotes/sftp_int.h"
#include "remotes/ssh_place.h"

/* Every server takes that much (section 6.4 of the draft); more only where it says so. */
#define USUAL_PIECE (32U * 1024)
#define LARGEST_PIECE 261120U /* 255 KiB: what OpenSSH allows */
/* Who cancels because nothing moved wants another connection than one that is silent. */
#define SILENT_NS UINT64_C(10000000000)
/* For what was asked last, when it is closed. */
#define SETTLE_NS UINT64_C(2000000000)
#define HOST_MAX 32

/* Of the two requests that are asked before any job's. */
#define ID_LIMITS UINT32_MAX
#define ID_ROOT (UINT32_MAX - 1)

static struct mlb_ssh *
of(struct mlb_remote *r)
{
	return (struct mlb_ssh *)r; /* its first member */
}

/* ------------------------------------------------------------- opening */

static void
add(struct mlb_strvec *v, const char *word)
{
	mlb_strvec_push(v, word);
}

/*
 * The key `ssh` is a command for the shell, as git's core.sshCommand; what we add comes
 * as arguments, of which no shell makes anything.
 */
static void
build_argv(struct mlb_strvec *v, const char *command, const struct mlb_ssh_place *p)
{
	/* As OpenSSH's own sftp does: nothing but the subsystem, whatever the configuration says. */
	static const char *const fixed[] = { "-oForwardX11=no",         "-oForwardAgent=no",
					     "-oPermitLocalCommand=no", "-oClearAllForwardings=yes",
					     "-oRemoteCommand=none",    "-oRequestTTY=no" };

	if (command) {
		add(v, "sh");
		add(v, "-c");
		mlb_vec_push(v, mlb_asprintf("%s \"$@\"", command));
		add(v, "sh");
	} else {
		add(v, "ssh");
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(fixed); i++)
		add(v, fixed[i]);
	if (p->port) {
		add(v, "-p");
		add(v, p->port);
	}
	if (p->user) {
		add(v, "-l");
		add(v, p->user);
	}
	add(v, "-s");
	add(v, "--");
	add(v, p->host);
	add(v, "sftp");
	mlb_vec_push(v, NULL);
}

static void
release(struct mlb_ssh *s)
{
	if (s->argv.n) {
		s->argv.n--; /* the NULL */
		mlb_strvec_release(&s->argv);
	}
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	mlb_sftp_link_release(&s->link);
	mlb_vec_release(&s->requests);
	mlb_sftp_sweep_free(s);
	free(s->tmp_prefix);
	free(s->name);
	free(s->who);
	free(s->login);
	free(s->root);
	free(s->broken_text);
	free(s);
}

/* A name that no other process gives to what it is writing there; it tells a person whose it is. */
static int
choose_prefix(struct mlb_ssh *s, struct mlb_err *err)
{
	char host[HOST_MAX + 1] = "", hex[17];
	uint64_t random;
	int rc = mlb_machine_random(&random, sizeof(random), err);

	if (rc)
		return rc;
	if (gethostname(host, HOST_MAX) != 0)
		host[0] = '\0';
	host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] =
		'\0';
	mlb_hex_encode(hex, &random, sizeof(random));
	s->tmp_prefix = mlb_asprintf("%s-%ld-%s", *host ? host : "host", (long)getpid(), hex);
	return MLB_OK;
}

static int
ssh_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	const char *command = c->get(c, "ssh");
	struct mlb_ssh_place place;
	struct mlb_ssh *s;
	int rc = mlb_ssh_place_parse(&place, c->url, err);

	if (rc)
		return rc;
	if (!command || !*command)
		command = c->env(c, "MLBUILD_SSH");
	if (command && !*command)
		command = NULL;
	s = mlb_calloc(1, sizeof(*s));
	s->remote.backend = &mlb_remote_ssh;
	mlb_sftp_link_init(&s->link);
	mlb_sftp_forget(s);
	build_argv(&s->argv, command, &place);
	s->name = mlb_strdup(c->name);
	s->who = mlb_asprintf("%s%s%s", place.user ? place.user : "", place.user ? "@" : "",
			      place.host);
	s->login = mlb_asprintf("%s%s%s %s", command ? command : "ssh", place.port ? " -p " : "",
				place.port ? place.port : "", s->who);
	s->root = place.path;
	place.path = NULL;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		rc = mlb_err_errno(err, errno, "cannot make an eventfd");
	if (!rc)
		rc = choose_prefix(s, err);
	mlb_ssh_place_release(&place);
	if (rc)
		release(s);
	else
		*out = &s->remote;
	return rc;
}

/* ------------------------------------------------------------- the connection */

/* Whatever is wrong now will be wrong for the next operation too: ssh is not asked again. */
static void
set_broken(struct mlb_ssh *s, enum mlb_remote_fault fault, const char *text)
{
	s->broken = fault;
	free(s->broken_text);
	s->broken_text = mlb_strdup(text);
}

static void
connect_to(struct mlb_ssh *s)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (s->broken) {
		mlb_sftp_all_fail(s, s->broken, s->broken_text);
		return;
	}
	if (mlb_sftp_link_start(&s->link, (const char *const *)s->argv.v, &err) != 0) {
		mlb_err_wrap(&err, "cannot reach '%s'", s->who);
		set_broken(s, MLB_FAULT_OTHER, err.text);
		mlb_sftp_all_fail(s, MLB_FAULT_OTHER, err.text);
		mlb_err_release(&err);
		return;
	}
	s->phase = MLB_SSH_GREETING;
	s->ext = (struct mlb_sftp_extensions){ 0 };
	s->read_max = s->write_max = USUAL_PIECE;
	mlb_sftp_add_init(&s->link.out);
}

/* ssh is over, or useless: everything in flight ends with that. */
static void
disconnect(struct mlb_ssh *s, enum mlb_remote_fault fault, const char *text)
{
	struct mlb_exit x;

	s->phase = MLB_SSH_DOWN;
	mlb_sftp_link_stop(&x, &s->link, false);
	mlb_sftp_forget(s);
	mlb_sftp_all_fail(s, fault, text);
}

/* ssh ended by itself. */
static void
lost(struct mlb_ssh *s)
{
	struct mlb_buf text = MLB_BUF_INIT(8 * MLB_KIB);
	enum mlb_remote_fault fault = MLB_FAULT_TRANSIENT;
	bool was_up = s->phase >= MLB_SSH_LIMITS;
	struct mlb_exit x;

	s->phase = MLB_SSH_DOWN;
	mlb_sftp_link_stop(&x, &s->link, false);
	mlb_sftp_forget(s);
	if (!was_up)
		fault = mlb_ssh_fault(mlb_buf_str(&s->link.words), &x);
	mlb_buf_addf(&text,
		     was_up ? "the connection to '%s' was lost: " : "cannot reach '%s': ", s->who);
	mlb_ssh_explain(&text, s, fault, &x);
	if (fault != MLB_FAULT_TRANSIENT && fault != MLB_FAULT_BUSY)
		set_broken(s, fault, mlb_buf_str(&text));
	mlb_sftp_all_fail(s, fault, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

/* It speaks, but no SFTP. Who does that once is not asked again. */
static void
nonsense(struct mlb_ssh *s, const char *what)
{
	struct mlb_buf text = MLB_BUF_INIT(1000);

	mlb_buf_addf(&text, "the SFTP server of '%s' sent %s; it is broken, or not to be trusted",
		     s->who, what);
	set_broken(s, MLB_FAULT_OTHER, mlb_buf_str(&text));
	disconnect(s, MLB_FAULT_OTHER, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

/* Bytes that are no packet: before the greeting most often what a shell there prints. */
static void
no_packet(struct mlb_ssh *s)
{
	struct mlb_buf text = MLB_BUF_INIT(1000);
	char junk[60];

	if (s->phase != MLB_SSH_GREETING) {
		nonsense(s, "a packet of an impossible length");
		return;
	}
	mlb_sftp_link_junk(junk, sizeof(junk), &s->link);
	mlb_buf_addf(&text,
		     "'%s' answers '%s' instead of SFTP; if a start-up file there (.bashrc) prints "
		     "that, let it do so in interactive shells only",
		     s->who, junk);
	set_broken(s, MLB_FAULT_OTHER, mlb_buf_str(&text));
	disconnect(s, MLB_FAULT_OTHER, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

/* ------------------------------------------------------------- packets */

static void
greeted(struct mlb_ssh *s, const struct mlb_sftp_packet *p)
{
	uint32_t version;

	if (!mlb_sftp_get_version(&version, &s->ext, p)) {
		nonsense(s, "no greeting");
		return;
	}
	if (version != MLB_SFTP_VERSION) {
		nonsense(s, "another version than 3, which was asked for");
		return;
	}
	if (s->ext.limits)
		mlb_sftp_add_extended(&s->link.out, ID_LIMITS, MLB_SFTP_EXT_LIMITS,
				      (struct mlb_sftp_bytes){ NULL, 0 }, NULL);
	mlb_sftp_add_path(&s->link.out, MLB_SFTP_STAT, ID_ROOT, *s->root ? s->root : ".");
	s->phase = s->ext.limits ? MLB_SSH_LIMITS : MLB_SSH_ROOT;
}

static uint32_t
piece(uint64_t limit)
{
	return limit < 1024 ? USUAL_PIECE : (uint32_t)MLB_MIN(limit, LARGEST_PIECE);
}

static void
limited(struct mlb_ssh *s, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_limits l;

	if (mlb_sftp_get_limits(&l, p)) {
		s->read_max = piece(l.read);
		s->write_max = piece(l.write);
	}
	s->phase = MLB_SSH_ROOT;
}

/* A root that is not there is no empty remote: it may be a mount that is missing. It is not made. */
static void
looked(struct mlb_ssh *s, const struct mlb_sftp_packet *p)
{
	struct mlb_buf text = MLB_BUF_INIT(8 * MLB_KIB);
	struct mlb_sftp_status status;
	struct mlb_sftp_attrs a;

	if (mlb_sftp_get_attrs(&a, p) && (!a.has_mode || !mlb_sftp_is_file(&a))) {
		s->phase = MLB_SSH_UP;
		return;
	}
	if (mlb_sftp_get_status(&status, p) && status.code != MLB_SFTP_NO_SUCH_FILE) {
		s->phase =
			MLB_SSH_UP; /* who may not look at it hears of that from each operation */
		return;
	}
	mlb_buf_addf(&text,
		     "remote '%s': there is no directory '%s' on '%s': mount it, or make it if it "
		     "is to be new (%s mkdir -p ",
		     s->name, s->root, s->who, s->login);
	mlb_add_shell_word(&text, s->root);
	mlb_buf_addc(&text, ')');
	set_broken(s, MLB_FAULT_PLACE, mlb_buf_str(&text));
	disconnect(s, MLB_FAULT_PLACE, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

static void
take_packets(struct mlb_ssh *s)
{
	struct mlb_sftp_packet p;
	const char *why;

	while (s->phase != MLB_SSH_DOWN) {
		int n = mlb_sftp_link_next(&p, &s->link);

		if (n == 0)
			return;
		if (n < 0)
			no_packet(s);
		else if (s->phase == MLB_SSH_GREETING)
			greeted(s, &p);
		else if (s->phase != MLB_SSH_UP &&
			 p.id != (s->phase == MLB_SSH_LIMITS ? ID_LIMITS : ID_ROOT))
			nonsense(s, "an answer to what nobody asked");
		else if (s->phase == MLB_SSH_LIMITS)
			limited(s, &p);
		else if (s->phase == MLB_SSH_ROOT)
			looked(s, &p);
		else if (!mlb_sftp_dispatch(s, &p, &why))
			nonsense(s, why);
	}
}

/* ------------------------------------------------------------- going on */

static void
ssh_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	mlb_sftp_job_new(of(r), op);
}

/* Ask and send; connect first where that lacks. */
static void
push(struct mlb_ssh *s)
{
	if (s->jobs && s->phase == MLB_SSH_DOWN)
		connect_to(s);
	if (s->phase == MLB_SSH_UP)
		mlb_sftp_pump(s);
	mlb_sftp_link_send(&s->link);
}

/* What is to be waited for, in ms: -1 no end. */
static int
left(uint64_t deadline)
{
	uint64_t now = mlb_clock_mono();

	if (deadline == UINT64_MAX)
		return -1;
	return now >= deadline ? 0 : (int)MLB_MIN((deadline - now + 999999) / 1000000, 1000000);
}

/*
 * Wait for one event, for at most so many ms, and deal with it. *woken: by ssh_wake, *late:
 * by nothing.
 */
static int
step(struct mlb_ssh *s, int ms, bool *woken, bool *late, struct mlb_err *err)
{
	struct pollfd p[1 + MLB_SFTP_LINK_FDS] = { { .fd = s->wake_fd, .events = POLLIN } };
	uint64_t count;
	int n;

	mlb_sftp_link_poll(&s->link, p + 1);
	n = poll(p, MLB_ARRAY_LEN(p), ms);
	if (n < 0 && errno != EINTR)
		return mlb_err_errno(err, errno, "cannot wait for ssh");
	*late = n == 0;
	*woken = n > 0 && p[0].revents;
	if (n > 0 && mlb_sftp_link_runs(&s->link)) {
		mlb_sftp_link_receive(&s->link, p + 1);
		take_packets(s);
		if (s->phase != MLB_SSH_DOWN && s->link.ended)
			lost(s);
	}
	if (*woken && read(s->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return mlb_err_errno(err, errno, "cannot read an eventfd");
	return MLB_OK;
}

static int
ssh_wait(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	struct mlb_ssh *s = of(r);
	uint64_t deadline = timeout < 0 ? UINT64_MAX
					: mlb_clock_mono() + (uint64_t)timeout * 1000000;
	bool woken = false, late = false;

	for (;;) {
		int ms = left(deadline), rc;

		push(s);
		if (mlb_sftp_tell_ended(s) || woken || (late && ms == 0))
			return MLB_OK;
		rc = step(s, ms, &woken, &late, err);
		if (rc)
			return rc;
	}
}

static void
ssh_wake(struct mlb_remote *r)
{
	const uint64_t one = 1;

	/* Full is as good. */
	if (write(of(r)->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
ssh_cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct mlb_ssh *s = of(r);
	struct mlb_sftp_job *j = op->backend;
	bool silent;

	if (!j)
		return;
	silent = s->phase == MLB_SSH_UP && j->pending &&
		 mlb_clock_mono() - s->link.heard > SILENT_NS;
	mlb_sftp_job_fail(j, MLB_FAULT_CANCELLED, "'%s': cancelled", op->name ? op->name : "");
	mlb_sftp_job_over(j);
	if (silent)
		disconnect(s, MLB_FAULT_TRANSIENT, "the connection fell silent");
}

/* A server whose input ends may leave undone what it has not answered: files to be removed. */
static void
settle(struct mlb_ssh *s)
{
	uint64_t deadline = mlb_clock_mono() + SETTLE_NS;
	bool woken, late = false;

	while (s->phase == MLB_SSH_UP && s->asked && !late) {
		mlb_sftp_link_send(&s->link);
		if (step(s, left(deadline), &woken, &late, NULL) != 0)
			return;
	}
}

static void
ssh_close(struct mlb_remote *r)
{
	struct mlb_ssh *s;
	struct mlb_exit x;

	if (!r)
		return;
	s = of(r);
	mlb_sftp_all_fail(s, MLB_FAULT_CANCELLED, "closed"); /* our own sweep, at most */
	mlb_sftp_tell_ended(s);
	settle(s);
	mlb_sftp_link_stop(&x, &s->link, s->phase == MLB_SSH_UP);
	release(s);
}

static const char *const schemes[] = { "ssh", NULL };
static const char *const keys[] = { "ssh", NULL };

const struct mlb_remote_backend mlb_remote_ssh = {
	.abi = MLB_REMOTE_ABI,
	.name = "ssh",
	.summary = "a directory reached by ssh: ssh://[user@]host[:port]/path or host:path",
	.schemes = schemes,
	.keys = keys,
	.most = 64,
	.open = ssh_open,
	.start = ssh_start,
	.wait = ssh_wait,
	.wake = ssh_wake,
	.cancel = ssh_cancel,
	.close = ssh_close,
};
