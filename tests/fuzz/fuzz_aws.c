/* Files and answers with credentials: a line is a line, and what is taken can be in a header. */
#include <stdlib.h>
#include <string.h>

#include "remotes/aws_credentials.h"
#include "remotes/aws_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
file(enum mlb_aws_file which, const char *text, size_t size)
{
	static const char *const keys[] = { "region", "aws_access_key_id", "credential_process" };
	struct mlb_aws_files *f = mlb_aws_files_new();

	mlb_aws_files_parse(f, which, text, size);
	for (size_t i = 0; i < MLB_ARRAY_LEN(keys); i++) {
		const char *value = mlb_aws_files_get(f, MLB_AWS_EITHER, "default", keys[i]);

		if (value && (!*value || strchr(value, '\n') || strlen(value) >= size ||
			      !mlb_aws_files_has(f, "default")))
			abort();
	}
	mlb_aws_files_free(f);
}

static void
answer(const char *text, size_t size)
{
	struct mlb_aws_credentials c = { 0 };

	if (mlb_aws_credentials_json(&c, text, size, false, NULL) == 0 &&
	    (!*c.id || !*c.secret || strpbrk(c.id, "\r\n ") || strpbrk(c.secret, "\r\n ")))
		abort();
	mlb_aws_credentials_release(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	file(MLB_AWS_CREDENTIALS, (const char *)data, size);
	file(MLB_AWS_CONFIG, (const char *)data, size);
	answer((const char *)data, size);
	return 0;
}
