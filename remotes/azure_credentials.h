/*
 * By what an account of Azure Storage knows a user: its key, or a shared access signature.
 *
 * The first of these that is there counts, and is looked for in the environment:
 *	the variable that the key token_env names       a SAS token
 *	the variable that the key password_env names    the account's key
 *	AZURE_STORAGE_CONNECTION_STRING                 AccountKey or SharedAccessSignature
 *	AZURE_STORAGE_KEY                               the account's key
 *	AZURE_STORAGE_SAS_TOKEN                         a SAS token
 * The last three are for the account AZURE_STORAGE_ACCOUNT, or AccountName in the
 * connection string, where that is said: of another account they are left alone.
 *
 * No function here puts a value of it into a message.
 */
#ifndef REMOTES_AZURE_CREDENTIALS_H
#define REMOTES_AZURE_CREDENTIALS_H

#include "base/buf.h"
#include "mlbuild/sys/remote.h"

struct mlb_azure_credentials {
	struct mlb_buf key; /* decoded; empty: none */
	char *sas;          /* a query without '?', or NULL */
	char *endpoint;     /* BlobEndpoint of a connection string, or NULL */
	char *from;         /* for people: what it was taken from, or what was left alone; never NULL */
};

void mlb_azure_credentials_init(struct mlb_azure_credentials *c);
void mlb_azure_credentials_release(struct mlb_azure_credentials *c); /* wipes */

/* Finding none is no failure: a container may be public. MLB_EINVALID: what is there cannot be right. */
int mlb_azure_credentials(struct mlb_azure_credentials *out, const struct mlb_remote_config *c,
			  const char *account, struct mlb_err *err);

#endif
