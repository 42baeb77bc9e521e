/* Which credentials of an environment count for an account of Azure Storage. */
#include "unit.h"

#include "remotes/azure_credentials.h"

#define KEY "c2VjcmV0LWtleQ==" /* secret-key */
#define SAS "sv=2021-12-02&sp=rl&sig=c2lnbmVk%3D"

/* Names and values by turns, NULL-terminated: keys of the section, then the environment. */
static const char *const *keys, *const *environment;

static const char *
look(const char *const *pairs, const char *name)
{
	for (; pairs && *pairs; pairs += 2)
		if (!strcmp(*pairs, name))
			return pairs[1];
	return NULL;
}

static const char *
get_key(const struct mlb_remote_config *c, const char *key)
{
	(void)c;
	return look(keys, key);
}

static const char *
get_env(const struct mlb_remote_config *c, const char *name)
{
	(void)c;
	return look(environment, name);
}

static const struct mlb_remote_config config = { "r", "azure://acc/con", get_key, get_env, NULL };

static void
expect(const char *key, const char *sas, const char *endpoint, const char *from)
{
	struct mlb_azure_credentials c;
	struct mlb_err err = MLB_ERR_INIT;

	mlb_azure_credentials_init(&c);
	assert_ok(mlb_azure_credentials(&c, &config, "acc", &err));
	assert_string_equal(mlb_buf_str(&c.key), key);
	if (sas)
		assert_string_equal(c.sas, sas);
	else
		assert_null(c.sas);
	if (endpoint)
		assert_string_equal(c.endpoint, endpoint);
	else
		assert_null(c.endpoint);
	assert_string_equal(c.from, from);
	mlb_azure_credentials_release(&c);
}

static void
refuse(const char *words)
{
	struct mlb_azure_credentials c;
	struct mlb_err err = MLB_ERR_INIT;

	mlb_azure_credentials_init(&c);
	assert_int_equal(mlb_azure_credentials(&c, &config, "acc", &err), MLB_EINVALID);
	assert_null(strstr(err.text, "c2Vj"));
	assert_err(err.code, MLB_EINVALID, words);
	mlb_azure_credentials_release(&c);
}

static void
with(const char *const *section, const char *const *variables)
{
	keys = section;
	environment = variables;
}

static void
usual_variables(void **state)
{
	const char *none[] = { "AZURE_STORAGE_KEY", "", NULL };
	const char *both[] = { "AZURE_STORAGE_SAS_TOKEN", SAS, "AZURE_STORAGE_KEY", KEY, NULL };
	const char *sas[] = { "AZURE_STORAGE_SAS_TOKEN", "?" SAS, "AZURE_STORAGE_ACCOUNT", "acc",
			      NULL };
	const char *other[] = { "AZURE_STORAGE_KEY", KEY, "AZURE_STORAGE_ACCOUNT", "acc2", NULL };

	(void)state;
	with(NULL, none);
	expect("", NULL, NULL, "none: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN");
	with(NULL, both);
	expect("secret-key", NULL, NULL, "the account key in AZURE_STORAGE_KEY");
	with(NULL, sas);
	expect("", SAS, NULL, "the SAS token in AZURE_STORAGE_SAS_TOKEN");
	with(NULL, other);
	expect("", NULL, NULL,
	       "none: AZURE_STORAGE_KEY is of another account, 'acc2' (AZURE_STORAGE_ACCOUNT)");
}

static void
connection_strings(void **state)
{
#define C "AZURE_STORAGE_CONNECTION_STRING"
	const char *full[] = { C,
			       "DefaultEndpointsProtocol=http;AccountName=acc;AccountKey=" KEY
			       ";BlobEndpoint=http://127.0.0.1:1/acc;",
			       NULL };
	const char *suffix[] = {
		C, "AccountName=acc;AccountKey=" KEY ";EndpointSuffix=core.chinacloudapi.cn", NULL
	};
	const char *sas[] = {
		C, "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=" SAS,
		NULL
	};
	const char *other[] = { C, "AccountName=acc2;AccountKey=" KEY, NULL };
	const char *neither[] = { C, "UseDevelopmentStorage=true", NULL };

	(void)state;
	with(NULL, full);
	expect("secret-key", NULL, "http://127.0.0.1:1/acc", "the account key in " C);
	with(NULL, suffix);
	expect("secret-key", NULL, "https://acc.blob.core.chinacloudapi.cn",
	       "the account key in " C);
	with(NULL, sas);
	expect("", SAS, "https://acc.blob.core.windows.net/", "the SAS token in " C);
	with(NULL, other);
	expect("", NULL, NULL, "none: " C " is of another account, 'acc2'");
	with(NULL, neither);
	refuse("neither AccountKey nor SharedAccessSignature");
#undef C
}

static void
named_variables(void **state)
{
	const char *password[] = { "password_env", "P", NULL };
	const char *token[] = { "password_env", "P", "token_env", "T", NULL };
	const char *there[] = { "P", KEY, "T", SAS, "AZURE_STORAGE_KEY", "b3RoZXI=", NULL };
	const char *absent[] = { "T", "", "AZURE_STORAGE_KEY", "b3RoZXI=", NULL };

	(void)state;
	with(password, there);
	expect("secret-key", NULL, NULL, "the account key in P");
	with(token, there);
	expect("", SAS, NULL, "the SAS token in T");
	with(token, absent);
	refuse("the environment has no T, which token_env names");
	with(password, absent);
	refuse("the environment has no P, which password_env names");
}

static void
what_cannot_be_right(void **state)
{
	const char *key[] = { "AZURE_STORAGE_KEY", "c2VjcmV0LWtleQ", NULL };
	const char *unsigned_token[] = { "AZURE_STORAGE_SAS_TOKEN", "sv=c2Vj&sp=rl", NULL };
	const char *url[] = { "AZURE_STORAGE_SAS_TOKEN", "https://acc/c?" SAS, NULL };
	const char *line[] = { "AZURE_STORAGE_SAS_TOKEN", SAS "\r\nx-ms-version: 1", NULL };

	(void)state;
	with(NULL, key);
	refuse("AZURE_STORAGE_KEY holds no key of a storage account");
	with(NULL, unsigned_token);
	refuse("it has no 'sig='");
	with(NULL, url);
	refuse("a character of it cannot be in a URL");
	with(NULL, line);
	refuse("a character of it cannot be in a URL");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_variables),
		cmocka_unit_test(connection_strings),
		cmocka_unit_test(named_variables),
		cmocka_unit_test(what_cannot_be_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
