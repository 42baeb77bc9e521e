/*
 * Where a key comes from: the sources that AWS's SDKs look at, in their order.
 *
 *	1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
 *	2. the web identity of AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, by STS
 *	3. the profile of AWS_PROFILE, or "default": a key, a credential_process, or a role
 *	   that another source's key may assume
 *	4. a container's endpoint, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI
 *	5. the metadata service of an EC2 instance, version 2 only
 *
 * The key `profile` of [remote] names a profile, and then nothing else is looked at. For
 * Google they are GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY, the section [Credentials]
 * of BOTO_CONFIG or ~/.boto, as gsutil has them, and AWS_ACCESS_KEY_ID if it is one of
 * Google's (GOOG…), as it is for the S3 tools that speak with Google.
 *
 * Source: AWS SDKs and Tools reference guide, "Standardized credential providers".
 *
 * 1. A source that is set up but does not work is an error: no other is tried.
 * 2. What expires is fetched anew five minutes before; until then, and where that
 *    fails, the old one is used for as long as it lives.
 * 3. The thread that owns the struct mlb_http owns the chain.
 */
#ifndef REMOTES_AWS_CHAIN_H
#define REMOTES_AWS_CHAIN_H

#include "remotes/aws_credentials.h"
#include "remotes/http.h"

struct mlb_aws_chain;

enum mlb_aws_cloud { MLB_CLOUD_AWS, MLB_CLOUD_GOOGLE };

/*
 * Looks at nothing yet. The config and http are borrowed until it is freed. ready is called
 * from mlb_http_wait when what a get has begun has ended.
 */
struct mlb_aws_chain *mlb_aws_chain_new(const struct mlb_remote_config *c, struct mlb_http *http,
					enum mlb_aws_cloud cloud, void (*ready)(void *ctx),
					void *ctx);
void mlb_aws_chain_free(struct mlb_aws_chain *k); /* NULL is allowed; ready is not called any more */

/*
 * The key to use now. 0: *out is it, borrowed until the next call, or NULL while it is
 * being fetched. Else an error, with its fault.
 */
int mlb_aws_chain_get(struct mlb_aws_chain *k, const struct mlb_aws_credentials **out,
		      enum mlb_remote_fault *fault, struct mlb_err *err);

/* The server calls the key expired. True: the next get fetches another; false: there is no other. */
bool mlb_aws_chain_renew(struct mlb_aws_chain *k, const char *id);

/* Of the key in use, for messages: "profile 'team' of '/home/u/.aws/credentials'"; "" if there is none yet. */
const char *mlb_aws_chain_origin(const struct mlb_aws_chain *k);

/* A setting that variables and the profile have: "region", "endpoint_url"; owned by the caller, NULL: none. */
int mlb_aws_setting(char **out, const struct mlb_remote_config *c, const char *const *variables,
		    const char *key, struct mlb_err *err);

#endif
