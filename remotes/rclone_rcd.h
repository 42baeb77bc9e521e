/*
 * One rclone that waits for orders: `rclone rcd` on a free port of 127.0.0.1, whose user
 * and password are random and known by its environment alone (rc_user, rc_pass in
 * rclone(1), "Remote control").
 *
 * 1. Starting does not wait: mlb_rcd_look says when it can be asked, and that it ended.
 * 2. What it says on its standard error is read on and on, or it would stand still; the
 *    last line is kept for messages.
 * 3. Its environment is ours, less what would change how it listens or logs.
 */
#ifndef REMOTES_RCLONE_RCD_H
#define REMOTES_RCLONE_RCD_H

#include "base/buf.h"
#include "mlbuild/err.h"
#include "os/spawn.h"

struct mlb_rcd {
	bool running;
	struct mlb_child child;
	int said;            /* reading end of its stdout and stderr */
	uint64_t since;      /* it was started at this time of mlb_clock_mono */
	struct mlb_buf line; /* that is being read */
	struct mlb_buf last; /* the last whole line without its date */
	struct mlb_buf url;  /* "http://127.0.0.1:5572/"; empty until it listens */
	struct mlb_buf login; /* of the header Authorization: "Basic …" */
};

void mlb_rcd_init(struct mlb_rcd *d);

/* MLB_ENOTFOUND: there is no rclone. */
int mlb_rcd_start(struct mlb_rcd *d, struct mlb_err *err);

/*
 * Read what it said, and wait at most ms for its end. Failing means that it does not run
 * any more, or did not begin to listen within a minute and was ended: it may be started
 * again.
 */
int mlb_rcd_look(struct mlb_rcd *d, int ms, struct mlb_err *err);
bool mlb_rcd_ready(const struct mlb_rcd *d);

void mlb_rcd_release(struct mlb_rcd *d); /* ends it */

#endif
