#include "unit.h"

#include "remotes/xml.h"

struct seen {
	struct mlb_buf text;
	int stop_at; /* this call of the handler fails; 0: none */
	int calls;
};

static int
element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct seen *s = ctx;

	if (++s->calls == s->stop_at)
		return mlb_err_set(err, MLB_ETOOBIG, "enough");
	mlb_buf_addf(&s->text, "%s=%s;", path, text);
	return 0;
}

static int
read_xml(struct seen *s, const char *xml, size_t len, struct mlb_err *err)
{
	struct mlb_xml x;
	int rc;

	mlb_buf_clear(&s->text);
	s->calls = 0;
	mlb_xml_init(&x, element, s);
	rc = mlb_xml_feed(&x, xml, len / 2, err);
	if (!rc)
		rc = mlb_xml_feed(&x, xml + len / 2, len - len / 2, err);
	if (!rc)
		rc = mlb_xml_finish(&x, err);
	mlb_xml_release(&x);
	return rc;
}

static void
elements_are_told_with_their_path(void **state)
{
	static const struct {
		const char *xml, *seen;
	} cases[] = {
		{ "<a/>", "a=;" },
		{ "<a>x</a>", "a=x;" },
		{ " <?xml version='1.0'?>\n<a >\n <b>x</b ><b c='>' d=\"/\">y</b>z</a>\n",
		  "a/b=x;a/b=y;a=;" },
		{ "\xef\xbb\xbf<D:a xmlns:D='DAV:'><D:b/></D:a>", "a/b=;a=;" },
		{ "<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x20ac;&#128512;</a>",
		  "a=<>&\"'A\xe2\x82\xac\xf0\x9f\x98\x80;" },
		{ "<a>1<!-- <b> -- - --->2<![CDATA[<]>]]&amp;]]>3</a>", "a=12<]>]]&amp;3;" },
		{ "<a><![CDATA[]]]]]></a>", "a=]]];" },
		{ "<a><?php ? ?"
		  "?>x</a>",
		  "a=x;" },
	};
	struct seen s = { .text = MLB_BUF_INIT(MLB_MIB) };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		assert_ok(read_xml(&s, cases[i].xml, strlen(cases[i].xml), &err));
		assert_string_equal(mlb_buf_str(&s.text), cases[i].seen);
	}
	mlb_buf_release(&s.text);
}

static void
what_is_wrong_is_refused(void **state)
{
	static const struct {
		const char *xml, *words;
	} cases[] = {
		{ "", "end is missing" },
		{ "<a>", "end is missing" },
		{ "<a", "end is missing" },
		{ "x", "text outside" },
		{ "<a/><b/>", "second root" },
		{ "<a></b>", "did not begin" },
		{ "</a>", "did not begin" },
		{ "<a><b></a></b>", "did not begin" },
		{ "<a>&nbsp;</a>", "unknown entity" },
		{ "<a>&#0;</a>", "unknown entity" },
		{ "<a>&#xd800;</a>", "unknown entity" },
		{ "<a>&#x110000;</a>", "unknown entity" },
		{ "<a>&#;</a>", "unknown entity" },
		{ "<a>\xff</a>", "not UTF-8" },
		{ "<!DOCTYPE a><a/>", "document type" },
		{ "< a/>", "without a name" },
		{ "<a !/>", "tag that is wrong" },
		{ "<a b='<'/>", "tag that is wrong" },
	};
	struct seen s = { .text = MLB_BUF_INIT(MLB_MIB) };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++)
		assert_err(read_xml(&s, cases[i].xml, strlen(cases[i].xml), &err), MLB_EREMOTE,
			   cases[i].words);
	assert_err(read_xml(&s, "<a>\0</a>", 8, &err), MLB_EREMOTE, "NUL");
	mlb_buf_release(&s.text);
}

/* "<a>" so often and "</a>" so often. */
static void
nested(struct mlb_buf *b, int n)
{
	mlb_buf_clear(b);
	for (int i = 0; i < n; i++)
		mlb_buf_adds(b, "<a>");
	for (int i = 0; i < n; i++)
		mlb_buf_adds(b, "</a>");
}

static void
there_are_limits(void **state)
{
	struct seen s = { .text = MLB_BUF_INIT(MLB_MIB) };
	struct mlb_buf b = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	size_t most = (size_t)16 * 1024;

	(void)state;
	nested(&b, 32);
	assert_ok(read_xml(&s, b.data, b.len, &err));
	nested(&b, 33);
	assert_err(read_xml(&s, b.data, b.len, &err), MLB_EREMOTE, "within each other");
	for (size_t len = most; len <= most + 1; len++) {
		mlb_buf_clear(&b);
		mlb_buf_addf(&b, "<a>%0*d</a>", (int)len, 7);
		if (len == most)
			assert_ok(read_xml(&s, b.data, b.len, &err));
		else
			assert_err(read_xml(&s, b.data, b.len, &err), MLB_EREMOTE, "too long");
	}
	mlb_buf_clear(&b);
	mlb_buf_addf(&b, "<a%0200d/>", 7);
	assert_err(read_xml(&s, b.data, b.len, &err), MLB_EREMOTE, "name that is too long");
	mlb_buf_release(&b);
	mlb_buf_release(&s.text);
}

static void
the_handler_may_end_it(void **state)
{
	struct seen s = { .text = MLB_BUF_INIT(MLB_MIB), .stop_at = 2 };
	struct mlb_err err = MLB_ERR_INIT;
	const char *xml = "<a><b/><b/><b/></a>";

	(void)state;
	assert_err(read_xml(&s, xml, strlen(xml), &err), MLB_ETOOBIG, "enough");
	assert_int_equal(s.calls, 2);
	mlb_buf_release(&s.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_told_with_their_path),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(the_handler_may_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
