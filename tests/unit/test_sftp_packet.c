/* What is sent and taken, byte by byte, and what is refused. */
#include "unit.h"

#include "remotes/sftp_packet.h"

#define MAX 100000

static void
assert_bytes(const struct mlb_buf *b, const char *want, size_t len)
{
	assert_int_equal(b->len, len);
	assert_memory_equal(b->data, want, len);
}

#define BYTES(s) s, sizeof(s) - 1
#define BODY(s) (const uint8_t *)(s), sizeof(s) - 1

static void
requests(void **state)
{
	const struct mlb_sftp_bytes handle = { "HND", 3 }, data = { "a\0b", 3 };
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	(void)state;
	mlb_sftp_add_init(&b);
	assert_bytes(&b, BYTES("\0\0\0\5\1\0\0\0\3"));
	mlb_buf_clear(&b);
	mlb_sftp_add_open(&b, 0x01020304, "p/q", MLB_SFTP_FOR_WRITE | MLB_SFTP_CREATE);
	assert_bytes(&b, BYTES("\0\0\0\24\3\1\2\3\4\0\0\0\3p/q\0\0\0\12\0\0\0\0"));
	mlb_buf_clear(&b);
	mlb_sftp_add_path(&b, MLB_SFTP_STAT, 7, "x");
	assert_bytes(&b, BYTES("\0\0\0\12\21\0\0\0\7\0\0\0\1x"));
	mlb_buf_clear(&b);
	mlb_sftp_add_mkdir(&b, 7, "x");
	assert_bytes(&b, BYTES("\0\0\0\16\16\0\0\0\7\0\0\0\1x\0\0\0\0"));
	mlb_buf_clear(&b);
	mlb_sftp_add_rename(&b, 7, "x", "yz");
	assert_bytes(&b, BYTES("\0\0\0\20\22\0\0\0\7\0\0\0\1x\0\0\0\2yz"));
	mlb_buf_clear(&b);
	mlb_sftp_add_read(&b, 9, handle, UINT64_C(0x1122334455667788), 0x99);
	assert_bytes(&b, BYTES("\0\0\0\30\5\0\0\0\11\0\0\0\3HND"
			       "\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\x99"));
	mlb_buf_clear(&b);
	mlb_sftp_add_write(&b, 9, handle, 1, data);
	assert_bytes(&b, BYTES("\0\0\0\33\6\0\0\0\11\0\0\0\3HND\0\0\0\0\0\0\0\1\0\0\0\3a\0b"));
	mlb_buf_clear(&b);
	mlb_sftp_add_extended(&b, 9, MLB_SFTP_EXT_FSYNC, handle, NULL);
	assert_bytes(&b, BYTES("\0\0\0\41\310\0\0\0\11\0\0\0\21fsync@openssh.com\0\0\0\3HND"));
	mlb_buf_clear(&b);
	mlb_sftp_add_extended(&b, 9, MLB_SFTP_EXT_LIMITS, (struct mlb_sftp_bytes){ NULL, 0 }, NULL);
	assert_bytes(&b, BYTES("\0\0\0\33\310\0\0\0\11\0\0\0\22limits@openssh.com"));
	mlb_buf_release(&b);
}

static void
packets_are_whole_or_refused(void **state)
{
	static const uint8_t two[] = "\0\0\0\11\145\0\0\0\7\0\0\0\2\0\0\0\5\1";
	struct mlb_sftp_packet p;

	(void)state;
	for (size_t n = 0; n < 13; n++)
		assert_int_equal(mlb_sftp_take(&p, two, n), 0);
	assert_int_equal(mlb_sftp_take(&p, two, 13), 13);
	assert_int_equal(mlb_sftp_take(&p, two, sizeof(two)), 13);
	assert_int_equal(p.type, MLB_SFTP_IS_STATUS);
	assert_int_equal(p.id, 7);
	assert_int_equal(p.len, 4);
	assert_int_equal(mlb_sftp_take(&p, BODY("\0\0\0\4\145\0\0\0")), -1);
	assert_int_equal(mlb_sftp_take(&p, BODY("\0\0\0\0")), -1);
	assert_int_equal(mlb_sftp_take(&p, BODY("\0\4\0\0")), 0);
	assert_int_equal(mlb_sftp_take(&p, BODY("\0\4\0\1")), -1);
	assert_int_equal(mlb_sftp_take(&p, BODY("\xff\xff\xff\xff")), -1);
}

