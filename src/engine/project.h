/*
 * The project behind the public API, and what one invocation knows of it.
 *
 * struct mlb_project lives as long as the caller wants; its parts are opened at
 * first need. struct mlb_plan is made for one call: it holds the state of every
 * node of the graph for the words asked for.
 *
 * Ownership: the project owns all handles; a plan borrows the project.
 */
#ifndef ENGINE_PROJECT_H
#define ENGINE_PROJECT_H

#include "base/arena.h"
#include "base/strmap.h"
#include "engine/root.h"
#include "engine/suspend.h"
#include "graph/action.h"
#include "graph/lockfile.h"
#include "mlbuild.h"
#include "os/io.h"
#include "store/lease.h"
#include "store/result.h"
#include "store/scan.h"
#include "store/state.h"
#include "store/vcs.h"

struct mlb_plan_options;
struct mlb_plan;

/* By what a file that we wrote is known again; all zero: there is none. */
struct mlb_file_mark {
	uint64_t ino, size;
	int64_t mtime, ctime;
};

struct mlb_project {
	struct mlb_project *parent; /* a combination of a sweep: whose handles it uses, and whose sources; NULL */
	struct mlb_strmap seen;     /* a parent: path -> struct mlb_path_state *, of those that its graph has not */
	struct mlb_strmap fingerprints; /* command -> what it said when it was run last (fingerprint.c) */
	char *root;      /* absolute */
	char *state_dir; /* root/.mlbuild */
	char *name;
	struct mlb_override *override; /* -p; strings owned by `arena` */
	size_t n_overrides;
	struct mlb_arena arena;
	struct mlb_db *db;
	struct mlb_lease lease; /* on the cache, as long as it is open */
	bool no_lease;          /* who collects relies on nothing */
	struct mlb_cas *cas;
	struct mlb_results *results;
	struct mlb_remotes *remotes; /* NULL until asked for (remotes.h) */
	struct mlb_vcs *vcs; /* NULL until asked for, or where there is none */
	struct mlb_strvec notes; /* of the ini, compiled just now: for the next build to tell */
	bool vcs_tried;
	char *vcs_why; /* why there is none; "" */
	struct mlb_config *config;
	char *cache_hint; /* [cache] dir of a mlbuild.ini in which something is wrong; NULL */
	struct mlb_graph *graph;
	struct mlb_scan scan;
	bool scanned;
	struct mlb_lockfile lock;
	struct mlb_file_mark lock_mark; /* as it was when lock_same was found */
	bool lock_read;
	bool lock_same; /* the lock on disk is the one our memo was recorded with */
	bool adopting;  /* results of the targets asked for come before what the lock says */
	struct mlb_digest *file_digest; /* variants: digests of rewritten parameter files */
	struct mlb_root_file *file;     /* variants: the rewritten parameter files */
	size_t n_files;
	struct mlb_digest *fp; /* fingerprints that were run ahead of the next plan (fingerprint.h); NULL: none */
	const char **fp_error; /* of them; the texts are in the arena */
	const struct mlb_plan_options *
		storing; /* loading: sources for these words are stored while they are scanned; NULL: none */
	bool (*progress)(void *ctx, const struct mlb_scan_progress *p); /* of scanning; or NULL */
	void *progress_ctx;
	int cancel_fd; /* eventfd */
	atomic_bool heard; /* that a build was cancelled, whose event loop took that from cancel_fd */
	struct mlb_suspension own_suspension;
	struct mlb_suspension *suspension; /* its own, or that of the project around it */
	unsigned threads;
	/* A commit's files in a private directory (nested.h): */
	char *cache_dir; /* absolute, with the version; NULL: as configured */
	struct mlb_io io; /* how the cache is written; it stops where the project is cancelled */
	uint8_t past;    /* enum mlb_past */
	bool snapshot;   /* the commit was made before what its files give was built: its lock may be older */
	const struct mlb_strmap *pinned; /* then: struct mlb_now by path, as records tell (pinned.h); or NULL */
	const struct mlb_strmap *
		fed; /* MLB_PAST_REBUILD: by node, struct mlb_now of its outputs, which are there; NULL: none */
	int (*on_done)(void *ctx, struct mlb_plan *plan, struct mlb_err *err); /* a build is through; or NULL */
	void *done_ctx;
};

