/* URLs of the ssh backend: what they mean, and that none becomes an option or a command. */
#include "unit.h"

#include "remotes/ssh_place.h"

static void
is(const char *url, const char *user, const char *host, const char *port, const char *path)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ssh_place p;

	assert_ok(mlb_ssh_place_parse(&p, url, &err));
	assert_string_equal(p.user ? p.user : "-", user ? user : "-");
	assert_string_equal(p.host, host);
	assert_string_equal(p.port ? p.port : "-", port ? port : "-");
	assert_string_equal(p.path, path);
	mlb_ssh_place_release(&p);
}

static void
places(void **state)
{
	(void)state;
	is("ssh://host/srv/ml", NULL, "host", NULL, "/srv/ml");
	is("MyAlias:x", NULL, "MyAlias", NULL, "x"); /* as in ~/.ssh/config */
	is("ssh://anna@host:2222/srv/ml/", "anna", "host", "2222", "/srv/ml");
	is("ssh://host:/srv", NULL, "host", NULL, "/srv");
	is("ssh://host/", NULL, "host", NULL, "/");
	is("ssh://host/~/ml", NULL, "host", NULL, "ml");
	is("ssh://host/~", NULL, "host", NULL, "");
	is("ssh://[::1]:22/x", NULL, "::1", "22", "/x");
	is("ssh://host/with%20blank/%c3%bc", NULL, "host", NULL, "/with blank/\xc3\xbc");
	is("ssh://a.b%2bc@host/x", "a.b+c", "host", NULL, "/x");
	is("host:ml/cache", NULL, "host", NULL, "ml/cache");
	is("host:/srv/ml//", NULL, "host", NULL, "/srv/ml");
	is("anna@host.example.org:~/ml", "anna", "host.example.org", NULL, "ml");
	is("host:~", NULL, "host", NULL, "");
	is("[fe80::1%eth0]:x", NULL, "fe80::1%eth0", NULL, "x");
	/* Nothing is decoded there: it is no URL. */
	is("host:with blank/50%25", NULL, "host", NULL, "with blank/50%25");
}

static void
refuses(const char *url, const char *words)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ssh_place p;

	assert_err(mlb_ssh_place_parse(&p, url, &err), MLB_EINVALID, words);
}

static void
refused(void **state)
{
	(void)state;
	refuses("ssh://-oProxyCommand=id/x", "host");
	refuses("-oProxyCommand=id:x", "host");
	refuses("ssh://-host/x", "host");
	refuses("ssh://anna@-host/x", "host");
	refuses("ssh://[-host]/x", "address");
	refuses("ssh://-l@host/x", "user");
	refuses("ssh://%2dl@host/x", "user");
	refuses("-l@host:x", "user");
	refuses("ssh://a;id@host/x", "not the name of a user");
	refuses("a$(id)@host:x", "not the name of a user");
	refuses("ssh://a%20b@host/x", "not the name of a user");
	refuses("ssh://`id`/x", "host");
	refuses("ssh://$(id)/x", "host");
	refuses("ho st:x", "host");
	refuses("ssh:///x", "names no host");
	refuses("@host:x", "user");
	refuses("ssh://host:0/x", "port");
	refuses("ssh://host:65536/x", "port");
	refuses("ssh://host:-p/x", "port");
	refuses("ssh://[::1/y", "address");
	refuses("ssh://host", "names no directory");
	refuses("host:", "names no directory");
	refuses("ssh://host/a%00b", "path");
	refuses("ssh://host/a%zz", "path");
	refuses("ssh://host/a?b", "%3F");
	refuses("ssh://host/~bert/x", "another user's home");
	refuses("host:~bert/x", "another user's home");
}

static void
no_password_is_repeated(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ssh_place p;

	(void)state;
	assert_int_equal(mlb_ssh_place_parse(&p, "ssh://anna:s3cret@host/x", &err), MLB_EINVALID);
	assert_non_null(strstr(err.text, "no password belongs here"));
	assert_null(strstr(err.text, "s3cret"));
	mlb_err_release(&err);
	assert_int_equal(mlb_ssh_place_parse(&p, "anna:s3cret@host:x", &err), MLB_EINVALID);
	assert_null(strstr(err.text, "s3cret"));
	mlb_err_release(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_password_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
