#include "rclone_rcd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/vec.h"
#include "http.h"
#include "os/clock.h"

#define LINE_MAX_BYTES ((size_t)4096)
#define START_MAX ((uint64_t)60 * 1000000000) /* ns until it must listen */
#define STOP_MAX 2000                         /* ms to end by itself */
#define DATE_LEN ((size_t)20)                 /* "2026/12/01 13:14:27 " */
#define USER "mlbuild"

static const char listens[] = "Serving remote control on ";
static const char loopback[] = "http://127.0.0.1:";

void
mlb_rcd_init(struct mlb_rcd *d)
{
	memset(d, 0, sizeof(*d));
	d->said = -1;
	mlb_buf_init(&d->line, LINE_MAX_BYTES);
	mlb_buf_init(&d->last, LINE_MAX_BYTES);
	mlb_buf_init(&d->url, 64);
	mlb_buf_init(&d->login, 256);
}

bool
mlb_rcd_ready(const struct mlb_rcd *d)
{
	return d->running && d->url.len;
}

/* ---------------------------------------------------------- starting */

/* Variables by which rclone would listen or log in another way than is read here. */
static bool
is_ours(const char *variable)
{
	static const char *const prefix[] = { "RCLONE_RC_",     "RCLONE_LOG_",
					      "RCLONE_SYSLOG",  "RCLONE_QUIET",
					      "RCLONE_VERBOSE", "RCLONE_USE_JSON_LOG",
					      "RCLONE_STATS" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(prefix); i++)
		if (mlb_str_starts(variable, prefix[i]))
			return true;
	return false;
}

static void
environment(struct mlb_strvec *out, const char *password)
{
	for (char **e = environ; *e; e++)
		if (!is_ours(*e))
			mlb_strvec_push(out, *e);
	mlb_strvec_push(out, "RCLONE_RC_USER=" USER);
	mlb_vec_push(out, mlb_asprintf("RCLONE_RC_PASS=%s", password));
	mlb_strvec_push(
		out,
		"RCLONE_ASK_PASSWORD=false"); /* of an encrypted rclone.conf: nobody is there */
	if (!getenv("MLBUILD_JOB"))
		mlb_strvec_push(out, "MLBUILD_JOB=");
	mlb_vec_push(out, NULL);
}

static int
new_password(char out[33], struct mlb_rcd *d, struct mlb_err *err)
{
	struct mlb_buf pair = MLB_BUF_INIT(128);
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return mlb_err_errno(err, errno, "cannot make a password for rclone");
	mlb_hex_encode(out, random, sizeof(random));
	mlb_buf_addf(&pair, USER ":%s", out);
	mlb_buf_clear(&d->login);
	mlb_buf_adds(&d->login, "Basic ");
	mlb_base64_add(&d->login, pair.data, pair.len);
	mlb_buf_release(&pair);
	return 0;
}

static int
spawn(struct mlb_rcd *d, int out, const char *password, struct mlb_err *err)
{
	static const char *const argv[] = { "rclone",     "rcd",         "--rc-addr", "127.0.0.1:0",
					    "--rc-serve", "--log-level", "NOTICE",    NULL };
	struct mlb_spawn what = { .argv = argv, .out_fd = out, .err_fd = -1 };
	struct mlb_strvec env = MLB_VEC_INIT;
	int rc;

	environment(&env, password);
	what.envp = (const char *const *)env.v;
	rc = mlb_spawn(&d->child, &what, err);
	env.n--; /* the NULL */
	mlb_strvec_release(&env);
	return rc;
}

int
mlb_rcd_start(struct mlb_rcd *d, struct mlb_err *err)
{
	char password[33];
	int said[2];
	int rc = new_password(password, d, err);

	if (rc)
		return rc;
	if (pipe2(said, O_CLOEXEC) != 0)
		return mlb_err_errno(err, errno, "cannot make a pipe for rclone");
	mlb_buf_clear(&d->line);
	mlb_buf_clear(&d->last);
	mlb_buf_clear(&d->url);
	rc = spawn(d, said[1], password, err);
	close(said[1]);
	if (rc) {
		close(said[0]);
		return rc;
	}
	fcntl(said[0], F_SETFL, O_NONBLOCK);
	d->said = said[0];
	d->since = mlb_clock_mono();
	d->running = true;
	return 0;
}

/* ---------------------------------------------------------- what it says */

/* "2026/12/01 13:14:27 NOTICE: Serving remote control on http://127.0.0.1:45981/" */
static void
take_line(struct mlb_rcd *d)
{
	const char *text = mlb_buf_str(&d->line);
	const char *url = strstr(text, listens);

	if (url && !d->url.len && (url = strstr(url, loopback)) != NULL)
		mlb_buf_addf(&d->url, "%s%.*s/", loopback,
			     (int)strspn(url + strlen(loopback), "0123456789"),
			     url + strlen(loopback));
	if (d->line.len > DATE_LEN && text[4] == '/' && text[DATE_LEN - 1] == ' ')
		text += DATE_LEN;
	mlb_buf_clear(&d->last);
	mlb_http_excerpt(&d->last, text, strlen(text));
	mlb_buf_clear(&d->line);
}

static void
read_words(struct mlb_rcd *d)
{
	char room[4096];
	ssize_t n;

	while ((n = read(d->said, room, sizeof(room))) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++) {
			if (room[i] == '\n')
				take_line(d);
			else if (room[i])
				mlb_buf_addc(&d->line, room[i]);
		}
}

static bool
has_ended(const struct mlb_rcd *d, int ms)
{
	struct pollfd fd = { .fd = d->child.pidfd, .events = POLLIN };

	return poll(&fd, 1, ms) > 0;
}

static void
reap(struct mlb_rcd *d, struct mlb_exit *how)
{
	mlb_child_signal(&d->child, SIGKILL); /* what it has started */
	mlb_child_reap(how, &d->child, NULL);
	close(d->said);
	d->said = -1;
	d->running = false;
	mlb_buf_clear(&d->url);
}

int
mlb_rcd_look(struct mlb_rcd *d, int ms, struct mlb_err *err)
{
	struct mlb_exit how = { 0 };
	bool ended = has_ended(d, ms); /* before reading, so that its last words are read */
	const char *last;

	read_words(d);
	last = mlb_buf_str(&d->last);
	if (ended) {
		reap(d, &how);
		if (how.signal)
			return mlb_err_set(err, MLB_EREMOTE, "rclone was ended by signal %d%s%s",
					   how.signal, *last ? "; it last said: " : "", last);
		return mlb_err_set(err, MLB_EREMOTE, "rclone has ended with code %d%s%s", how.code,
				   *last ? ": " : "", last);
	}
	if (!d->url.len && mlb_clock_mono() - d->since > START_MAX) {
		reap(d, &how);
		return mlb_err_set(err, MLB_EREMOTE,
				   "rclone was started, and cannot be asked after a minute%s%s",
				   *last ? ": " : "", last);
	}
	return 0;
}

void
mlb_rcd_release(struct mlb_rcd *d)
{
	struct mlb_exit how;

	if (d->running) {
		mlb_child_signal(&d->child, SIGTERM); /* it may be writing a fresh token down */
		has_ended(d, STOP_MAX);
		reap(d, &how);
	}
	mlb_buf_release(&d->line);
	mlb_buf_release(&d->last);
	mlb_buf_release(&d->url);
	if (d->login.data)
		explicit_bzero(d->login.data, d->login.cap);
	mlb_buf_release(&d->login);
}
