/*
 * libmlbuild: make and DVC for machine-learning projects.
 *
 * A program opens a project, asks for targets and gets events back. The library
 * never prints, exits, changes the current directory or installs signal
 * handlers. A project belongs to one thread; several projects may be open at
 * once. The only calls that may come from another thread or from a signal
 * handler are mlb_cancel, mlb_suspend and mlb_continue.
 *
 * Strings in structures passed to callbacks are borrowed for the call. Strings
 * returned by `char **` are the caller's, to be freed with mlb_free. Times are
 * nanoseconds, since 1970 where they are points in time.
 *
 * Errors are described in mlbuild/err.h.
 */
#ifndef MLBUILD_H
#define MLBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"
#include "mlbuild/history.h"
#include "mlbuild/keys.h"
#include "mlbuild/pins.h"
#include "mlbuild/remotes.h"
#include "mlbuild/reproduce.h"
#include "mlbuild/why.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;

MLB_API const char *mlb_version(void); /* "0.1.0" */
MLB_API void mlb_free(void *p);

/* ------------------------------------------------------------ project */

struct mlb_open {
	const char *dir; /* where to look for mlbuild.ini, upwards; NULL: the current directory */
	const char *const *param; /* "NAME=VALUE" or "@FILE" each: a variant of the project */
	size_t n_params;
	bool bare; /* where there is no mlbuild.ini, dir itself is the project: for what works from a commit */
};

/* MLB_ENOTFOUND if there is no mlbuild.ini. Reading it happens at the first call that needs it. */
MLB_API int mlb_project_open(struct mlb_project **out, const struct mlb_open *open,
			     struct mlb_err *err);
MLB_API void mlb_project_close(struct mlb_project *p);
MLB_API const char *mlb_project_root(const struct mlb_project *p); /* absolute; borrowed */
MLB_API const char *mlb_project_name(struct mlb_project *p); /* borrowed; "" if the ini is wrong */

/* ------------------------------------------------------------ targets */

struct mlb_target_info {
	const char *name; /* of the section */
	const char *kind; /* dataset feature model report check task */
	const char *desc; /* "" without */
	const char *owner, *tags;
	const char *file; /* where it is declared */
	unsigned line;
	uint32_t instances;        /* 1 without a matrix */
	const char *const *output; /* paths; each and matrix: of the first instance, or the template */
	size_t n_outputs;
	bool source; /* it has a path and nothing to run */
};
typedef int mlb_target_fn(void *ctx, const struct mlb_target_info *t); /* not 0 stops */
MLB_API int mlb_targets(struct mlb_project *p, mlb_target_fn *fn, void *ctx, struct mlb_err *err);

/* Is this the name of a target (no instance, kind, glob or path)? False also where mlbuild.ini cannot be read. */
MLB_API bool mlb_is_target(struct mlb_project *p, const char *word);

struct mlb_param_info {
	const char *name, *value; /* as written; lists and maps as JSON */
	const char *file;         /* where it is from, "-p" for the command line */
	unsigned line;
};
typedef int mlb_param_fn(void *ctx, const struct mlb_param_info *i);
MLB_API int mlb_params(struct mlb_project *p, mlb_param_fn *fn, void *ctx, struct mlb_err *err);

enum mlb_graph_format { MLB_GRAPH_TEXT, MLB_GRAPH_DOT, MLB_GRAPH_MERMAID, MLB_GRAPH_JSON };
/* The graph of the words' closure (all targets if there are none). */
MLB_API int mlb_graph_write(struct mlb_project *p, const char *const *word, size_t n_words,
			    enum mlb_graph_format format, char **out, struct mlb_err *err);

/* ------------------------------------------------------------ plan */

enum mlb_fate {
	MLB_FATE_CURRENT = 0, /* up to date */
	MLB_FATE_RESTORE,     /* known: its outputs will be taken from the cache */
	MLB_FATE_RUN,         /* will run */
	MLB_FATE_MAYBE,       /* may run: something it reads will run first */
	MLB_FATE_BLOCKED,     /* a check says no, or an input cannot be had */
	MLB_FATE_NO           /* a check whose verdict is no */
};

