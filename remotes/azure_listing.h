/*
 * What List Blobs answers (Azure Storage REST API reference, "List Blobs"), as it arrives:
 *
 *	EnumerationResults
 *	    Blobs
 *	        Blob            Name, Properties (Content-Length, Last-Modified)
 *	        BlobPrefix      a directory: skipped
 *	    NextMarker          where the next part begins; empty in the last one
 *
 * Names that no remote has (mlb_remote_name_valid) are other people's: skipped.
 * Refused, by MLB_EREMOTE: what is no such answer, blobs that were not asked for, or
 * without a size.
 */
#ifndef REMOTES_AZURE_LISTING_H
#define REMOTES_AZURE_LISTING_H

#include "mlbuild/sys/remote.h"
#include "xml.h"

struct mlb_azure_listing {
	struct mlb_remote_op *op; /* whose entry is called; borrowed */
	const char *prefix;       /* that was asked for, up to the last '/'; borrowed */
	struct mlb_buf marker;    /* NextMarker */

	/* azure_listing.c's. */
	struct mlb_xml xml;
	bool root;            /* EnumerationResults was there */
	struct mlb_buf name;  /* of the blob that is read */
	bool sized;
	uint64_t size;
	int64_t mtime;
};

void mlb_azure_listing_init(struct mlb_azure_listing *l, struct mlb_remote_op *op,
			    const char *prefix);
int mlb_azure_listing_feed(struct mlb_azure_listing *l, const void *data, size_t len,
			   struct mlb_err *err);
int mlb_azure_listing_finish(struct mlb_azure_listing *l, struct mlb_err *err); /* is it all there? */
void mlb_azure_listing_release(struct mlb_azure_listing *l);

#endif
