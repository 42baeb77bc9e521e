/*
 * What the files of the session share, and how a test gives it a backend of its own.
 * session.c has the thread and what is called from others; session_try.c one operation
 * with its tries; session_tune.c how much goes on at once.
 */
#ifndef REMOTES_SESSION_INT_H
#define REMOTES_SESSION_INT_H

#include <pthread.h>

#include "base/compat.h"
#include "mlbuild/sys/session.h"

#define SESSION_TRIES 5
#define SESSION_FIRST_WAIT 250 /* ms */
#define SESSION_STALL 30000    /* ms */
#define SESSION_MOST 64

/* ---------------------------------------------------------- how much at once */

/*
 * Doubles the limit and looks whether that brings a tenth more; where it does not the
 * limit goes back, and is tried again only after a while. In ns of the monotonic clock.
 */
struct session_tune {
	unsigned limit, most;
	unsigned before;        /* the limit to go back to; 0: it was not raised */
	unsigned hold;          /* measurements to go until it is raised again */
	bool settling;          /* what ends now began before the limit was raised */
	uint64_t since;         /* this measurement began; 0: it has not */
	uint64_t halved;        /* when */
	uint64_t bytes, answers; /* in this measurement */
	double best_bytes, best_answers; /* a second, of the last one that was kept */
};

void session_tune_init(struct session_tune *t, unsigned most);
void session_tune_moved(struct session_tune *t, uint64_t bytes);
/* full: as many as may go on do, so that the limit is what holds it up. */
void session_tune_answer(struct session_tune *t, uint64_t now, bool full);
/* What began after the last halving was turned away. */
void session_tune_busy(struct session_tune *t, uint64_t began, uint64_t now);

/* ms until try number tries + 1, full jitter; random: 64 random bits. */
uint32_t session_backoff(uint32_t first, unsigned tries, uint32_t retry_after, uint64_t random);

/* ---------------------------------------------------------- one operation */

struct session_waiter; /* mlb_session_run's */

struct session_job {
	struct mlb_remote_op inner; /* first: what the backend sees */
	struct mlb_remote_op *op;   /* the caller's */
	struct mlb_session *session;
	struct session_waiter *waiter; /* NULL: op->done is called */
	struct session_job *next;
	enum mlb_session_priority priority;

	unsigned tries;    /* begun */
	unsigned counted;  /* of them: since it last got a good way further */
	uint64_t due;      /* ns: when to try again */
	uint64_t began;    /* ns: the last try */
	uint64_t since;    /* ns: when it moved last */
	uint64_t progress; /* all that it had moved by then */
	uint64_t told;     /* of a PUT: bytes that statistics have */
	uint64_t given;    /* GET: bytes that the caller has, or that were compared */
	uint64_t from;     /* GET: of them before this try */
	uint64_t entries;  /* LIST */
	uint64_t total;    /* GET: as an earlier try said */
	int64_t mtime;     /* the same */
	bool cut;          /* by us: it stalled */
	bool refused;      /* sink or entry wants no more */
	bool doubtful;     /* PUT if absent: a try that was cut may have been done */
	bool compares;     /* that is looked into, by a GET */
	bool differs;      /* what is there is not what was sent */
};

struct session_queue {
	struct session_job *first, *last;
};

struct mlb_session {
	struct mlb_remote *remote;
	const struct mlb_remote_backend *backend;
	char *name;
	pthread_t thread;

	pthread_mutex_t mutex; /* guards the following */
	pthread_cond_t told;   /* submitted while nothing works any more; a waiter's is done */
	struct session_queue submitted;
	bool cancelled, closing;
	uint32_t asked_wait, asked_stall; /* ms; what the thread goes by when it looks again */
	struct mlb_session_stats stats;

	/* The thread's own. */
	struct session_queue todo[2]; /* by priority */
	struct session_queue ended;   /* by the backend, to be judged */
	struct session_job *waiting;  /* to be tried again, by due */
	struct session_job *going[SESSION_MOST];
	unsigned n_going;
	struct session_tune tune;
	uint32_t first_wait, stall; /* ms */
	uint64_t quiet;       /* ns: the server asked for nothing before that */
	uint64_t random;      /* state */
	bool stopping;        /* cancelled, as the thread knows */
	struct mlb_err death; /* set: nothing works any more */
};

/* mlb_session_open with this backend; owns it (closes it) from success on. */
int mlb_session_open_backend(struct mlb_session **out, const struct mlb_remote_backend *backend,
			     const struct mlb_remote_config *c, struct mlb_err *err);

void session_push(struct session_queue *q, struct session_job *j);
struct session_job *session_pop(struct session_queue *q);

bool session_job_check(struct session_job *j); /* false: it was asked wrongly, and says so */
void session_job_begin(struct session_job *j, uint64_t now); /* a try; the session has room for it */
void session_job_watch(struct session_job *j, uint64_t now); /* notes what has moved; cuts what stalls */
uint64_t session_job_patience(const struct session_job *j);  /* ns: when it has stalled */

/* After the backend's done. True: it has ended, with inner telling how; false: try again at j->due. */
bool session_job_judge(struct session_job *j, uint64_t now);

#endif