struct mlb_past_failure {
	int64_t at;         /* ns since 1970 */
	const char *run;    /* id */
	const char *reason; /* "exit code 3"; may have several lines */
	const char *log;    /* path relative to the project, "" without */
};
struct mlb_plan_info {
	const char *name; /* instance */
	const char *kind;
	enum mlb_fate fate;
	const char *reason; /* one line: "input src/train.py changed"; "" if up to date */
	bool present;       /* its outputs are in the workspace */
	bool asked;         /* named by the words, not only needed by them */
	uint64_t expected;  /* ns it took last time, or is likely to take; 0 unknown */
	uint32_t actions;   /* how many commands: more than one for `each` */
	const struct mlb_past_failure
		*failed; /* its last run, if that failed and it has to run; or NULL */
};
typedef int mlb_plan_fn(void *ctx, const struct mlb_plan_info *i);

/* What a build would do and why, in the order it would happen. Nothing is run but fingerprints. */
MLB_API int mlb_plan(struct mlb_project *p, const char *const *word, size_t n_words,
		     mlb_plan_fn *fn, void *ctx, struct mlb_err *err);

/* ------------------------------------------------------------ build */

enum mlb_event_type {
	MLB_EV_PLAN,     /* total is known (it may change later): total, expected */
	MLB_EV_WAIT,     /* another mlbuild builds here: text says who */
	MLB_EV_START,    /* a command begins: node, text = command */
	MLB_EV_OUTPUT,   /* node printed text (whole lines, len bytes) */
	MLB_EV_BUILT,    /* node is built: duration; text = its metrics as JSON, "" without */
	MLB_EV_RESTORED, /* node's outputs came from the cache */
	MLB_EV_RETRY,    /* node failed and will be tried again: text says why */
	MLB_EV_FAILED,   /* node failed: see failure */
	MLB_EV_NO,       /* a check or gate said no: see failure */
	MLB_EV_BLOCKED,  /* node cannot be built: text says by what */
	MLB_EV_NOTE,     /* something worth knowing: text */
	MLB_EV_PROGRESS, /* of a checkout, or of reading many sources: files, bytes, total_bytes, duration;
			    ten times a second at most */
	MLB_EV_UNENDED   /* node printed a line, such as a progress bar, that has no end yet: what it
			    reads now (text, len); as a whole it comes by OUTPUT */
};

struct mlb_failure {
	const char *command; /* as it was started; secrets masked */
	const char *
		reason; /* "exit code 1", "killed by SIGKILL", "timed out after 2h", "did not make out.pkl" */
	const char *log_tail; /* last lines */
	const char *log_path; /* relative to the project */
	const char *kept;     /* directory with what it left, "" if nothing */
};

struct mlb_event {
	enum mlb_event_type type;
	const char *node; /* instance; "" for the build as a whole */
	const char *kind; /* of the target */
	const char *
		file; /* a command of an `each` target: the file it is about, the first of a batch; "" */
	uint32_t n_files; /* and how many; 0: the target as a whole */
	const char *text;
	size_t len;        /* of text */
	const char *by;    /* BLOCKED: the target that is to blame; "": this one itself */
	uint64_t duration; /* ns */
	uint64_t expected; /* PLAN: ns the whole will take; START: ns this one took last time; 0 unknown */
	uint32_t total;    /* targets that have to be brought about */
	uint32_t finished; /* of them */
	const struct mlb_failure *failure;
	uint64_t files;       /* PROGRESS: written, or read, so far */
	uint64_t bytes;       /* of them */
	uint64_t total_bytes; /* of all that have to be put in place, or read */
};
typedef void mlb_event_fn(void *ctx, const struct mlb_event *e);

