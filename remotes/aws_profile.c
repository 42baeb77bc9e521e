/* Keys of the files that AWS's tools share, and of gsutil's. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/fs.h"
#include "remotes/aws_chain_priv.h"

enum { MOST_ROLES = 8 };

const char *
mlb_aws_profile_name(const struct mlb_remote_config *c, bool *said)
{
	const char *name = c->get(c, "profile");

	if (!name || !*name)
		name = c->env(c, "AWS_PROFILE");
	*said = name && *name;
	return *said ? name : "default";
}

int
mlb_aws_setting(char **out, const struct mlb_remote_config *c, const char *const *variables,
		const char *key, struct mlb_err *err)
{
	struct mlb_aws_files *files = NULL;
	const char *value = NULL;
	bool said;
	int rc;

	*out = NULL;
	for (; *variables && !(value && *value); variables++)
		value = c->env(c, *variables);
	if (value && *value) {
		*out = mlb_strdup(value);
		return 0;
	}
	rc = mlb_aws_files_read(&files, c, err);
	if (rc)
		return rc;
	value = mlb_aws_files_get(files, MLB_AWS_EITHER, mlb_aws_profile_name(c, &said), key);
	if (value)
		*out = mlb_strdup(value);
	mlb_aws_files_free(files);
	return 0;
}

/* ------------------------------------------------------- of one profile */

static const char *
get(const struct mlb_aws_chain *k, const char *profile, const char *key)
{
	return mlb_aws_files_get(k->files, MLB_AWS_EITHER, profile, key);
}

/* Both parts from one file, the credentials file first. */
static int
written_key(struct mlb_aws_chain *k, const char *profile, struct mlb_err *err)
{
	static const enum mlb_aws_file order[] = { MLB_AWS_CREDENTIALS, MLB_AWS_CONFIG };

	for (size_t i = 0; i < MLB_ARRAY_LEN(order); i++) {
		const char *path = mlb_aws_files_path(k->files, order[i]);
		const char *id =
			mlb_aws_files_get(k->files, order[i], profile, "aws_access_key_id");
		const char *secret =
			mlb_aws_files_get(k->files, order[i], profile, "aws_secret_access_key");

		if (!id && !secret)
			continue;
		if (!id || !secret)
			return mlb_err_set(
				err, MLB_EREMOTE,
				"profile '%s' of '%s' has '%s', but not '%s'; write both", profile,
				path, id ? "aws_access_key_id" : "aws_secret_access_key",
				id ? "aws_secret_access_key" : "aws_access_key_id");
		mlb_aws_credentials_set(&k->next, id, secret,
					mlb_aws_files_get(k->files, order[i], profile,
							  "aws_session_token"));
		/* Tools that renew a session's key write it there again. */
		k->next_fetched = k->next.token != NULL;
		return mlb_aws_has(k, mlb_asprintf("profile '%s' of '%s'", profile, path));
	}
	return MLB_SOURCE_NONE;
}

static int
process(struct mlb_aws_chain *k, const char *profile, const char *command, struct mlb_err *err)
{
	int rc = mlb_aws_credentials_process(&k->next, command, err);

	if (rc)
		return mlb_err_wrap(err, "the credential_process of profile '%s'", profile);
	k->next_fetched = true;
	return mlb_aws_has(k, mlb_asprintf("the credential_process of profile '%s'", profile));
}

static int
no_such_profile(struct mlb_aws_chain *k, const char *profile, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_EREMOTE, "profile '%s' is neither in '%s' nor in '%s'", profile,
			   mlb_aws_files_path(k->files, MLB_AWS_CREDENTIALS),
			   mlb_aws_files_path(k->files, MLB_AWS_CONFIG));
}

/* A key of its own. */
static int
own_key(struct mlb_aws_chain *k, const char *profile, struct mlb_err *err)
{
	const char *command = get(k, profile, "credential_process");
	int said = written_key(k, profile, err);

	if (said != MLB_SOURCE_NONE)
		return said;
	if (command)
		return process(k, profile, command, err);
	if (get(k, profile, "sso_session") || get(k, profile, "sso_start_url"))
		return mlb_err_set(
			err, MLB_EREMOTE,
			"profile '%s' signs in by SSO, which only AWS's own tool can do: let another "
			"profile say 'credential_process = aws configure export-credentials "
			"--profile %s', and name that one",
			profile, profile);
	return MLB_SOURCE_NONE;
}

/* ---------------------------------------------------------------- roles */

