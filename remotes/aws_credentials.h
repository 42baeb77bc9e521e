/*
 * A key by which AWS, and those who speak its protocol, know a user.
 *
 * No function here puts a value of it into a message.
 * Ownership: a credentials' strings are its own; release wipes and frees them.
 */
#ifndef REMOTES_AWS_CREDENTIALS_H
#define REMOTES_AWS_CREDENTIALS_H

#include "base/compat.h"
#include "mlbuild/err.h"

struct mlb_aws_credentials {
	char *id;
	char *secret;
	char *token;     /* of a session, or NULL */
	int64_t expires; /* seconds since 1970, 0: never */
};

void mlb_aws_credentials_set(struct mlb_aws_credentials *c, const char *id, const char *secret,
			     const char *token);
void mlb_aws_credentials_release(struct mlb_aws_credentials *c); /* it may be used again */

/* Overwrite a secret and free it; NULL is allowed. */
void mlb_secret_free(char *secret);

/*
 * What a credential_process, a container's endpoint and the metadata of an instance answer
 * (AWS SDKs and Tools reference guide, "Process credential provider" and "Container
 * credential provider"): an object with AccessKeyId, SecretAccessKey, SessionToken or
 * Token, Expiration, and for a process Version 1. The error says what is missing.
 */
int mlb_aws_credentials_json(struct mlb_aws_credentials *out, const char *text, size_t len,
			     bool process, struct mlb_err *err);

/*
 * What a credential_process prints. It gets a minute, and is ended then. It runs by
 * sh -c with the environment of this program.
 */
int mlb_aws_credentials_process(struct mlb_aws_credentials *out, const char *command,
				struct mlb_err *err);

#endif
