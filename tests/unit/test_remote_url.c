#include "unit.h"

#include "mlbuild/sys/remote.h"
#include "remotes/url.h"

static void
check(const char *url, const char *scheme, const char *user, const char *password, const char *host,
      unsigned port, const char *path)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_url u;

	assert_ok(mlb_url_parse(&u, url, &err));
	assert_string_equal(u.scheme, scheme);
	assert_string_equal(u.user ? u.user : "(none)", user ? user : "(none)");
	assert_string_equal(u.password ? u.password : "(none)", password ? password : "(none)");
	assert_string_equal(u.host, host);
	assert_int_equal(u.port, port);
	assert_string_equal(u.path, path);
	mlb_url_release(&u);
}

static void
a_url_has_these_parts(void **state)
{
	(void)state;
	check("/mnt/team/a%20b", "", NULL, NULL, "", 0, "/mnt/team/a%20b");
	check("file:///mnt/team/a%20b", "file", NULL, NULL, "", 0, "/mnt/team/a b");
	check("file://localhost/x", "file", NULL, NULL, "localhost", 0, "/x");
	check("HTTPS://Example.ORG", "https", NULL, NULL, "example.org", 0, "");
	check("https://me:p%40ss%3a@h.org:8443/d/", "https", "me", "p@ss:", "h.org", 8443, "/d/");
	check("https://me:@h/", "https", "me", "", "h", 0, "/");
	check("http://[::1]:80/d", "http", NULL, NULL, "::1", 80, "/d");
	check("http://[fe80::1%25eth0]/", "http", NULL, NULL, "fe80::1%25eth0", 0, "/");
	check("http://h:/d", "http", NULL, NULL, "h", 0, "/d");
	check("ssh://me@h:22/~/d", "ssh", "me", NULL, "h", 22, "/~/d");
	check("s3://bucket_1.x/a/b", "s3", NULL, NULL, "bucket_1.x", 0, "/a/b");
}

static void
host_and_path_are_ssh(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_url u;

	(void)state;
	check("host:cache", "ssh", NULL, NULL, "host", 0, "cache");
	check("me@host:/srv/a b%20", "ssh", "me", NULL, "host", 0, "/srv/a b%20");
	check("me@[::1]:x:y", "ssh", "me", NULL, "::1", 0, "x:y");
	check("host:", "ssh", NULL, NULL, "host", 0, "");
	assert_ok(mlb_url_parse(&u, "host:cache", &err));
	assert_true(u.scp);
	mlb_url_release(&u);
	assert_ok(mlb_url_parse(&u, "ssh://host/cache", &err));
	assert_false(u.scp);
	mlb_url_release(&u);
}

static void
query_and_raw_path_stay_as_written(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_url u;

	(void)state;
	assert_ok(mlb_url_parse(&u, "https://h/a%2Fb?sv=1&sig=%2F#x", &err));
	assert_string_equal(u.path, "/a/b");
	assert_string_equal(u.raw_path, "/a%2Fb");
	assert_string_equal(u.query, "sv=1&sig=%2F");
	mlb_url_release(&u);
}

static void
refused(const char *url, const char *words)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_url u;

	assert_int_equal(mlb_url_parse(&u, url, &err), MLB_EINVALID);
	if (!strstr(err.text, words))
		print_error("no '%s' in: %s\n", words, err.text);
	assert_non_null(strstr(err.text, words));
	assert_null(strstr(err.text, "secret"));
	mlb_err_release(&err);
	mlb_url_release(&u);
}

static void
what_is_wrong_is_said_without_secrets(void **state)
{
	(void)state;
	refused("", "absolute path");
	refused("cache", "absolute path");
	refused("./a:b", "absolute path");
	refused(":path", "absolute path");
	refused("http://h:99999/", "at most 65535");
	refused("http://h:0/", "no port 0");
	refused("http://me:secret/x@h/", "a port is a number");
	refused("http://me:secret@h:x1/", "a port is a number");
	refused("http://me:secret%@h/", "bad %XX");
	refused("http://h/%zz", "bad %XX");
	refused("http://h/%00", "bad %XX");
	refused("http://h/%0d%0aX", "bad %XX");
	refused("http://h/\r\nHost: x", "control character");
	refused("http://[::1/", "IPv6");
	refused("http://[host]/", "IPv6");
	refused("http://[::1]x/", "after ']'");
	refused("http://a b/", "letters, digits");
	refused("ssh://-oProxyCommand/x", "letters, digits");
	refused("ssh://-oX@h/x", "begin with '-'");
	refused("-oX@h:x", "user's name");
	refused("-V:x", "letters, digits");
	refused("me:secret@h:x", "user's name");
}

static void
a_long_url_is_refused(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *url = mlb_alloc(MLB_URL_MAX + 2);
	struct mlb_url u;

	(void)state;
	memset(url, 'a', MLB_URL_MAX + 1);
	*url = '/';
	url[MLB_URL_MAX + 1] = '\0';
	assert_err(mlb_url_parse(&u, url, &err), MLB_EINVALID, "4096");
	mlb_url_release(&u);
	free(url);
}