/* What results count, where files are those of a commit. */
enum mlb_past {
	MLB_PAST_NONE = 0,
	MLB_PAST_KNOWN,  /* the lock's, though a key is another one now: it says what the commit means */
	MLB_PAST_REBUILD /* none but those of this build */
};

static inline bool
mlb_is_variant(const struct mlb_project *p)
{
	return p->n_overrides != 0;
}

/* project.c */
/* $XDG_CONFIG_HOME/mlbuild (XDG Base Directory Specification); NULL if there is no home. Owned by the caller. */
char *mlb_user_config_dir(void);
const struct mlb_io *mlb_project_io(const struct mlb_project *p); /* borrowed; a combination has its parent's */
void mlb_project_set_io(struct mlb_project *p, const struct mlb_io *io); /* before the cache is opened */
/* Reading for the cache stops, or may go on again: whoever takes the event from cancel_fd tells it. */
void mlb_project_hear(struct mlb_project *p, bool cancelled);
/*
 * A variant that uses parent's database, cache, repository and cancellation, and takes its sources as parent has
 * scanned them: what changed since is not looked at. Loaded parent, with cache and repository open. Close it before.
 */
int mlb_project_child(struct mlb_project **out, struct mlb_project *parent, const char *const *param, size_t n,
		      struct mlb_err *err);
/* What was read of it is forgotten, because the files have changed; its handles stay open. */
void mlb_project_unload(struct mlb_project *p);
int mlb_project_state_dir(struct mlb_project *p, struct mlb_err *err); /* .mlbuild, which ignores itself */
int mlb_project_store(struct mlb_project *p, struct mlb_err *err);     /* state.db */
int mlb_project_write(struct mlb_project *p, struct mlb_err *err); /* and it can be written */
int mlb_project_cache(struct mlb_project *p, struct mlb_err *err); /* and objects, results */
/* The same for who only looks at the past: something may be wrong in mlbuild.ini by now. */
int mlb_project_past(struct mlb_project *p, struct mlb_err *err);
/* What it writes to is let go of, so that others see all of it. It is opened again when it is needed; not a combination's. */
void mlb_project_close_cache(struct mlb_project *p);
/* The graph was compiled anew: a cache that was opened by an older one is closed if it is elsewhere now. */
void mlb_project_cache_moved(struct mlb_project *p);
int mlb_project_vcs(struct mlb_project *p,
		    struct mlb_err *err); /* p->vcs, or NULL and p->vcs_why */
int mlb_project_config(struct mlb_project *p, struct mlb_err *err);
int mlb_project_try_config(struct mlb_config **out, const struct mlb_project *p,
			   struct mlb_err *err); /* another one, with what is wrong in it */
char *mlb_project_cache_dir(const struct mlb_project *p); /* absolute; owned by the caller */
bool mlb_project_may_write(const struct mlb_project *p); /* .mlbuild and what is in it */
bool mlb_project_shares_cache(const struct mlb_project *p); /* it is not in .mlbuild */
char *mlb_project_path(const struct mlb_project *p,
		       const char *rel); /* absolute; owned by the caller */
enum mlb_link mlb_project_link(const struct mlb_project *p);

/* notes.c: those of p->notes that a build told already, if they are still the same, need not be told. */
int mlb_notes_drop_told(struct mlb_project *p, struct mlb_err *err);

/* load.c: graph and scan, both as of now. */
int mlb_project_load(struct mlb_project *p, struct mlb_err *err);
/*
 * The graph on disk and a scan of its paths (mlb_scan_stats) without state.db; what
 * loads the project then goes on from there. False: there is no such graph.
 */
bool mlb_project_peek(struct mlb_project *p);
bool mlb_project_env_holds(const struct mlb_project *p); /* variables that the graph was made from */
int mlb_project_mark_lock(const struct mlb_project *p, struct mlb_file_mark *out,
			  struct mlb_err *err); /* mlbuild.lock as it is */
