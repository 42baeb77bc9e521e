#include "engine/claim.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"

enum { MAX_NOTE = 64 * 1024 };

int
mlb_claim(struct mlb_lock *out, struct mlb_project *p, const char *who,
	  void (*waits)(void *ctx, const char *holder), void *ctx, struct mlb_err *err)
{
	char *path = mlb_asprintf("%s/lock", p->state_dir);
	char *note = mlb_asprintf("process %ld: %s", (long)getpid(), who ? who : "mlbuild");
	struct mlb_buf holder = MLB_BUF_INIT(MAX_NOTE);
	bool got = false;
	int rc = mlb_lock_try(out, path, true, note, &got, &holder, err);

	if (rc == 0 && !got) {
		if (waits)
			waits(ctx, mlb_buf_str(&holder));
		rc = mlb_lock_wait(out, path, true, note, p->cancel_fd, err);
	}
	mlb_buf_release(&holder);
	free(note);
	free(path);
	return rc;
}
