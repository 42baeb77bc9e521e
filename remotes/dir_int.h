/* What the files of the directory backend share. Not for others. */
#ifndef REMOTES_DIR_INT_H
#define REMOTES_DIR_INT_H

#include <dirent.h>

#include "base/vec.h"
#include "mlbuild/sys/remote.h"
#include "os/pool.h"

#define DIR_TMP ".tmp" /* below the root; no name can be in it, as their parts do not begin with '.' */

/* One name of a listing. */
struct dir_entry {
	char *name;
	uint64_t size;
	int64_t mtime;
};

/*
 * An operation that goes on: a worker takes a step, the owner gives what came of it to
 * the caller and has the next one taken.
 */
struct dir_job {
	struct mlb_task task; /* first */
	struct mlb_remote_op *op;
	struct dir *dir;       /* whose; the owner's */
	const char *root;      /* borrowed */
	struct dir_job *ready; /* the next whose step was taken */
	bool busy;             /* a worker has it */
	bool sweep;            /* PUT: remove what others have left in DIR_TMP */

	/* The worker's, while busy. */
	char *path;        /* of op->name */
	char *temp;        /* PUT: the file that is written, until it has its name */
	int fd;            /* open, or -1 */
	DIR *listing;      /* LIST */
	char *room;        /* GET */
	size_t got;        /* GET: bytes in room; DELETE: names dealt with */
	uint64_t at, end;  /* GET: next byte and where to stop; PUT: written */
	uint64_t total;    /* size of the file */
	int64_t mtime;     /* of it, s */
	bool last;         /* there is no further step */
	bool placeless;    /* failed, and the root is not there */
	int e;             /* an errno */
	const char *which; /* the name that it is about */
	MLB_VEC(struct dir_entry) entries;
};

void dir_step(struct mlb_task *t);          /* on a worker */
void dir_job_release(struct dir_job *j);    /* closes, and removes what was written for nothing */

void dir_put_step(struct dir_job *j);       /* dir_put.c */

#endif
