/*
 * What the files of the ssh backend share.
 *
 *	ssh.c          the backend: how ssh is started, greeting, waiting
 *	ssh_place.c    what a URL means
 *	sftp_jobs.c    jobs and the requests they have asked
 *	sftp_get.c     one kind of job each
 *	sftp_put.c
 *	sftp_names.c   (LIST, STAT and DELETE)
 *	sftp_sweep.c   what was written for nothing goes
 *	sftp_words.c   what ssh's words and a server's status mean
 *	sftp_link.c    the process and its packets
 *	sftp_packet.c  their bytes
 *
 * 1. An operation is a job from start until done. It asks requests; each answer goes to
 *    the job that asked, in whatever order they come.
 * 2. A job that ended has no requests: answers to what it asked are thrown away, and a
 *    handle among them is closed.
 * 3. At most WINDOW bytes are under way or held in each direction, whatever a server does.
 */
#ifndef REMOTES_SFTP_INT_H
#define REMOTES_SFTP_INT_H

#include "base/text.h"
#include "base/vec.h"
#include "mlbuild/sys/remote.h"
#include "remotes/sftp_link.h"
#include "remotes/sftp_packet.h"

struct mlb_ssh;
struct mlb_sftp_job;
struct mlb_sftp_request;

/* How one kind of operation goes on. All MUST, unless they say MAY. */
struct mlb_sftp_verb {
	void (*begin)(struct mlb_sftp_job *j); /* its first request */
	bool (*more)(struct mlb_sftp_job *j);  /* MAY: one request with data; false: it has none */
	/* q is forgotten already; p is its answer. */
	void (*answer)(struct mlb_sftp_job *j, const struct mlb_sftp_request *q,
		       const struct mlb_sftp_packet *p);
	/* MAY: it ends; ask for what must be tidied up there (where the link is up), free the rest. */
	void (*end)(struct mlb_sftp_job *j, bool up);
};

extern const struct mlb_sftp_verb mlb_sftp_get, mlb_sftp_put, mlb_sftp_stat, mlb_sftp_list,
	mlb_sftp_delete;

struct mlb_sftp_request {
	struct mlb_sftp_job *job; /* NULL: nobody wants the answer any more */
	uint32_t id;
	bool used;
	bool opens;      /* the answer may be a handle */
	uint8_t step;    /* what for; the verb's */
	uint32_t len;    /* bytes asked for or sent */
	uint64_t offset; /* the verb's */
	uint32_t next_free;
};

/* Bytes of a GET that came before others in front of them. */
struct mlb_sftp_held {
	struct mlb_sftp_held *next; /* sorted by offset */
	uint64_t offset;
	size_t len;
	uint8_t data[];
};

struct mlb_sftp_job {
	struct mlb_ssh *ssh;
	struct mlb_remote_op *op;
	const struct mlb_sftp_verb *verb;
	struct mlb_sftp_job *prev, *next; /* of those that go on, or have ended */
	char *path;                       /* there, of the op's name */
	unsigned pending;                 /* requests unanswered */
	bool begun, ended;
	uint8_t handle[MLB_SFTP_HANDLE_MAX];
	uint32_t handle_len;
	bool open; /* there is a handle */

	uint64_t at; /* GET: asked for up to here; PUT: sent; DELETE: names asked; LIST: names told */
	uint64_t given; /* GET: given to sink up to here */
	uint64_t until; /* GET: the end that was asked for, or is known */
	bool looked;    /* GET: FSTAT has been answered */
	bool sized;     /* GET: the size is known */
	bool finished;  /* GET, LIST: nothing more is to be asked */
	struct mlb_sftp_held *held;

	bool failing;  /* PUT: trouble is being looked into, nothing else counts */
	char *tmp;     /* PUT: the name it is written under; NULL: none is there */
	uint32_t deep; /* PUT: directories made on that way */
	char *way;     /* PUT: where to; owned */
	unsigned ways; /* PUT: how often one was made */
	char *trouble; /* the first that went wrong, told at the end; owned */
	enum mlb_remote_fault trouble_fault;
};

MLB_VEC_NAMED(mlb_sftp_requests, struct mlb_sftp_request);

/* Where names are written, below the root; none of ours begins with '.'. As remotes/dir.c. */
#define MLB_SFTP_TMP ".tmp"

enum mlb_ssh_phase { MLB_SSH_DOWN, MLB_SSH_GREETING, MLB_SSH_LIMITS, MLB_SSH_ROOT, MLB_SSH_UP };

struct mlb_ssh {
	struct mlb_remote remote; /* must be first */
	struct mlb_strvec argv;   /* of ssh, with the NULL behind it */
	char *name;               /* of the remote, for messages */
	char *who;                /* user@host, for messages */
	char *login;              /* how a user would start ssh by hand, for messages */
	char *root;               /* directory; "": the home there */
	int wake_fd;              /* eventfd(2) */

