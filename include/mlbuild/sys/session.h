/*
 * A session: a remote in use. It tries again, resumes, and keeps as much going on at
 * once as helps.
 *
 * 1. Operations may be submitted from any thread. They are begun in that order, those
 *    of priority MLB_SESSION_SOON first.
 * 2. One thread of the session's own makes all calls to the backend; sink, entry and
 *    done are called on it and must not block for long.
 * 3. How many go on at once begins at 4, grows while that brings more bytes or
 *    answers a second, up to the backend's most, and is halved when the server is busy.
 * 4. TRANSIENT and BUSY are tried five times in all, after a random part of 0.25, 0.5,
 *    1, 2 s (full jitter: Brooker, "Exponential Backoff and Jitter", 2015), or after
 *    what the server asked for, at most 60 s. A GET goes on where it was cut: sink gets no byte
 *    twice; a MiB further on it has all its tries again. A LIST that is tried again
 *    tells a name again. A PUT if absent that finds its name after a try that was cut
 *    succeeds if the bytes there are its own: the answer may have been what was lost.
 * 5. What moves no byte for 30 s is cut, and counts as TRANSIENT; a PUT that is sent
 *    waits four times as long for its answer.
 * 6. After close or cancel everything that was submitted has had its done.
 */
#ifndef MLBUILD_SYS_SESSION_H
#define MLBUILD_SYS_SESSION_H

#include "mlbuild/sys/remote.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_session;

/* Counted since it was opened. */
struct mlb_session_stats {
	uint64_t sent, received; /* bytes of objects, what was tried again counts again */
	uint64_t requests;       /* operations that were begun, with those tried again */
	uint64_t retries;
	uint64_t stalls;  /* of them: cut because nothing moved */
	unsigned at_once; /* operations that may go on now */
};

enum mlb_session_priority { MLB_SESSION_LATER = 0, MLB_SESSION_SOON = 1 };

/* The config, with all it points to, is borrowed until close. Asks the server nothing. */
int mlb_session_open(struct mlb_session **out, const struct mlb_remote_config *c,
		     struct mlb_err *err);
/* Whoever tests gives other times: of a first wait and of a stall, in ms; 0 keeps the usual one. */
void mlb_session_hurry(struct mlb_session *s, uint32_t wait, uint32_t stall);
void mlb_session_submit(struct mlb_session *s, struct mlb_remote_op *op,
			enum mlb_session_priority p);
/* Ends everything that was submitted, and all that will be, with MLB_EINTERRUPTED. From any thread. */
void mlb_session_cancel(struct mlb_session *s);
void mlb_session_close(struct mlb_session *s); /* cancels, waits; NULL is allowed */
void mlb_session_stats(struct mlb_session *s, struct mlb_session_stats *out);
const char *mlb_session_name(const struct mlb_session *s); /* of the remote; borrowed */
const struct mlb_remote_backend *mlb_session_backend(const struct mlb_session *s);
/* The backend's hint for a fault, or NULL; borrowed. Only while nothing goes on. */
const char *mlb_session_hint(struct mlb_session *s, enum mlb_remote_fault fault);

/*
 * Submit and wait, for whoever has nothing else to do. The error is the
 * operation's; fault (may be NULL) tells why.
 */
int mlb_session_run(struct mlb_session *s, struct mlb_remote_op *op, enum mlb_remote_fault *fault,
		    struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