struct mlb_build {
	const char *const *word; /* what to build; none: the project's default */
	size_t n_words;
	unsigned jobs;            /* most commands at once; 0: the number of processors */
	bool keep_going;          /* go on past failures */
	bool force;               /* run the named targets even if they are up to date */
	bool locked;              /* fail (MLB_ESTALE) instead of changing mlbuild.lock */
	bool only;                /* the named targets alone; what they read is taken as it is */
	bool downstream;          /* also everything that reads the named targets */
	bool update;              /* give frozen targets among the named a new stamp */
	bool offline;             /* ask no remote */
	const char *into;         /* variants: directory that gets the artifacts; NULL: none */
	const char *trace;        /* write Chrome trace events to this file; NULL: none */
	const char *command_line; /* for the runs' record; may be NULL */
	mlb_event_fn *on_event;   /* may be NULL */
	void *ctx;
};

struct mlb_report {
	uint32_t built, restored, current, failed, blocked, checks_no;
	uint64_t duration; /* ns */
	uint64_t saved;    /* ns of commands that need not run because results were at hand */
	char *metrics;     /* JSON object: node -> metrics, of the targets asked for; owned */
	char *changed; /* files of the project that were changed: "mlbuild.lock .gitignore"; owned */
	char *to_commit; /* those of them that git tracks or would add; NULL: there is no git; owned */
	char *artifacts; /* variants: one "NODE PATH" per line; owned */
	char *run;       /* id of the run, "" if nothing was done; owned */
	uint32_t fetched;       /* targets some of whose bytes came from a remote */
	uint64_t fetched_bytes; /* that came over the wire */
	char *experiment; /* variants: id of the experiment (mlbuild/sweep.h) that it was kept as; NULL: none; owned */
};
MLB_API void mlb_report_release(struct mlb_report *r);

/*
 * Build. 0 if all is done; MLB_EFAILED, MLB_ECHECK, MLB_ESTALE or
 * MLB_EINTERRUPTED with the report filled and the events told; another code if
 * the build could not begin.
 */
MLB_API int mlb_build(struct mlb_project *p, const struct mlb_build *b, struct mlb_report *report,
		      struct mlb_err *err);

/*
 * mlb_plan for a build with all its options: what it would do and why. Events and report are not used.
 * MLB_ESTALE, with all told, where the build would end so because of `locked`.
 */
MLB_API int mlb_plan_build(struct mlb_project *p, const struct mlb_build *b, mlb_plan_fn *fn,
			   void *ctx, struct mlb_err *err);

/* Stop the build that runs: commands are ended, outputs restored. Async-signal-safe. */
MLB_API void mlb_cancel(struct mlb_project *p);

/*
 * Stop the commands that run, with all that they have started (SIGSTOP), and start no other, until they are to
 * go on: what a program does around stopping itself on SIGTSTP. The time between counts for no timeout. Each may
 * be called though the other was not, but not both at once; async-signal-safe.
 */
MLB_API void mlb_suspend(struct mlb_project *p);
MLB_API void mlb_continue(struct mlb_project *p);

/* ------------------------------------------------------------ artifacts and runs */

struct mlb_artifact_output {
	const char *path;
	const char *kind;   /* file, exec, tree, metrics */
	const char *digest; /* hex */
	uint64_t size;
};

struct mlb_artifact {
	const char *node, *kind;
	const char *key;     /* hex, "" for a source */
	const char *command; /* resolved, as it would run in `dir` */
	const char *
		by_hand; /* a script that runs it as a build does: directory, environment, lists, shell */
	const char *dir;
	const char *action; /* the canonical action text */
	const char *commit; /* pin; "" without */
	const char *run;
	const char *platform;
	int64_t started;
	uint64_t duration;
	uint64_t max_rss;    /* bytes */
	const char *metrics; /* JSON, "" without */
	const char *log;     /* captured output */
	const struct mlb_artifact_output *output;
	size_t n_outputs;
	bool known; /* there is a result for the present key; else only command and action are filled */
	const char *failed_log; /* captured output of the last failed try since, "" without */
	const char *verdict;    /* of a check with a result: "yes" or "no"; else "" */
	const char *blocked;    /* why it can be neither made nor restored now; "" */
	const char *rev;        /* the commit whose lock it is told by; "": as it is now */
	/* From here on by mlb_show_history only: */
	const char *locked_by;             /* the newest commit (of the last 1,000) whose lock names its first
					      output; "" none does */
	const struct mlb_lineage *lineage; /* itself first, then what it was made from */
	size_t n_lineage;
};
typedef int mlb_artifact_fn(void *ctx, const struct mlb_artifact *a);
MLB_API int mlb_show(struct mlb_project *p, const char *word, mlb_artifact_fn *fn, void *ctx,
		     struct mlb_err *err);

