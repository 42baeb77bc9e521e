/*
 * A build in progress: the event loop and all that hangs on it.
 *
 * 1. Everything here runs on the thread that called mlb_build; workers get
 *    self-contained tasks and come back through the pool's descriptor.
 * 2. Threads, journal slots and descriptors are made when the first node has to
 *    be run or restored: a build with nothing to do makes none (machinery.h).
 * 3. A node moves WAITING -> DECIDED -> READY -> RUNNING -> DONE, or DECIDED ->
 *    PLACING -> DONE; FAILED, REFUSED and BLOCKED are ends. Only settle.c and what it calls move it.
 * 4. A DONE node's outputs are known; `present` says that they are in the workspace.
 */
#ifndef ENGINE_BUILDER_H
#define ENGINE_BUILDER_H

#include "base/trace.h"
#include "base/vec.h"
#include "engine/job.h"
#include "engine/machinery.h"
#include "engine/pin_needs.h"
#include "engine/project.h"
#include "os/fs.h"
#include "os/lock.h"

struct mlb_builder;

/* A file that a command writes without declaring it: what was there before. */
struct mlb_written {
	const char *path;
	struct mlb_stat before;
};

/* One command to run, or being run: a node's, or some files of an `each` node. */
struct mlb_work {
	uint32_t node;
	uint32_t *item; /* each: indices of its files; NULL otherwise */
	uint32_t n_items;
	uint64_t cost;            /* critical path: the dearest is started first */
	uint64_t seq;             /* order of becoming ready: the oldest is reserved for */
	uint64_t retry_at;        /* monotonic ns before which it must not start; 0: at once */
	unsigned tries;           /* made so far */
	unsigned lane;            /* for the trace */
	uint64_t started;         /* monotonic ns */
	struct mlb_arena arena;   /* of this try */
	struct mlb_action action; /* of the node, or of the first file */
	struct mlb_job_output *output;
	size_t n_outputs;
	struct mlb_now *made;        /* what the outputs are, once stored */
	const char *command;         /* as started */
	struct mlb_written *written; /* files of the project that it names after '>' */
	size_t n_written;
	const char *stray; /* a file that it made without declaring it; NULL: none */
	struct mlb_job *job;
	struct mlb_job_end end;
	struct mlb_grant grant;
	struct mlb_root *root; /* private root of a variant, NULL: the workspace */
	bool leader_ended;
	bool output_ended;
	bool late;            /* an input is still to be looked at again (prove.c) */
	struct mlb_task task; /* storing its outputs */
	struct mlb_err err;   /* of the task */
	struct mlb_builder *b;
};

MLB_VEC_NAMED(mlb_works, struct mlb_work *);
MLB_VEC_NAMED(mlb_u32s, uint32_t);

struct mlb_builder {
	struct mlb_project *p;
	struct mlb_plan *plan;
	const struct mlb_graph *g;
	const struct mlb_build *opt;
	struct mlb_report *report;
	bool *told_short; /* by class: whether it wants more than the machine has was looked at */
	struct mlb_lock lock;
	struct mlb_machinery *m; /* its own, or a sweep's; borrowed */
	bool ready_to_run;       /* it uses the machinery: point 2 */
	bool logged;             /* there is a row for this run */
	struct mlb_u32s todo;    /* nodes to settle */
	struct mlb_u32s marked;  /* up to date, but lock or memo have to say so */
	struct mlb_works *
		ready; /* a heap by cost for each of g->exec: what one cannot have, its like cannot either */
	size_t n_ready;            /* in all of them */
	struct mlb_works delayed;  /* waiting for a retry */
	struct mlb_works running;  /* commands and stores in flight */
	struct mlb_works unproved; /* accepted, and recorded once their late inputs were looked at */
	struct mlb_works refused;  /* of them: failed after all, and what they made is still in place */
	uint64_t unproved_ns;      /* what they took */
	uint64_t proof_ns;         /* when that is more it is time to look */
	unsigned n_tasks;          /* in the pool now */
	unsigned n_flown;          /* of its nodes: in flight (flight.h) */
	unsigned n_elsewhere;      /* and waiting for another builder's */
	unsigned n_away;           /* waiting for remotes (away.h) */
	size_t n_rows;             /* of the record: to be written down */
	uint64_t seq;
	uint32_t finished;
	bool planned;      /* MLB_EV_PLAN was sent */
	bool stopping;     /* no new commands: something failed without -k */
	bool lock_changed; /* in any pass: mlbuild.lock, .gitignore */
	bool ignore_changed;
	struct mlb_relocking *relocking; /* between mlb_relock and its end; NULL: the lock stays */
	bool stale;       /* --locked: something would have changed the lock */
	bool foretelling; /* nothing is built: only b->stale is to be found out */
	bool again;       /* a rerun gave other bytes: plan once more */
	struct mlb_trace trace;
	bool tracing;
	uint64_t trace_start; /* monotonic ns at which the build began */
	uint64_t lanes;       /* bit per lane in use */
	char *run_id;
	char pin[MLB_OID_HEX + 1];   /* the commit the inputs stand for; "" */
	struct mlb_pin_needs pinned; /* what it needs, for state.db */
	char head[MLB_OID_HEX + 1];  /* "" */
	struct mlb_err fatal;        /* a fault that ends the build: disk full, database gone */
};