int mlb_project_lock(struct mlb_project *p, struct mlb_err *err); /* reads mlbuild.lock once */
int mlb_project_whole_lock(struct mlb_project *p,
			   struct mlb_err *err); /* and parses all: for whoever reads p->lock.map */
int mlb_project_check_lock(struct mlb_project *p,
			   struct mlb_err *err); /* reads it only if it is not the one recorded */
int mlb_project_remember_lock(struct mlb_project *p,
			      struct mlb_err *err); /* inside a transaction: it is recorded now */
uint32_t mlb_project_path_index(const struct mlb_project *p,
				const char *path); /* MLB_NONE if the graph has none */
int mlb_project_save_scan(struct mlb_project *p,
			  struct mlb_err *err); /* stat cache rows, in a transaction */

/* What became, or will become, of a node in this invocation. */
enum mlb_nphase {
	MLB_PH_WAITING = 0, /* something that it reads is not known yet */
	MLB_PH_DECIDED,     /* must run or be restored, and waits for gates or inputs */
	MLB_PH_READY,       /* in the ready queue */
	MLB_PH_ELSEWHERE,   /* another builder runs the same action */
	MLB_PH_RUNNING,
	MLB_PH_PLACING, /* being restored */
	MLB_PH_DONE,    /* its outputs' digests are known; see present */
	MLB_PH_REFUSED, /* a check that said no */
	MLB_PH_FAILED,
	MLB_PH_BLOCKED
};

struct mlb_now { /* an output as this invocation knows it */
	struct mlb_digest digest;
	uint64_t size;
	uint8_t kind; /* enum mlb_okind, 0: unknown */
};

struct mlb_each;

struct mlb_node {
	struct mlb_digest sig, key;
	struct mlb_digest memo_sig, memo_key, memo_outs;
	uint64_t duration;     /* ns: measured before, else an estimate */
	uint64_t path_cost;    /* critical path from here to an end, ns */
	const char *reason;    /* why it will run; in the plan's arena; "" */
	const char *stamp;     /* frozen: from the lock; "" */
	const struct mlb_past_failure *failed; /* its last run here; NULL: that was well (failures.h) */
	struct mlb_each *each; /* its actions, NULL if it is not of that sort */
	uint32_t waits;        /* deps in the closure that are not known */
	uint32_t needs;        /* inputs being put in place before it can run */
	uint32_t gates;        /* gates without a verdict */
	uint32_t blocked_by;   /* node plus one that failed or said no; 0: none */
	uint8_t phase;         /* enum mlb_nphase */
	uint8_t fate;          /* enum mlb_fate, as decided */
	uint8_t memo_flags;
	bool measured;     /* duration was measured */
	bool wanted;       /* in the closure */
	bool asked;        /* named by the words */
	bool present;      /* its outputs are in the workspace */
	bool need_present; /* must be put there */
	bool forced;
	bool changed; /* ran or got another result: to be recorded */
	bool has_memo;
	bool doubted; /* its memo is of another lock, see mlb_memo_doubt */
	bool lost; /* its result's bytes cannot be had: run even though known */
	bool key_known;
	bool known;  /* it was DONE once: its users have been released */
	bool marked; /* lock or memo must be written, and the builder knows */
	bool ran;    /* each: a command of it ran */
	bool redo;   /* an input was made again: decide once more before it runs */
	bool lacks; /* as decided: a remote may have its result, or bytes of it (away.h) */
	bool refetch;     /* what is here of it is not whole: all of it is asked for */
	bool refetched;   /* and was */
	bool unfetchable; /* what remotes said they have of it could not be had */
	bool flown; /* it is in flight, and this builder runs it (flight.h) */
	bool resting; /* DONE before anything was decided (steady.h): neither memo nor key were looked up */
};

struct mlb_plan {
	struct mlb_project *p;
	const struct mlb_graph *g;
	struct mlb_node *node;    /* one per graph node */
	struct mlb_now *out;      /* one per graph output */
	uint32_t *out_of_path;    /* path -> output index, MLB_NONE */
	const char **fp_error;    /* why a fingerprint has none; NULL entry: it has one */
	struct mlb_digest *fp;    /* digest per entry of g->strs that is a fingerprint */
	struct mlb_strmap tables; /* digest of a table object -> its rows (known.c) */
	struct mlb_arena arena;
	uint64_t kind_mean[MLB_N_KINDS];
	bool force, only, downstream, update, locked;
	bool refused; /* simulating: --locked blocks something */
	bool asks;    /* simulating: remotes, should a node lack something that they may have */
	uint32_t n_wanted;
	uint32_t n_resting; /* of them */
};

