#include "azure_credentials.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "aws_credentials.h"
#include "base/alloc.h"
#include "base/base64.h"

#define KEY_MAX ((size_t)4096)
#define CONNECTION "AZURE_STORAGE_CONNECTION_STRING"

void
mlb_azure_credentials_init(struct mlb_azure_credentials *c)
{
	memset(c, 0, sizeof(*c));
	mlb_buf_init(&c->key, KEY_MAX);
	c->from = mlb_strdup("");
}

void
mlb_azure_credentials_release(struct mlb_azure_credentials *c)
{
	if (c->key.data)
		OPENSSL_cleanse(c->key.data, c->key.cap);
	mlb_buf_release(&c->key);
	mlb_secret_free(c->sas);
	free(c->endpoint);
	free(c->from);
	c->sas = c->endpoint = c->from = NULL;
}

static void
say(struct mlb_azure_credentials *c, char *from)
{
	free(c->from);
	c->from = from;
}

static int
take_key(struct mlb_azure_credentials *c, const char *text, const char *from, struct mlb_err *err)
{
	if (!mlb_base64_decode(&c->key, text, strlen(text)) || !c->key.len)
		return mlb_err_set(err, MLB_EINVALID,
				   "%s holds no key of a storage account: those are base64, with "
				   "'=' at the end; copy it again from the portal",
				   from);
	say(c, mlb_asprintf("the account key in %s", from));
	return 0;
}

/* It becomes part of URLs as it is. */
static int
take_sas(struct mlb_azure_credentials *c, const char *text, const char *from, struct mlb_err *err)
{
	text += *text == '?';
	for (const char *s = text; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("#?\"<>\\^`{|}", *s))
			return mlb_err_set(err, MLB_EINVALID,
					   "%s holds no SAS token: a character of it cannot be in a "
					   "URL; give what stands behind '?' of a SAS URL",
					   from);
	if (strncmp(text, "sig=", 4) != 0 && !strstr(text, "&sig="))
		return mlb_err_set(err, MLB_EINVALID,
				   "%s holds no SAS token: it has no 'sig='; give what stands "
				   "behind '?' of a SAS URL",
				   from);
	c->sas = mlb_strdup(text);
	say(c, mlb_asprintf("the SAS token in %s", from));
	return 0;
}

/* The value of a part "NAME=…" of a connection string, up to ';'; owned; NULL: it has none. */
static char *
part_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (*text) {
		size_t len = strcspn(text, ";");

		if (len > n && text[n] == '=' && !strncasecmp(text, name, n))
			return mlb_strndup(text + n + 1, len - n - 1);
		text += len + (text[len] == ';');
	}
	return NULL;
}

/* BlobEndpoint, or what it is made of; owned; NULL: the usual one. */
static char *
endpoint_of(const char *text, const char *account)
{
	char *endpoint = part_of(text, "BlobEndpoint");
	char *suffix = part_of(text, "EndpointSuffix");
	char *protocol = part_of(text, "DefaultEndpointsProtocol");

	if (!endpoint && suffix)
		endpoint = mlb_asprintf("%s://%s.blob.%s", protocol ? protocol : "https", account,
					suffix);
	free(suffix);
	free(protocol);
	return endpoint;
}

static int
take_connection(struct mlb_azure_credentials *c, const char *text, const char *account,
		struct mlb_err *err)
{
	char *name = part_of(text, "AccountName");
	char *key = part_of(text, "AccountKey");
	char *sas = part_of(text, "SharedAccessSignature");
	int rc = 0;

	if (name && strcmp(name, account) != 0) {
		say(c, mlb_asprintf("none: " CONNECTION " is of another account, '%s'", name));
	} else if (!key && !sas) {
		rc = mlb_err_set(err, MLB_EINVALID,
				 CONNECTION " has neither AccountKey nor SharedAccessSignature");
	} else {
		c->endpoint = endpoint_of(text, account);
		rc = key ? take_key(c, key, CONNECTION, err) : take_sas(c, sas, CONNECTION, err);
	}
	free(name);
	mlb_secret_free(key);
	mlb_secret_free(sas);
	return rc;
}

/* A variable that the user's environment may have; "" is not having it. */
static const char *
variable(const struct mlb_remote_config *c, const char *name)
{
	const char *value = c->env(c, name);

	return value && *value ? value : NULL;
}

static int
take_usual(struct mlb_azure_credentials *out, const struct mlb_remote_config *c,
	   const char *account, struct mlb_err *err)
{
	const char *connection = variable(c, CONNECTION);
	const char *name = variable(c, "AZURE_STORAGE_ACCOUNT");
	const char *key = variable(c, "AZURE_STORAGE_KEY");
	const char *sas = variable(c, "AZURE_STORAGE_SAS_TOKEN");

	if (connection)
		return take_connection(out, connection, account, err);
	if (!key && !sas) {
		say(out, mlb_strdup("none: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"));
		return 0;
	}
	if (name && strcmp(name, account) != 0) {
		say(out, mlb_asprintf("none: %s is of another account, '%s' "
				      "(AZURE_STORAGE_ACCOUNT)",
				      key ? "AZURE_STORAGE_KEY" : "AZURE_STORAGE_SAS_TOKEN", name));
		return 0;
	}
	return key ? take_key(out, key, "AZURE_STORAGE_KEY", err)
		   : take_sas(out, sas, "AZURE_STORAGE_SAS_TOKEN", err);
}

int
mlb_azure_credentials(struct mlb_azure_credentials *out, const struct mlb_remote_config *c,
		      const char *account, struct mlb_err *err)
{
	const char *token = c->get(c, "token_env");
	const char *password = c->get(c, "password_env");
	const char *named = token ? token : password;
	const char *value;

	if (!named)
		return take_usual(out, c, account, err);
	value = variable(c, named);
	if (!value)
		return mlb_err_set(err, MLB_EINVALID,
				   "the environment has no %s, which %s names: export it", named,
				   token ? "token_env" : "password_env");
	return token ? take_sas(out, value, named, err) : take_key(out, value, named, err);
}