#define PACKET(kind, s) (&(struct mlb_sftp_packet){ (kind), 1, BODY(s) })

static void
greetings(void **state)
{
	struct mlb_sftp_extensions ext;
	uint32_t version;

	(void)state;
	assert_true(mlb_sftp_get_version(&version, &ext, PACKET(MLB_SFTP_IS_VERSION, "\0\0\0\3")));
	assert_int_equal(version, 3);
	assert_false(ext.fsync || ext.hardlink || ext.limits || ext.posix_rename || ext.statvfs);
	assert_true(mlb_sftp_get_version(&version, &ext,
					 PACKET(MLB_SFTP_IS_VERSION,
						"\0\0\0\3\0\0\0\21fsync@openssh.com\0\0\0\1"
						"1"
						"\0\0\0\23statvfs@openssh.com\0\0\0\1"
						"1")));
	assert_true(ext.fsync);
	assert_false(ext.statvfs); /* another version of it */
	assert_false(mlb_sftp_get_version(&version, &ext, PACKET(MLB_SFTP_IS_VERSION, "\0\0\3")));
	assert_false(mlb_sftp_get_version(
		&version, &ext, PACKET(MLB_SFTP_IS_VERSION, "\0\0\0\3\0\0\0\21fsync@open")));
	assert_false(mlb_sftp_get_version(&version, &ext,
					  PACKET(MLB_SFTP_IS_VERSION, "\0\0\0\3\0\0\0\1x")));
	assert_false(mlb_sftp_get_version(&version, &ext, PACKET(MLB_SFTP_IS_STATUS, "\0\0\0\3")));
}

static void
answers(void **state)
{
	struct mlb_sftp_status status;
	struct mlb_sftp_bytes bytes;
	char long_handle[4 + 257] = "\0\0\1\1";

	(void)state;
	assert_true(mlb_sftp_get_status(&status, PACKET(MLB_SFTP_IS_STATUS, "\0\0\0\4")));
	assert_int_equal(status.code, MLB_SFTP_FAILURE);
	assert_int_equal(status.words.len, 0);
	assert_true(mlb_sftp_get_status(&status, PACKET(MLB_SFTP_IS_STATUS,
							"\0\0\0\3\0\0\0\2no\0\0\0\2en")));
	assert_int_equal(status.words.len, 2);
	assert_memory_equal(status.words.at, "no", 2);
	assert_false(mlb_sftp_get_status(&status,
					 PACKET(MLB_SFTP_IS_STATUS, "\0\0\0\3\xff\xff\xff\xffno")));
	assert_false(mlb_sftp_get_status(&status, PACKET(MLB_SFTP_IS_STATUS, "\0\0\0")));
	assert_true(mlb_sftp_get_bytes(&bytes, PACKET(MLB_SFTP_IS_DATA, "\0\0\0\2xy")));
	assert_int_equal(bytes.len, 2);
	assert_false(mlb_sftp_get_bytes(&bytes, PACKET(MLB_SFTP_IS_DATA, "\0\0\0\2x")));
	assert_false(mlb_sftp_get_bytes(&bytes, PACKET(MLB_SFTP_IS_DATA, "\0\0\0\2xyz")));
	assert_true(mlb_sftp_get_bytes(&bytes, PACKET(MLB_SFTP_IS_HANDLE, "\0\0\0\0")));
	const struct mlb_sftp_packet endless = { MLB_SFTP_IS_HANDLE, 1,
						 (const uint8_t *)long_handle,
						 sizeof(long_handle) };
	assert_false(mlb_sftp_get_bytes(&bytes, &endless));
}

