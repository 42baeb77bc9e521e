/* A directory from disk into the store, without any cache. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/machine.h"
#include "store/scan_walk.h"
#include "store/tree.h"

static int
store_walk(struct mlb_walk_job *job, int root, const char *dir, struct mlb_cas *cas,
	   struct mlb_err *err)
{
	unsigned threads = mlb_machine_cpus();
	struct mlb_readings todo = { .root = root,
				     .root_dir = dir,
				     .now = INT64_MAX,
				     .unless = cas ? mlb_cas_io(cas) : NULL };

	mlb_walk_run(job, 1, root, threads);
	if (job->err.code == MLB_OK) {
		mlb_readings_add(&todo, &job->now, "", cas, MLB_READ_ALL, &job->err);
		mlb_readings_run(&todo, threads);
	}
	if (job->err.code != MLB_OK) {
		mlb_err_set(err, job->err.code, "%s", job->err.text);
		return mlb_err_wrap(err, "%s", dir);
	}
	return mlb_walk_nodes(&job->now, cas, err);
}

int
mlb_tree_store(struct mlb_digest *out, uint64_t *size, const char *dir, struct mlb_cas *cas,
	       struct mlb_err *err)
{
	struct mlb_walk_job job = { .path = ".", .now = MLB_WALK_INIT, .err = MLB_ERR_INIT };
	int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (root < 0)
		return mlb_err_errno(err, errno, "cannot read directory '%s'", dir);
	rc = store_walk(&job, root, dir, cas, err);
	if (rc == 0) {
		*out = job.now.digest;
		if (size)
			*size = job.now.size;
	}
	close(root);
	mlb_err_release(&job.err);
	mlb_walk_release(&job.now);
	return rc;
}