/* plan.c */
struct mlb_plan_options {
	const char *const *word;
	size_t n_words;
	bool force, only, downstream, update, locked;
	bool rest; /* mlb_steady_find said MLB_REST_MOST */
	const struct mlb_lockfile *also; /* without words: with the default ones those that it names; NULL */
};
int mlb_plan_new(struct mlb_plan **out, struct mlb_project *p, const struct mlb_plan_options *o,
		 struct mlb_err *err);
/* Can all that is wanted be made with the variables that are set? For what is about to build. */
int mlb_plan_check_env(const struct mlb_plan *plan, struct mlb_err *err);
void mlb_plan_free(struct mlb_plan *plan);

/* Is the lock on disk the one that this node's memo was recorded with? */
static inline bool
mlb_plan_lock_same(const struct mlb_plan *plan, uint32_t n)
{
	return plan->p->lock_same && !plan->node[n].doubted;
}
/* Decide every wanted node in order without doing anything: fates and reasons of -n, status and why. */
int mlb_plan_simulate(struct mlb_plan *plan, struct mlb_err *err);

/* select.c: marks node[].asked and wanted. */
int mlb_plan_select(struct mlb_plan *plan, const struct mlb_plan_options *o, struct mlb_err *err);
/* The nodes that the words stand for, or the default ones: one byte a node, zero before. */
int mlb_select_marks(const struct mlb_project *p, const struct mlb_plan_options *o, uint8_t *mark,
		     struct mlb_err *err);
int mlb_select_words(const struct mlb_project *p, const char *const *word, size_t n, uint8_t *mark,
		     struct mlb_err *err);
/* Does the word mean this instance: by its name, its target's, some of its bindings, or as a glob? */
bool mlb_name_matches(const char *name, const char *base, const char *word, bool glob);

/*
 * decide.c: what happens to a node whose inputs are all known. The one place
 * that says so. Sets key, fate, reason, and out[] where the result is known.
 */
int mlb_decide(struct mlb_plan *plan, uint32_t n, struct mlb_err *err);
/* If its command reads a variable that is not set: BLOCKED, and true. */
bool mlb_blocked_by_env(struct mlb_plan *plan, uint32_t n);
/* The node's action with the digests of its inputs; from the arena. */
void mlb_node_action(struct mlb_plan *plan, uint32_t n, struct mlb_arena *arena,
		     struct mlb_action *out);
/* Digest and kind of an input as known now; kind 0: unknown or absent. */
struct mlb_now mlb_input_now(const struct mlb_plan *plan, const struct mlb_g_input *in);
struct mlb_now mlb_input_on_disk(const struct mlb_plan *plan,
				 const struct mlb_g_input *in); /* as scanned */
bool mlb_signature_holds(const struct mlb_plan *plan,
			 uint32_t n); /* its inputs are those it was decided by */
bool mlb_outputs_here(struct mlb_plan *plan,
		      uint32_t n); /* all bytes are in the cache or in the workspace */
bool mlb_outputs_available(struct mlb_plan *plan, uint32_t n); /* or in a remote that was asked */
void mlb_outs_digest(struct mlb_digest *out, const struct mlb_now *now, size_t n);
struct mlb_now mlb_output_on_disk(const struct mlb_plan *plan, uint32_t output); /* as scanned */
bool mlb_output_in_place(const struct mlb_plan *plan,
			 uint32_t output); /* the workspace has out[output] */
uint32_t mlb_output_node(const struct mlb_plan *plan, uint32_t output); /* whose output it is */

#define MLB_NOT_BUILT "not built yet"
/* why.c: a sentence for a key that has no result: what differs from the last one. From the arena. */
const char *mlb_why_short(struct mlb_plan *plan, uint32_t n, struct mlb_err *err);

#endif