/* Take the outputs that are there as the result of the present key. */
MLB_API int mlb_adopt(struct mlb_project *p, const char *word, char **note, struct mlb_err *err);

/* ------------------------------------------------------------ getting things out */

struct mlb_checkout {
	const char *const
		*word; /* targets, instances, kinds, globs, paths; none: all that the lock names */
	size_t n_words;
	const char *rev;  /* the lock of this commit; NULL: mlbuild.lock of the workspace */
	const char *link; /* "reflink" (else copy), "copy", "hardlink" (where it is safe, else as
			     reflink); NULL: as [cache] link says */
	bool force;       /* replace also what no cache has, instead of moving it aside */
	const char *command_line; /* for others that wait; may be NULL */
	mlb_event_fn *
		on_event; /* WAIT, NOTE, PROGRESS, RESTORED and BLOCKED (text: path or why); may be NULL */
	void *ctx;
};

struct mlb_checkout_report {
	uint32_t placed;       /* outputs */
	uint32_t current;      /* outputs that were in place */
	uint32_t missing;      /* outputs that the cache does not have */
	uint64_t files, bytes; /* written */
	uint64_t removed;      /* files that the outputs do not have */
	uint64_t kept;         /* files that were moved aside */
	uint64_t duration;     /* ns */
	char *aside;           /* where to, relative to the project; "" if nothing was; owned */
};
MLB_API void mlb_checkout_report_release(struct mlb_checkout_report *r);

/*
 * Put the outputs that a lock names into the workspace. Only what differs is
 * written or removed. Files that git tracks, and those that no target owns,
 * are left alone. MLB_EFAILED if outputs are missing, with the report filled.
 */
MLB_API int mlb_checkout(struct mlb_project *p, const struct mlb_checkout *c,
			 struct mlb_checkout_report *report, struct mlb_err *err);

struct mlb_content {
	const char *target; /* instance */
	const char *path;   /* relative to the project */
	const char *kind;   /* file, exec, tree, link, metrics */
	const char *digest; /* hex */
	uint64_t size;      /* bytes; of a tree those of its files */
};
typedef int mlb_content_fn(void *ctx, const struct mlb_content *c); /* not 0 stops */

/*
 * What an artifact consists of, by mlbuild.lock (rev NULL) or the lock of a commit;
 * from the cache, whatever the workspace holds. The word is TARGET[:OUT][/PATH], or
 * the path of an output or of something in it. Of a directory what is right in it
 * is told, or, with deep, all files, links and empty directories below it.
 */
MLB_API int mlb_contents(struct mlb_project *p, const char *word, const char *rev, bool deep,
			 mlb_content_fn *fn, void *ctx, struct mlb_err *err);

/* The bytes of one file of an artifact, verified before the first is handed out. */
typedef int mlb_bytes_fn(void *ctx, const void *data, size_t len); /* below 0 stops */
MLB_API int mlb_cat(struct mlb_project *p, const char *word, const char *rev, mlb_bytes_fn *fn,
		    void *ctx, struct mlb_err *err);

/* ------------------------------------------------------------ care */

