/*
 * What the commands of one event loop share: processes, workers, resources, private
 * roots, and the record of the run. A build has a loop of its own; the combinations
 * of a sweep (sweep.h) are builders in one.
 *
 * 1. One thread has all of it.
 * 2. It is made when the first node of any builder has to be run or restored.
 * 3. An action is in flight (flight.h) from before its command can start until its
 *    outcome is known to all who want it.
 */
#ifndef ENGINE_MACHINERY_H
#define ENGINE_MACHINERY_H

#include "base/vec.h"
#include "engine/flight.h"
#include "engine/jobserver.h"
#include "engine/journal.h"
#include "engine/resources.h"
#include "engine/root.h"
#include "os/pool.h"

struct mlb_away;
struct mlb_builder;
struct mlb_record;
struct mlb_sender;

MLB_VEC_NAMED(mlb_builders, struct mlb_builder *);

struct mlb_machinery {
	struct mlb_builder *
		base; /* for whose project, and as whose run, all is done; it may build nothing itself */
	struct mlb_builders builder; /* those that build now, oldest first; borrowed */
	struct mlb_journal *journal;
	struct mlb_pool *pool;
	struct mlb_resources *resources;
	struct mlb_jobserver *jobserver;
	struct mlb_root_stock *roots; /* of variants */
	struct mlb_record *record;    /* what is done but not yet durable (record.c) */
	struct mlb_flights flights;
	struct mlb_away *away;     /* NULL until a remote is needed (away.h) */
	struct mlb_sender *sender; /* NULL until there is something to push (sender.h) */
	bool shared;               /* by several builders, of variants */
	int epoll;
	bool ready;
	unsigned jobs;       /* most commands at once */
	unsigned n_commands; /* running now */
	uint64_t since;      /* clock ticks after boot when the first could start */
	uint64_t skipped;    /* ns: of the suspensions that all deadlines are moved by already */
	struct mlb_builder *reserved_by; /* whose work was refused first, until it is granted; NULL */
	uint32_t reserved;               /* its exec */
	bool cancelled;
};

#define MLB_MACHINERY_INIT                                                                         \
	{                                                                                          \
		.epoll = -1                                                                        \
	}

/* Made if it is not yet there, for what this builder has to do first. */
int mlb_machinery_begin(struct mlb_machinery *m, struct mlb_builder *first, struct mlb_err *err);
void mlb_machinery_drain(struct mlb_machinery *m); /* workers: before any builder is released */
void mlb_machinery_release(struct mlb_machinery *m);

/* Does a builder still have something to wait for? */
bool mlb_machinery_busy(const struct mlb_builder *b);

/* Start what can be started, end what is out of time, write down what is due. */
void mlb_machinery_turn(struct mlb_machinery *m);
/* Wait for the next event, and hear all that came. */
int mlb_machinery_wait(struct mlb_machinery *m, struct mlb_err *err);

/* Settle all builders, until nothing moves by itself. */
void mlb_machinery_settle(struct mlb_machinery *m);

/* A builder leaves: what it had in flight is for others to take up. */
void mlb_machinery_leave(struct mlb_machinery *m, struct mlb_builder *b);

/* For loop.c and away.c. */
struct mlb_work;
int mlb_machinery_watch(struct mlb_machinery *m, struct mlb_work *w, struct mlb_err *err);
int mlb_machinery_watch_away(struct mlb_machinery *m, int fd, struct mlb_err *err);
void mlb_machinery_await_token(struct mlb_machinery *m);
void mlb_machinery_skip_suspended(struct mlb_machinery *m);

#endif
