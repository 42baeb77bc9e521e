#include "engine/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/path.h"

#define MAX_JOBS 4096 /* tokens that fit into a pipe, whatever its size */
#define HIGH_FD 100   /* from here on no shell script has descriptors of its own */
#define MAX_FLAGS ((size_t)64 * 1024)
#define MAX_MAKE (16 << 20) /* a program of more bytes is not make */

struct mlb_jobserver {
	int read_fd; /* ours alone and non-blocking; -1: no server */
	int write_fd;
	char *fifo;          /* served by us: removed at the end */
	int pass[2];         /* the pipe as commands get it */
	size_t n_pass;       /* 2, or 0: there is none */
	bool own_pipe;       /* it is ours: closed at the end */
	bool implicit_taken; /* the slot that we were started with */
	uint32_t held[256];  /* tokens taken, by byte */
	bool changed;        /* children get other flags than we did */
	struct mlb_buf flags;
};

/* ------------------------------------------------------------- MAKEFLAGS */

/* The next word of MAKEFLAGS (a backslash quotes a blank), or false. */
static bool
next_word(const char **p, const char **word, size_t *len)
{
	const char *s = *p + strspn(*p, " \t");

	if (*s == '\0')
		return false;
	*word = s;
	while (*s && *s != ' ' && *s != '\t')
		s += s[0] == '\\' && s[1] ? 2 : 1;
	*len = (size_t)(s - *word);
	*p = s;
	return true;
}

static bool
word_starts(const char *word, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);
	return len >= n && memcmp(word, prefix, n) == 0;
}

/* How a jobserver is named: the value, and the length of what stands before it; 0: this word does not. */
static size_t
auth_prefix(const char *word, size_t len)
{
	static const char *const names[] = { "--jobserver-auth=", "--jobserver-fds=" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		if (word_starts(word, len, names[i]))
			return strlen(names[i]);
	return 0;
}

/* The last one wins. Appends nothing if there is none. */
static void
find_auth(struct mlb_buf *out, const char *flags)
{
	const char *word;
	size_t len, n;

	while (next_word(&flags, &word, &len)) {
		if (len == 2 && memcmp(word, "--", 2) == 0)
			return; /* variables follow */
		n = auth_prefix(word, len);
		if (n == 0)
			continue;
		mlb_buf_clear(out);
		for (word += n, len -= n; len > 0; word++, len--) {
			if (word[0] == '\\' && len > 1) {
				word++;
				len--;
			}
			mlb_buf_addc(out, word[0]);
		}
	}
}

static void
add_word(struct mlb_buf *out, const char *word, size_t len)
{
	if (out->len && out->data[out->len - 1] != ' ')
		mlb_buf_addc(out, ' ');
	mlb_buf_add(out, word, len);
}

/*
 * The flags without -j and the jobserver, with `add` instead. The first word is
 * letters without a dash, or a blank if there are none.
 */
static void
replace_auth(struct mlb_buf *out, const char *flags, const char *add)
{
	const char *word, *rest = flags;
	size_t len;

	if (flags[0] == ' ' || flags[0] == '\0' || flags[0] == '-')
		mlb_buf_addc(out, ' ');
	while (next_word(&rest, &word, &len)) {
		if (len == 2 && memcmp(word, "--", 2) == 0) {
			add_word(out, add, strlen(add));
			add_word(out, word, strlen(word)); /* and the variables */
			return;
		}
		if (!word_starts(word, len, "-j") && !auth_prefix(word, len))
			add_word(out, word, len);
	}
	add_word(out, add, strlen(add));
}

/* ----------------------------------------------------------------- client */

/* Another description of an open pipe, so that making ours non-blocking changes nobody else's. */
static int
reopen(int fd, int flags)
{
	struct stat st;
	char *path;
	int own;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))
		return -1;
	path = mlb_asprintf("/proc/self/fd/%d", fd);
	own = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	free(path);
	return own;
}

static bool
parse_pair(const char *auth, int *r, int *w)
{
	char *end;
	long a, b;

	errno = 0;
	a = strtol(auth, &end, 10);
	if (end == auth || *end != ',')
		return false;
	auth = end + 1;
	b = strtol(auth, &end, 10);
	if (end == auth || *end != '\0' || errno || a < 0 || b < 0 || a > INT_MAX || b > INT_MAX)
		return false;
	*r = (int)a;
	*w = (int)b;
	return true;
}

