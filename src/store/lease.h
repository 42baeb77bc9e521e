/*
 * Leases: who relies on objects of a cache, so that nobody removes them.
 *
 *   cache/v1/leases/gate    held (flock) while a lease begins, and exclusively while something is removed
 *   cache/v1/leases/HEX     one per process that relies on objects, held exclusively by it:
 *                           "mlbuild-lease 1", its start in ns since 1970, who it is; a line each
 *
 * 1. The kernel drops a lease with its process: one that nobody holds is over.
 * 2. No lease begins while the gate is closed, so that who closes it knows all.
 * 3. Where no file can be made (a read-only or full cache), the gate itself is
 *    held, shared, for as long: then it cannot be closed.
 * 4. A lease that cannot be had at all is no reason not to read: what is read is
 *    hashed, and what is gone counts as absent.
 *
 * Locks work between machines that share a file system by NFS.
 *
 * Ownership: plain structs; end what was begun.
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "base/vec.h"
#include "os/lock.h"

struct mlb_lease {
	int fd;     /* -1: none */
	char *path; /* NULL: the gate itself is held */
};
#define MLB_LEASE_INIT                                                                             \
	{                                                                                          \
		-1, NULL                                                                           \
	}

/* who is one line. Waits while the gate is closed, which is for seconds at most. */
void mlb_lease_begin(struct mlb_lease *l, const char *cache_dir, const char *who);
void mlb_lease_end(struct mlb_lease *l);

/* One that is held. */
struct mlb_lease_info {
	char *name; /* HEX */
	char *who;
	int64_t started; /* wall, ns; 0 unknown */
};
MLB_VEC_NAMED(mlb_leases, struct mlb_lease_info);
void mlb_leases_release(struct mlb_leases *l);

/*
 * Close the gate: no lease begins until it is opened again. alive is filled with
 * those that are held; files of those that are over are removed. MLB_ESYSTEM if
 * it cannot be closed within `seconds`: someone holds the gate itself.
 */
int mlb_gate_close(struct mlb_lock *gate, struct mlb_leases *alive, const char *cache_dir,
		   unsigned seconds, struct mlb_err *err);
/* Keep others from closing it, for a moment. Waits while it is closed. */
int mlb_gate_hold(struct mlb_lock *gate, const char *cache_dir, struct mlb_err *err);
void mlb_gate_open(struct mlb_lock *gate);

#endif