/* What an event is about: a node, or some files of an `each` node. */
struct mlb_about {
	uint32_t node;    /* MLB_NONE: the build as a whole */
	const char *file; /* the first; "" for the whole node */
	uint32_t n_files;
};

/* build.c */
int mlb_builder_verdict(const struct mlb_builder *b); /* what it came to: 0 or a code */
int mlb_builder_recover(struct mlb_builder *b, struct mlb_err *err); /* opens the journal */
void mlb_builder_release(struct mlb_builder *b);

/* events.c */
void mlb_tell(struct mlb_builder *b, enum mlb_event_type type, uint32_t n, const char *text,
	      uint64_t ns);
void mlb_tell_about(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
		    const char *text, uint64_t ns);
/* type: OUTPUT or UNENDED. */
void mlb_tell_output(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
		     const char *text, size_t len);
void mlb_tell_failure(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
		      const struct mlb_failure *f, uint64_t duration);
void mlb_tell_no(struct mlb_builder *b, const struct mlb_about *a, const struct mlb_digest *log,
		 struct mlb_failure *f, uint64_t duration);
bool mlb_tell_progress(void *builder,
		       const struct mlb_scan_progress *p); /* of reading sources; false: cancelled */
void mlb_note(struct mlb_builder *b, const char *fmt, ...) MLB_PRINTF(2, 3);

/* loop.c, machinery.c */
int mlb_loop(struct mlb_builder *b, struct mlb_err *err);
void mlb_loop_begin(struct mlb_builder *b);   /* all that waits for nothing is settled */
void mlb_builder_stop(struct mlb_builder *b); /* its commands are ended */
void mlb_fatal(struct mlb_builder *b,
	       struct mlb_err *err); /* takes the error over; ends the build */
int mlb_builder_machinery(struct mlb_builder *b, struct mlb_err *err);
void mlb_node_ready(struct mlb_builder *b, struct mlb_work *w);

/* settle.c */
void mlb_todo(struct mlb_builder *b, uint32_t n); /* look at this node soon */
void mlb_settle_all(struct mlb_builder *b);       /* until nothing moves by itself */
void mlb_node_done(struct mlb_builder *b, uint32_t n, bool present);
void mlb_node_failed(struct mlb_builder *b, uint32_t n,
		     uint8_t phase);                    /* FAILED, REFUSED or BLOCKED */
void mlb_node_again(struct mlb_builder *b, uint32_t n); /* decide once more */
void mlb_builder_mark(struct mlb_builder *b,
		      uint32_t n); /* current, but lock or memo must be written */

/* work.c, finish.c: one command's life. */
struct mlb_work *mlb_work_new(struct mlb_builder *b, uint32_t n);
void mlb_work_free(struct mlb_work *w);
struct mlb_about mlb_work_about(const struct mlb_work *w); /* lives as long as the plan */
void mlb_work_give_back(struct mlb_work *w);               /* its resources and token */
void mlb_work_clear(struct mlb_work *w);                   /* forget this try: job, root, arena */
int mlb_work_start(struct mlb_work *w,
		   struct mlb_err *err); /* MLB_ESTALE: its inputs moved, decide again */