static int
credential_source(struct mlb_aws_chain *k, const char *profile, const char *name,
		  struct mlb_err *err)
{
	k->only = true;
	if (strcmp(name, "Environment") == 0)
		return mlb_aws_from_environment(k, err);
	if (strcmp(name, "Ec2InstanceMetadata") == 0)
		return mlb_aws_from_instance(k, err);
	if (strcmp(name, "EcsContainer") == 0)
		return mlb_aws_from_container(k, err);
	return mlb_err_set(err, MLB_EREMOTE,
			   "profile '%s': credential_source '%s' is not known; it is one of "
			   "Environment, Ec2InstanceMetadata, EcsContainer",
			   profile, name);
}

/*
 * Where the key for the role of a profile is from: *next is a profile, or NULL and what is
 * returned counts.
 */
static int
role_source(struct mlb_aws_chain *k, const char *profile, const char **next, struct mlb_err *err)
{
	const char *file = get(k, profile, "web_identity_token_file");
	const char *source = get(k, profile, "source_profile");
	const char *named = get(k, profile, "credential_source");

	*next = NULL;
	if (file)
		return mlb_aws_ask_web_identity(k, get(k, profile, "role_arn"),
						get(k, profile, "role_session_name"), file, err);
	if (get(k, profile, "mfa_serial"))
		return mlb_err_set(
			err, MLB_EREMOTE,
			"profile '%s' wants a code (mfa_serial), which nobody is asked "
			"for here; get a session by 'aws sts get-session-token', or use a "
			"credential_process",
			profile);
	if (!source && !named)
		return mlb_err_set(err, MLB_EREMOTE,
				   "profile '%s' has a role_arn, but neither source_profile nor "
				   "credential_source",
				   profile);
	if (k->role.n == MOST_ROLES)
		return mlb_err_set(err, MLB_EREMOTE,
				   "profile '%s': source_profile leads in a circle", profile);
	mlb_vec_push(&k->role, mlb_strdup(profile));
	if (!source)
		return credential_source(k, profile, named, err);
	*next = source;
	return 0;
}

static int
key_of(struct mlb_aws_chain *k, const char *profile, bool must, struct mlb_err *err)
{
	const char *next = NULL;
	int said;

	while (mlb_aws_files_has(k->files, profile)) {
		/* A profile that is its own source has a key beside its role. */
		bool again = k->role.n && strcmp(k->role.v[k->role.n - 1], profile) == 0;

		if (again || !get(k, profile, "role_arn")) {
			said = own_key(k, profile, err);
			if (said == MLB_SOURCE_NONE && must)
				return mlb_err_set(err, MLB_EREMOTE,
						   "profile '%s' has no credentials", profile);
			return said == MLB_SOURCE_NONE
				       ? mlb_aws_looked(k, "profile '%s' (without a key)", profile)
				       : said;
		}
		said = role_source(k, profile, &next, err);
		if (!next)
			return said;
		profile = next;
		must = true;
	}
	if (must)
		return no_such_profile(k, profile, err);
	return mlb_aws_looked(k, "profile '%s' of '%s' and '%s' (not there)", profile,
			      mlb_aws_files_path(k->files, MLB_AWS_CREDENTIALS),
			      mlb_aws_files_path(k->files, MLB_AWS_CONFIG));
}

int
mlb_aws_from_profile(struct mlb_aws_chain *k, struct mlb_err *err)
{
	bool said;
	const char *profile = mlb_aws_profile_name(k->config, &said);
	int rc = mlb_aws_files_read(&k->files, k->config, err);

	if (rc)
		return rc;
	if (said && !mlb_aws_files_has(k->files, profile))
		return no_such_profile(k, profile, err);
	return key_of(k, profile, k->config->get(k->config, "profile") != NULL, err);
}

/* --------------------------------------------------------------- gsutil */

/* BOTO_CONFIG or ~/.boto has sections and settings as the credentials file does. */
int
mlb_aws_from_boto(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *own = mlb_aws_env(k, "BOTO_CONFIG"), *home = mlb_aws_env(k, "HOME");
	char *path = own ? mlb_strdup(own) : mlb_asprintf("%s/.boto", home ? home : "");
	struct mlb_buf text = MLB_BUF_INIT(1 << 20);
	const char *id, *secret;
	int said = mlb_fs_exists(path) ? mlb_fs_read(&text, path, err) : 0;

	if (said == 0) {
		k->files = mlb_aws_files_new();
		mlb_aws_files_parse(k->files, MLB_AWS_CREDENTIALS, mlb_buf_str(&text), text.len);
		id = get(k, "Credentials", "gs_access_key_id");
		secret = get(k, "Credentials", "gs_secret_access_key");
		if (id && secret) {
			mlb_aws_credentials_set(&k->next, id, secret, NULL);
			said = mlb_aws_has(k, mlb_asprintf("[Credentials] of '%s'", path));
		} else {
			said = mlb_aws_looked(k, "gs_access_key_id in '%s' (not there)", path);
		}
	}
	if (text.data)
		explicit_bzero(text.data, text.cap);
	mlb_buf_release(&text);
	free(path);
	return said;
}