enum mlb_usage_what { MLB_USAGE_TARGET, MLB_USAGE_KIND, MLB_USAGE_UNREFERENCED, MLB_USAGE_TOTAL };
struct mlb_usage {
	enum mlb_usage_what what;
	const char *name; /* of the target; "" where nobody knows whose results they are */
	const char *kind; /* "" where mlbuild.ini and mlbuild.lock do not name the target any more */
	uint64_t size;    /* bytes of its objects, each counted once; TOTAL: of the cache's files */
	uint64_t older;   /* those of them that only earlier results need */
	uint64_t unique;  /* those of them that no other target (or kind) needs */
	uint64_t shared;  /* the others */
	uint64_t objects;
};
typedef int mlb_usage_fn(void *ctx, const struct mlb_usage *u); /* not 0 stops */
/*
 * What takes the space in the cache: each target (those that the words name, if there
 * are any), each kind, what no result of this project names, and the whole.
 */
MLB_API int mlb_du(struct mlb_project *p, const char *const *word, size_t n_words, mlb_usage_fn *fn,
		   void *ctx, struct mlb_err *err);

enum mlb_clean_what { MLB_CLEAN_TARGETS, MLB_CLEAN_ALL, MLB_CLEAN_DEAD };
struct mlb_clean_item {
	const char *path;
	const char *node; /* "" if no target makes it any more */
	bool recoverable; /* the cache can give it back */
	uint64_t size;
};
/* Called for each output on disk; return 1 to remove it, 0 to keep it, negative to stop. */
typedef int mlb_clean_fn(void *ctx, const struct mlb_clean_item *i);
MLB_API int mlb_clean(struct mlb_project *p, enum mlb_clean_what what, const char *const *word,
		      size_t n_words, mlb_clean_fn *fn, void *ctx, struct mlb_err *err);

enum mlb_finding { MLB_FINDING_OK, MLB_FINDING_NOTE, MLB_FINDING_PROBLEM };
struct mlb_finding_info {
	enum mlb_finding level;
	const char *what; /* "mlbuild.ini: 12 targets" */
	const char *mend; /* what to do, "" if nothing */
};
typedef int mlb_finding_fn(void *ctx, const struct mlb_finding_info *f);
/* What is right and wrong with machine and project; dir need not hold a project. */
MLB_API int mlb_doctor(const char *dir, mlb_finding_fn *fn, void *ctx, struct mlb_err *err);

struct mlb_fsck_info {
	enum mlb_finding level; /* NOTE: nothing is lost */
	const char *kind; /* object, pack, record, tree, missing, database, lock, roots or foreign */
	const char *path;          /* the file, relative to the project or absolute; "" */
	const char *object;        /* hex digest of the object that is lost, "" */
	const char *what;          /* a sentence */
	const char *mend;          /* what to do, or what was done; "" if nothing */
	const char *const *target; /* the targets that it concerns */
	size_t n_targets;
	bool repaired; /* it was, and nothing is lost */
};
typedef int mlb_fsck_fn(void *ctx, const struct mlb_fsck_info *f); /* not 0 stops */
/* A few times a second; bytes of all that is to be read. total 0: not known yet. */
typedef void mlb_progress_fn(void *ctx, uint64_t done, uint64_t total);

struct mlb_fsck {
	bool repair; /* set aside what is damaged, store again what can be had, make indexes anew */
	mlb_fsck_fn *on_finding;
	mlb_progress_fn *on_progress;                 /* may be NULL */
	void (*on_wait)(void *ctx, const char *whom); /* another mlbuild builds here; may be NULL */
	void *ctx;
	const char *command_line; /* for whoever waits for us; may be NULL */
};
struct mlb_fsck_report {
	uint64_t objects, packs, records; /* that are right */
	uint64_t bytes;                   /* that were read */
	uint32_t problems, notes;
	uint32_t repaired; /* of the problems */
};
/*
 * Examine the cache: every object against its name, packs and their indexes,
 * trees, result records, what the lock names, and state.db against the disk. 0
 * whatever was found. A repair never deletes: what is damaged goes to the
 * cache's quarantine/.
 */
MLB_API int mlb_fsck(struct mlb_project *p, const struct mlb_fsck *f,
		     struct mlb_fsck_report *report, struct mlb_err *err);