static void
attributes(void **state)
{
	struct mlb_sftp_attrs a;

	(void)state;
	assert_true(mlb_sftp_get_attrs(&a, PACKET(MLB_SFTP_IS_ATTRS, "\0\0\0\0")));
	assert_false(a.has_size || a.has_mode || a.mtime);
	assert_true(mlb_sftp_is_file(&a));
	assert_true(mlb_sftp_get_attrs(
		&a,
		PACKET(MLB_SFTP_IS_ATTRS, "\x80\0\0\17\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\201\244"
					  "\1\1\1\1\x80\0\0\0\0\0\0\1\0\0\0\1t\0\0\0\2vv")));
	assert_int_equal(a.size, UINT64_C(0x100000002));
	assert_int_equal(a.mode, 0100644);
	assert_int_equal(a.mtime, INT64_C(0x80000000));
	assert_true(mlb_sftp_is_file(&a));
	assert_true(mlb_sftp_get_attrs(&a, PACKET(MLB_SFTP_IS_ATTRS, "\0\0\0\4\0\0\101\355")));
	assert_false(mlb_sftp_is_file(&a));
	/* A count that is not there, an unknown flag, something behind. */
	assert_false(
		mlb_sftp_get_attrs(&a, PACKET(MLB_SFTP_IS_ATTRS, "\x80\0\0\0\xff\xff\xff\xff")));
	assert_false(mlb_sftp_get_attrs(&a, PACKET(MLB_SFTP_IS_ATTRS, "\0\0\0\20")));
	assert_false(mlb_sftp_get_attrs(&a, PACKET(MLB_SFTP_IS_ATTRS, "\0\0\0\0\0")));
}

static void
names(void **state)
{
	static const char two[] = "\0\0\0\2\0\0\0\1a\0\0\0\0\0\0\0\0"
				  "\0\0\0\2bc\0\0\0\3-rw\0\0\0\1\0\0\0\0\0\0\0\5";
	struct mlb_sftp_names n;
	struct mlb_sftp_name one;

	(void)state;
	assert_true(mlb_sftp_names_begin(&n, PACKET(MLB_SFTP_IS_NAME, two)));
	assert_int_equal(n.left, 2);
	assert_true(mlb_sftp_names_next(&one, &n));
	assert_memory_equal(one.name.at, "a", one.name.len);
	assert_true(mlb_sftp_names_next(&one, &n));
	assert_int_equal(one.name.len, 2);
	assert_int_equal(one.attrs.size, 5);
	assert_int_equal(n.left, 0);
	/* Cut anywhere behind the count, it is seen. */
	for (size_t len = 4; len < sizeof(two) - 1; len++) {
		const struct mlb_sftp_packet cut = { MLB_SFTP_IS_NAME, 1, (const uint8_t *)two,
						     len };

		assert_true(mlb_sftp_names_begin(&n, &cut));
		assert_false(mlb_sftp_names_next(&one, &n) && mlb_sftp_names_next(&one, &n));
	}
	/* More than are told, and a count without any. */
	assert_true(mlb_sftp_names_begin(&n, PACKET(MLB_SFTP_IS_NAME,
						    "\0\0\0\1\0\0\0\1a\0\0\0\0\0\0\0\0!")));
	assert_false(mlb_sftp_names_next(&one, &n));
	assert_true(mlb_sftp_names_begin(&n, PACKET(MLB_SFTP_IS_NAME, "\xff\xff\xff\xff")));
	assert_false(mlb_sftp_names_next(&one, &n));
}

static void
space_and_limits(void **state)
{
	uint8_t raw[88] = { 0 };
	const struct mlb_sftp_packet p = { MLB_SFTP_IS_REPLY, 1, raw, sizeof(raw) };
	struct mlb_sftp_limits l;
	uint64_t bytes, files;

	(void)state;
	raw[14] = 16; /* frsize 4096 */
	raw[39] = 3;  /* bavail */
	assert_true(mlb_sftp_get_space(&bytes, &files, &p));
	assert_int_equal(bytes, 3 * 4096);
	assert_true(files == UINT64_MAX);
	raw[47] = 100; /* files, none of them free */
	raw[32] = 0xff;
	assert_true(mlb_sftp_get_space(&bytes, &files, &p));
	assert_true(bytes == UINT64_MAX);
	assert_int_equal(files, 0);
	assert_true(mlb_sftp_get_limits(&l, &p));
	assert_int_equal(l.read, 4096);
	assert_false(mlb_sftp_get_limits(&l, PACKET(MLB_SFTP_IS_REPLY, "\0\0\0\0\0\0\0\1")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),         cmocka_unit_test(packets_are_whole_or_refused),
		cmocka_unit_test(greetings),        cmocka_unit_test(answers),
		cmocka_unit_test(attributes),       cmocka_unit_test(names),
		cmocka_unit_test(space_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