	struct mlb_sftp_link link;
	enum mlb_ssh_phase phase;
	struct mlb_sftp_extensions ext;
	uint32_t read_max, write_max; /* bytes of one request */

	struct mlb_sftp_job *jobs, *last; /* going on; the first is the next to ask for data */
	unsigned n_jobs;
	struct mlb_sftp_job *over; /* ended, done is to be called */
	struct mlb_sftp_requests requests;
	uint32_t free_request; /* index, or UINT32_MAX */
	uint32_t generation;   /* of the next id */
	unsigned asked;        /* requests unanswered */
	uint64_t under_way;    /* bytes of data that they carry or ask for */
	uint64_t held;         /* bytes of GETs that wait for others */

	char *tmp_prefix; /* of names that are being written, of this process only */
	uint64_t n_tmp;
	struct mlb_sftp_sweep *sweep; /* what tidies up there; NULL until something was put */

	enum mlb_remote_fault broken; /* why no connection can be had, so that nobody is asked twice */
	char *broken_text;
};

/* ------------------------------------------------------------- sftp_jobs.c */

void mlb_sftp_job_new(struct mlb_ssh *s, struct mlb_remote_op *op);
/* Begin what has not begun, and ask for data while there is room. */
void mlb_sftp_pump(struct mlb_ssh *s);
/* The answer goes to its job; false (text says why) if it belongs to nothing. */
bool mlb_sftp_dispatch(struct mlb_ssh *s, const struct mlb_sftp_packet *p, const char **why);
bool mlb_sftp_room(const struct mlb_ssh *s); /* for a request with data? */

/* Note a request and return its id; the packet itself is added to s->link.out then. */
uint32_t mlb_sftp_ask(struct mlb_sftp_job *j, uint8_t step, uint64_t offset, uint32_t len);
void mlb_sftp_ask_path(struct mlb_sftp_job *j, uint8_t step, enum mlb_sftp_type type,
		       const char *path);
void mlb_sftp_ask_handle(struct mlb_sftp_job *j, uint8_t step, enum mlb_sftp_type type);
void mlb_sftp_ask_open(struct mlb_sftp_job *j, uint8_t step, const char *path, uint32_t how);
/* Two that nobody waits for. */
void mlb_sftp_close_handle(struct mlb_sftp_job *j);
void mlb_sftp_remove_there(struct mlb_ssh *s, const char *path);
/* Keep the handle of an answer; false (and the job has ended) if it is none. */
bool mlb_sftp_keep_handle(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p);

/* End a job; the first end counts. done is called later, from wait or cancel. */
void mlb_sftp_job_ok(struct mlb_sftp_job *j);
void mlb_sftp_job_fail(struct mlb_sftp_job *j, enum mlb_remote_fault fault, const char *fmt, ...)
	MLB_PRINTF(3, 4);
void mlb_sftp_job_stopped(struct mlb_sftp_job *j, int rc); /* the caller's own function failed */
/* What the server's answer means: it is a status that is not OK, or of a wrong type. */
void mlb_sftp_job_refused(struct mlb_sftp_job *j, const char *doing,
			  const struct mlb_sftp_packet *p);
void mlb_sftp_job_odd(struct mlb_sftp_job *j, const char *what); /* an answer that cannot be */
void mlb_sftp_all_fail(struct mlb_ssh *s, enum mlb_remote_fault fault, const char *text);
void mlb_sftp_job_over(struct mlb_sftp_job *j); /* calls done, frees */
void mlb_sftp_forget(struct mlb_ssh *s);        /* the link is gone: all requests with it */
bool mlb_sftp_tell_ended(struct mlb_ssh *s);    /* calls done of all that ended; was there any? */

/* The path there of a name below the root; "" is the root itself. Owned by the caller. */
char *mlb_sftp_path(const struct mlb_ssh *s, const char *name);

/* ------------------------------------------------------------- sftp_sweep.c */

/* The first PUT told the server's time: what is a day older goes. Later calls do nothing. */
void mlb_sftp_sweep(struct mlb_ssh *s, int64_t now);
void mlb_sftp_sweep_free(struct mlb_ssh *s); /* when none of its jobs goes on */

/* ------------------------------------------------------------- sftp_words.c */

enum mlb_remote_fault mlb_sftp_status_fault(uint32_t code);
/* "permission denied"; with the server's own words where they say more. Appended. */
void mlb_sftp_status_text(struct mlb_buf *out, const struct mlb_sftp_status *status);
/* Why there is no connection, of ssh's last words and its exit. */
enum mlb_remote_fault mlb_ssh_fault(const char *words, const struct mlb_exit *x);
/* The line of ssh's words that tells most, and what to do about it. Appended. */
void mlb_ssh_explain(struct mlb_buf *out, const struct mlb_ssh *s, enum mlb_remote_fault fault,
		     const struct mlb_exit *x);
#endif