static int
open_fifo(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
pass(struct mlb_jobserver *j, int r, int w)
{
	j->pass[0] = r;
	j->pass[1] = w;
	j->n_pass = 2;
}

/* True if the server that is named can be reached. */
static bool
join(struct mlb_jobserver *j, const char *auth, const char *flags)
{
	int r, w;

	if (mlb_str_starts(auth, "fifo:")) {
		j->read_fd = open_fifo(auth + strlen("fifo:"));
		j->write_fd = j->read_fd;
		return j->read_fd >= 0;
	}
	if (!parse_pair(auth, &r, &w))
		return false;
	j->read_fd = reopen(r, O_RDONLY);
	if (j->read_fd < 0)
		return false;
	j->write_fd = reopen(w, O_WRONLY);
	if (j->write_fd < 0) {
		close(j->read_fd);
		j->read_fd = -1;
		return false;
	}
	if (r > 2 && w > 2) {
		pass(j, r, w);
	} else { /* commands have others under these numbers */
		replace_auth(&j->flags, flags, "");
		j->changed = true;
	}
	return true;
}

/* ----------------------------------------------------------------- server */

static bool
file_mentions(const char *path, const char *text)
{
	struct stat st;
	void *map = MAP_FAILED;
	bool found = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= MAX_MAKE)
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		found = memmem(map, (size_t)st.st_size, text, strlen(text)) != NULL;
		munmap(map, (size_t)st.st_size);
	}
	close(fd);
	return found;
}

/* Does the make in PATH know the FIFO form? True if there is none. Reading it is cheaper than asking it. */
static bool
make_knows_fifo(void)
{
	const char *path = getenv("PATH");
	struct mlb_buf file = MLB_BUF_INIT(PATH_MAX);
	bool knows = true;

	while (path && *path) {
		size_t len = strcspn(path, ":");
		mlb_buf_clear(&file);
		mlb_buf_add(&file, path, len);
		mlb_buf_adds(&file, "/make");
		if (len && access(mlb_buf_str(&file), X_OK) == 0) {
			knows = file_mentions(mlb_buf_str(&file), "fifo:");
			break;
		}
		path += len + (path[len] == ':');
	}
	mlb_buf_release(&file);
	return knows;
}

/* MAKEFLAGS is cut at blanks, and not every client takes backslashes. */
static bool
plain_path(const char *path)
{
	for (; *path; path++)
		if (!strchr("/._-+@%,:=~", *path) &&
		    !((unsigned char)(*path | 32) >= 'a' && (unsigned char)(*path | 32) <= 'z') &&
		    !(*path >= '0' && *path <= '9') && (unsigned char)*path < 128)
			return false;
	return true;
}

static int
open_own_fifo(struct mlb_jobserver *j, const char *dir, struct mlb_err *err)
{
	j->fifo = mlb_asprintf("%s/jobserver", dir);
	unlink(j->fifo); /* of a mlbuild that was killed */
	if (mkfifo(j->fifo, 0600) != 0)
		return mlb_err_errno(err, errno, "cannot make '%s'", j->fifo);
	j->read_fd = open_fifo(j->fifo);
	j->write_fd = j->read_fd;
	if (j->read_fd < 0)
		return mlb_err_errno(err, errno, "cannot open '%s'", j->fifo);
	return 0;
}

/* Out of the way of `exec 3<file` in a command. */
static int
move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static int
open_own_pipe(struct mlb_jobserver *j, struct mlb_err *err)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) != 0)
		return mlb_err_errno(err, errno, "cannot make the jobserver's pipe");
	pass(j, move_up(fd[0]), move_up(fd[1]));
	j->own_pipe = true;
	j->read_fd = reopen(j->pass[0], O_RDONLY);
	j->write_fd = reopen(j->pass[1], O_WRONLY);
	if (j->read_fd < 0 || j->write_fd < 0)
		return mlb_err_errno(err, errno, "cannot open the jobserver's pipe");
	return 0;
}

