/*
 * Remotes: caches that a team shares. What a lock names is pushed to one and fetched
 * from those there are; a build fetches what it lacks by itself.
 */
#ifndef MLBUILD_REMOTES_H
#define MLBUILD_REMOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;
struct mlb_event;

/* What to push or fetch. All of it is borrowed. */
struct mlb_exchange {
	const char *const
		*word; /* targets, instances, kinds, globs, paths; none: all that the lock names */
	size_t n_words;
	const char *
		remote; /* its name; NULL: push: the first that may be written to; fetch: all that may be read, in their order */
	const char *const *rev; /* the locks of these commits; none: mlbuild.lock of the workspace */
	size_t n_revs;
	bool all_pins;    /* also the locks of all pins */
	bool with_inputs; /* also what the targets are made from (of the workspace's lock) */
	bool dry_run;     /* only count; push */
	/* MAY: NOTE, PROGRESS (files: objects, bytes, total_bytes) and BLOCKED (an output that cannot be had). */
	void (*on_event)(void *ctx, const struct mlb_event *e);
	void *ctx;
};

struct mlb_exchange_report {
	char *remote;            /* "NAME (URL)": where to, or where from; owned */
	uint64_t objects, bytes; /* that belong to it; bytes of content, as far as they are known */
	uint64_t moved_objects;  /* sent, or new here */
	uint64_t moved;          /* bytes over the wire, or that would be */
	uint64_t there;          /* objects that were there, or here, already */
	uint64_t saved_parts;    /* bytes not moved because parts of large files were there */
	uint64_t saved_zstd;     /* bytes not moved because of compression */
	uint64_t resumed;        /* objects that an interrupted push had sent */
	uint64_t records;        /* results */
	uint64_t missing;        /* outputs that could not be had */
	uint64_t damaged;        /* objects that were damaged there */
	uint64_t requests;       /* that the servers were asked */
	uint64_t duration;       /* ns */
};
MLB_API void mlb_exchange_report_release(struct mlb_exchange_report *r);

/*
 * Send to a remote what it lacks of that. MLB_EREMOTE where the remote cannot be used;
 * MLB_EFAILED, with all else sent, where the cache lacks bytes that a lock names.
 */
MLB_API int mlb_push(struct mlb_project *p, const struct mlb_exchange *x,
		     struct mlb_exchange_report *report, struct mlb_err *err);

/* Get from remotes into the cache what it lacks of that. MLB_EFAILED, with all else fetched, where no remote has it. */
MLB_API int mlb_fetch(struct mlb_project *p, const struct mlb_exchange *x,
		      struct mlb_exchange_report *report, struct mlb_err *err);

/* One remote; borrowed for the call. */
struct mlb_remote_info {
	const char *name;
	const char *url; /* as it may be shown */
	const char *backend;
	bool read, write;
	bool push; /* builds send what they made */
};
/* In the order in which they are asked. Not 0 ends it, which is no failure. */
MLB_API int mlb_remote_list(struct mlb_project *p,
			    int (*fn)(void *ctx, const struct mlb_remote_info *r), void *ctx,
			    struct mlb_err *err);

/*
 * Write [remote NAME] with this URL into mlbuild.ini, or, with `local`, into
 * .mlbuild/config.ini, which is not committed. *note says what was done; free(3).
 */
MLB_API int mlb_remote_add(struct mlb_project *p, const char *name, const char *url, bool local,
			   char **note, struct mlb_err *err);

/* One thing that was tried. */
struct mlb_remote_step {
	const char *what; /* "list", "write", "read", "clock", … */
	bool good;
	const char *text;   /* what came of it */
	const char *advice; /* what to do about it; "" */
};
/*
 * A round trip: lists, writes, reads and removes an object, and looks at the clock. NULL:
 * every remote. MLB_EREMOTE if something failed; the steps have said what.
 */
MLB_API int mlb_remote_check(struct mlb_project *p, const char *name,
			     void (*fn)(void *ctx, const char *remote,
					const struct mlb_remote_step *s),
			     void *ctx, struct mlb_err *err);

/* What a remote takes. */
struct mlb_remote_usage {
	uint64_t packs, packs_bytes;
	uint64_t objects, objects_bytes; /* in them, and of their content */
	uint64_t records;                /* results */
	uint64_t rest_bytes;             /* of indexes and records */
	uint64_t condemned_bytes;        /* of packs that a collection has set apart */
	uint64_t pushes;                 /* that go on */
	uint64_t clones;                 /* that pushed, and say what they need */
};
MLB_API int mlb_remote_usage(struct mlb_project *p, const char *name, struct mlb_remote_usage *out,
			     struct mlb_err *err);

struct mlb_remote_care {
	const char *name;
	unsigned keep_days; /* gc: results that came later stay, whoever needs them */
	bool dry_run;       /* gc */
	unsigned percent;   /* verify: of the packs, at random; 0: all */
	void (*on_event)(void *ctx, const struct mlb_event *e); /* MAY: NOTE and PROGRESS */
	void *ctx;
};

struct mlb_remote_verified {
	uint64_t packs, objects, bytes; /* that were read */
	uint64_t bad_packs, bad_objects;
	uint64_t duration; /* ns */
};
/* Read what is there and compare it with its digests. MLB_ECORRUPT if something is wrong: the next push that has it sends it again. */
MLB_API int mlb_remote_verify(struct mlb_project *p, const struct mlb_remote_care *c,
			      struct mlb_remote_verified *report, struct mlb_err *err);

struct mlb_remote_collected {
	uint64_t packs, bytes;               /* that were there */
	uint64_t condemned, condemned_bytes; /* now: a later gc removes them */
	uint64_t waiting, waiting_bytes;     /* condemned before, not long enough ago */
	uint64_t removed, removed_bytes;
	uint64_t rescued; /* condemned before, and needed after all */
	int64_t next;     /* s since 1970: from then on another one removes more; 0: nothing waits */
	uint64_t duration; /* ns */
};
/*
 * Remove what the branches, tags and locks of no clone that pushes need, in two steps that
 * are a day apart, so that it is safe while others push.
 */
MLB_API int mlb_remote_gc(struct mlb_project *p, const struct mlb_remote_care *c,
			  struct mlb_remote_collected *report, struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
