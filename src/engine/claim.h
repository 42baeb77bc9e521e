/* One at a time in a workspace: who builds, repairs or collects holds .mlbuild/lock. Readers never wait. */
#ifndef ENGINE_CLAIM_H
#define ENGINE_CLAIM_H

#include "engine/project.h"
#include "os/lock.h"

/*
 * Waits until the workspace is free; `waits` (may be NULL) is told once for whom.
 * MLB_EINTERRUPTED if the project is cancelled meanwhile.
 */
int mlb_claim(struct mlb_lock *out, struct mlb_project *p, const char *who,
	      void (*waits)(void *ctx, const char *holder), void *ctx, struct mlb_err *err);

/* The same without waiting; *got false: another has it, and holder (may be NULL) is its note. */
int mlb_claim_try(struct mlb_lock *out, const struct mlb_project *p, const char *who, bool *got,
		  struct mlb_buf *holder, struct mlb_err *err);

/*
 * The same for adopt and clean, without waiting: what is there while another
 * builds may be half made. What a killed builder left is undone first.
 */
int mlb_claim_now(struct mlb_lock *out, struct mlb_project *p, const char *who,
		  struct mlb_err *err);

#endif