enum mlb_gc_what {
	MLB_GC_RESULT,
	MLB_GC_OBJECT,
	MLB_GC_PACK,
	MLB_GC_TEMPORARY,
	MLB_GC_PIN,
	MLB_GC_PROJECT
};
struct mlb_gc_info {
	enum mlb_gc_what what;
	const char *
		path; /* the file, relative to the project or absolute; of a result its first output */
	const char *name; /* a result's target, "" unknown; a pin's reference */
	uint64_t bytes;   /* that it takes */
	int64_t used;     /* a result: when it was of use last, ns since 1970 */
	bool rewritten;   /* a pack: what is needed of it was copied */
	bool waits;       /* it is only set aside, for processes that use the cache */
};
typedef int mlb_gc_fn(void *ctx, const struct mlb_gc_info *i); /* not 0 stops the telling */

struct mlb_gc {
	bool dry_run;                 /* tell, and remove nothing */
	uint32_t keep_days;           /* results that were of use in so many days stay */
	uint64_t size;                /* bytes that the cache is to stay below; 0: no limit */
	mlb_gc_fn *on_item;           /* may be NULL */
	mlb_progress_fn *on_progress; /* may be NULL */
	void (*on_wait)(void *ctx, const char *whom); /* another gc runs; may be NULL */
	void *ctx;
};
struct mlb_gc_report {
	uint64_t kept_objects, kept_bytes;
	uint64_t gone_objects, gone_bytes; /* with dry_run: that would go */
	uint64_t waiting_objects,
		waiting_bytes; /* set aside: a later gc removes them, once `users` have ended */
	uint64_t dead_bytes;   /* in packs that are worth keeping for the rest */
	uint64_t results, packs, temporaries, pins;
	uint32_t users; /* other processes that use the cache */
	char *user;     /* one of them; NULL: none; owned */
};
MLB_API void mlb_gc_report_release(struct mlb_gc_report *r);

/*
 * Remove from the cache what nothing needs: not the locks of this work tree, of
 * branches and tags, not the pins, not other projects (cache/v1/roots/), not
 * results of late, and what is not older than an hour (a day in a shared cache).
 * While another process uses the cache nothing is removed.
 */
MLB_API int mlb_gc(struct mlb_project *p, const struct mlb_gc *g, struct mlb_gc_report *report,
		   struct mlb_err *err);

/* Write a commented mlbuild.ini into dir; never overwrites (MLB_EEXISTS). *note says what was found and done. */
MLB_API int mlb_init(const char *dir, char **note, struct mlb_err *err);

/*
 * Write a workflow for a CI service ("github": .github/workflows/mlbuild.yml, "gitlab":
 * .gitlab-ci.yml) into the repository at dir: build what is stale, push it, and tell a
 * pull request what changes. MLB_EEXISTS if there is one. *note is the caller's.
 */
MLB_API int mlb_init_ci(const char *dir, const char *service, char **note, struct mlb_err *err);

/*
 * Have git put artifacts into the workspace after a checkout or switch, a merge and a
 * rebase, by its hooks (post-checkout, post-merge, post-rewrite): a marked block in each,
 * before what is there already. What cannot take one (no shell script, a link, not
 * executable, or core.hooksPath for all repositories) is left as it is, and the error
 * (MLB_EEXISTS) holds the text to be added. *note says what was done, one line each, also
 * beside an error; NULL: nothing. MLB_EINVALID outside of git.
 */
MLB_API int mlb_install_hooks(struct mlb_project *p, char **note, struct mlb_err *err);

/* Append a dataset section for path to mlbuild.ini, keeping everything else; name NULL: from the path. */
MLB_API int mlb_add(struct mlb_project *p, const char *path, const char *name, char **note,
		    struct mlb_err *err);

/* Names for shell completion, one per line: targets, instances, kinds. */
MLB_API int mlb_complete(struct mlb_project *p, const char *prefix, char **out,
			 struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#include "mlbuild/sweep.h"

#endif