static void
shown_has_no_secret(void **state)
{
	static const char *const cases[][2] = {
		{ "/mnt/x?y", "/mnt/x?y" },
		{ "https://me:secret@h:8443/d?sig=secret#secret", "https://h:8443/d" },
		{ "https://secret@h/d", "https://h/d" },
		{ "https://me:sec/ret@h/d", "https://me:..." },
		{ "https://me:secret?x@h/d", "https://me:..." },
		{ "ssh://me:secret@h:22/d", "ssh://me@h:22/d" },
		{ "http://[::1]:80/d", "http://[::1]:80/d" },
		{ "me@h:d", "me@h:d" },
		{ "me:secret@h:d", "h:d" },
		{ "rclone:drive:d", "rclone:drive:d" },
		{ "/a\x1b[31m", "/a?[31m" },
	};
	char shown[64];

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++)
		assert_string_equal(mlb_remote_url_shown(shown, sizeof(shown), cases[i][0]),
				    cases[i][1]);
	assert_string_equal(mlb_remote_url_shown(shown, 5, "/abcdef"), "/abc");
}

static void
encoding_keeps_what_is_unreserved(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(1000);

	(void)state;
	mlb_url_encode(&b, "aZ09-._~/ +%\xc3\xa9", "/");
	assert_string_equal(mlb_buf_str(&b), "aZ09-._~/%20%2B%25%C3%A9");
	mlb_buf_clear(&b);
	assert_true(mlb_url_decode(&b, "%20%2b%C3%a9", 12));
	assert_string_equal(mlb_buf_str(&b), " +\xc3\xa9");
	assert_false(mlb_url_decode(&b, "%4", 2));
	assert_false(mlb_url_decode(&b, "%41", 2));
	mlb_buf_release(&b);
}

static void
chosen(const char *url, const char *name)
{
	const struct mlb_remote_backend *b = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_remote_backend(&b, url, &err));
	assert_string_equal(b->name, name);
}

static void
the_scheme_chooses(void **state)
{
	const struct mlb_remote_backend *b;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	chosen("/mnt/a:b", "dir");
	chosen("file:///mnt", "dir");
	chosen("FILE:///mnt", "dir");
	assert_err(mlb_remote_backend(&b, "gopher://me:secret@h/", &err), MLB_EINVALID,
		   "'gopher', as in 'gopher://h/': there are ");
	assert_err(mlb_remote_backend(&b, "cache/x", &err), MLB_EINVALID, "'cache/x' is no URL");
	assert_err(mlb_remote_backend(&b, "", &err), MLB_EINVALID, "rclone:NAME:path");
}

static void
names_have_these_letters(void **state)
{
	static const char *const good[] = { "a", "a/b", "packs/00ff.pack", "A_-.z", "0", "a/b/c/d" };
	static const char *const bad[] = { "",     "/a",  "a/",    "a//b", ".a",   "a/.b",
					   "a/..", "..",  "a b",   "a%b",  "a\\b", "\xc3\xa9",
					   "a\n",  "a:b", "./a/b", "a/./b" };
	char name[MLB_REMOTE_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++)
		assert_true(mlb_remote_name_valid(good[i]));
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_false(mlb_remote_name_valid(bad[i]));
	memset(name, 'x', sizeof(name));
	name[MLB_REMOTE_NAME_MAX + 1] = '\0';
	assert_false(mlb_remote_name_valid(name));
	name[MLB_REMOTE_NAME_MAX] = '\0';
	assert_true(mlb_remote_name_valid(name));
}

/* remotes/README.md: what an entry must have. */
static void
every_backend_is_complete(void **state)
{
	const struct mlb_remote_backend *const *all = mlb_remote_backends();

	(void)state;
	for (size_t i = 0; all[i]; i++) {
		const struct mlb_remote_backend *b = all[i];

		assert_int_equal(b->abi, MLB_REMOTE_ABI);
		assert_true(b->name && *b->name && b->summary && *b->summary);
		assert_true(i == 0 || strcmp(all[i - 1]->name, b->name) < 0);
		assert_non_null(b->schemes[0]);
		assert_in_range(b->most, 1, 64);
		for (size_t k = 1; b->keys[0] && b->keys[k]; k++)
			assert_true(strcmp(b->keys[k - 1], b->keys[k]) < 0);
		assert_true(b->open && b->start && b->wait && b->wake && b->cancel && b->close);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_has_these_parts),
		cmocka_unit_test(host_and_path_are_ssh),
		cmocka_unit_test(query_and_raw_path_stay_as_written),
		cmocka_unit_test(what_is_wrong_is_said_without_secrets),
		cmocka_unit_test(a_long_url_is_refused),
		cmocka_unit_test(shown_has_no_secret),
		cmocka_unit_test(encoding_keeps_what_is_unreserved),
		cmocka_unit_test(the_scheme_chooses),
		cmocka_unit_test(names_have_these_letters),
		cmocka_unit_test(every_backend_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