void mlb_work_output(struct mlb_work *w);
void mlb_work_said(void *work, const char *text, size_t len); /* a line of its output, to be told */
void mlb_work_ended(struct mlb_work *w);
void mlb_work_stop(struct mlb_work *w, bool timed_out);

/* place.c: putting known outputs into the workspace. */
void mlb_place(struct mlb_builder *b, uint32_t n);
/* Those of a variant stay in the cache: private roots take them from there. */
void mlb_place_nowhere(struct mlb_builder *b, uint32_t n);
/* Does the output's path hold bytes that no cache has? They are the user's, and go to .mlbuild/aside/ when replaced. */
bool mlb_is_unknown(struct mlb_builder *b, uint32_t output);
char *mlb_aside_for(struct mlb_builder *b,
		    const char *path); /* absolute, in this run's aside; owned by the caller */
void mlb_note_kept(struct mlb_builder *b, const char *path, const char *kept);

/* sources.c: what is marked, present and not tracked by git, into the store. */
int mlb_store_sources(struct mlb_builder *b, struct mlb_err *err);

/* record.c */
int mlb_record_new(struct mlb_machinery *m, struct mlb_err *err);
void mlb_record_free(struct mlb_machinery *m);
int mlb_record_built(struct mlb_builder *b, struct mlb_work *w, bool no, struct mlb_err *err);
void mlb_record_node(struct mlb_builder *b, uint32_t n, const char *what,
		     uint64_t duration); /* its memo is to be written */
void mlb_record_failed(struct mlb_builder *b, uint32_t n, struct mlb_work *w, const char *reason);
void mlb_record_tick(struct mlb_machinery *m);          /* begins a commit if one is due */
uint64_t mlb_record_due(const struct mlb_machinery *m); /* monotonic ns of the next one, 0: none */
int mlb_record_finish(struct mlb_builder *b, int status,
		      struct mlb_err *err);     /* the last commit, lock, .gitignore, run */
void mlb_report_changed(struct mlb_builder *b); /* which of the files that are committed it wrote */

/* notes.c: of mlbuild.ini, each once. */
int mlb_notes_tell(struct mlb_builder *b, struct mlb_err *err);

/* relock.c: mlbuild.lock as it has to be now. */
int mlb_graph_is_recorded(struct mlb_builder *b, bool *is,
			  struct mlb_err *err); /* lock and .gitignore are of this graph */
/*
 * Begin to write it. Then what was put so far, its tables too, is to be made durable;
 * then mlb_relock_end must be called, also after a failure: what is not wanted is dropped.
 */
int mlb_relock(struct mlb_builder *b, bool *changed, struct mlb_err *err);
int mlb_relock_end(struct mlb_builder *b, bool wanted, struct mlb_err *err);
/* What a lock would say that holds this build's closure and nothing else, appended. It may put table objects. */
int mlb_relock_text(struct mlb_builder *b, struct mlb_buf *out, struct mlb_err *err);
#define MLB_LOCK_STALE                                                                             \
	"mlbuild.lock is not what these inputs give: build without --locked and commit it"
/* Would a build of this plan, simulated, have to change the lock? What is to run may give what the lock has. */
int mlb_relock_differs(struct mlb_plan *plan, bool *differs, struct mlb_err *err);

/* ignore.c: the block in .gitignore, which is read again only where the file is not as it was left. */
int mlb_update_gitignore(struct mlb_project *p, bool *changed, struct mlb_err *err);
struct mlb_file_mark mlb_gitignore_mark(const struct mlb_project *p); /* as it is */
int mlb_gitignore_is_recorded(struct mlb_project *p, bool *is, struct mlb_err *err);
int mlb_gitignore_remember(struct mlb_project *p, struct mlb_err *err); /* inside a transaction */
int mlb_gitignore_keep(struct mlb_builder *b,
		       struct mlb_err *err); /* all of it, for a build that has nothing to record */

/* pin.c: the commit this build's inputs stand for; "" without git. */
int mlb_find_pin(struct mlb_builder *b, struct mlb_err *err);

#endif