static int
serve(struct mlb_jobserver *j, const char *flags, const char *dir, unsigned jobs,
      struct mlb_err *err)
{
	bool fifo = plain_path(dir) && make_knows_fifo();
	int rc = fifo ? open_own_fifo(j, dir, err) : open_own_pipe(j, err);
	char *add;

	if (rc)
		return rc;
	for (unsigned i = 1; i < MLB_MIN(jobs, (unsigned)MAX_JOBS); i++)
		if (write(j->write_fd, "+", 1) != 1)
			return mlb_err_errno(err, errno, "cannot fill the jobserver's pipe");
	add = fifo ? mlb_asprintf("-j%u --jobserver-auth=fifo:%s", jobs, j->fifo)
		   : mlb_asprintf("-j%u --jobserver-auth=%d,%d", jobs, j->pass[0], j->pass[1]);
	replace_auth(&j->flags, flags, add);
	j->changed = true;
	free(add);
	return 0;
}

/* ----------------------------------------------------------- opening, using */

int
mlb_jobserver_open(struct mlb_jobserver **out, const char *makeflags, const char *dir,
		   unsigned jobs, struct mlb_err *err)
{
	struct mlb_jobserver *j = mlb_calloc(1, sizeof(*j));
	struct mlb_buf auth = MLB_BUF_INIT(MAX_FLAGS);
	const char *flags = makeflags ? makeflags : "";
	bool named;
	int rc = 0;

	j->read_fd = j->write_fd = -1;
	mlb_buf_init(&j->flags, MAX_FLAGS);
	find_auth(&auth, flags);
	named = auth.len > 0;
	if (!named || !join(j, mlb_buf_str(&auth), flags)) {
		if (jobs > 1) {
			rc = serve(j, flags, dir, jobs, err);
		} else if (named) { /* nobody must look for it again */
			replace_auth(&j->flags, flags, "");
			j->changed = true;
		}
	}
	mlb_buf_release(&auth);
	if (rc) {
		mlb_jobserver_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

void
mlb_jobserver_close(struct mlb_jobserver *j)
{
	if (!j)
		return;
	for (int token = 0; token < 256; token++)
		while (j->held[token])
			mlb_jobserver_give(j, token);
	if (j->write_fd >= 0 && j->write_fd != j->read_fd)
		close(j->write_fd);
	if (j->read_fd >= 0)
		close(j->read_fd);
	for (size_t i = 0; i < j->n_pass && j->own_pipe; i++)
		close(j->pass[i]);
	if (j->fifo)
		unlink(j->fifo);
	free(j->fifo);
	mlb_buf_release(&j->flags);
	free(j);
}

bool
mlb_jobserver_take(struct mlb_jobserver *j, int *token)
{
	unsigned char byte;
	ssize_t n;

	*token = -1;
	if (j->read_fd < 0)
		return true;
	if (!j->implicit_taken) {
		j->implicit_taken = true;
		return true;
	}
	do {
		n = read(j->read_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		return false;
	j->held[byte]++;
	*token = byte;
	return true;
}

/* The byte of a token that is held: this one if it is, else any; -1: none is. */
static int
held_byte(const struct mlb_jobserver *j, int wanted)
{
	if (wanted >= 0 && j->held[(unsigned char)wanted])
		return wanted;
	for (int byte = 0; byte < 256; byte++)
		if (j->held[byte])
			return byte;
	return -1;
}

/*
 * Whose slot it was does not matter: the implicit one is free last of all, because
 * nobody else can have it.
 */
void
mlb_jobserver_give(struct mlb_jobserver *j, int token)
{
	int held = held_byte(j, token);
	unsigned char byte = (unsigned char)held;
	ssize_t n;

	if (held < 0) {
		j->implicit_taken = false;
		return;
	}
	j->held[byte]--;
	do {
		n = write(j->write_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
}

int
mlb_jobserver_fd(const struct mlb_jobserver *j)
{
	return j->read_fd;
}

const int *
mlb_jobserver_descriptors(const struct mlb_jobserver *j, size_t *n)
{
	*n = j->n_pass;
	return j->pass;
}

const char *
mlb_jobserver_makeflags(const struct mlb_jobserver *j)
{
	if (!j->changed)
		return NULL;
	return j->flags.len ? j->flags.data : " "; /* set to nothing: make itself writes a blank */
}
