/* Trees: the format, hostile nodes, storing and checking out. Labels: tsan */
#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/hex.h"
#include "base/vec.h"
#include "os/fs.h"
#include "store/tree.h"
#include "store/tree_node.h"

struct store {
	struct mlb_db *db;
	struct mlb_cas *cas;
};

static void
open_store(struct store *s, void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *cache = mlb_asprintf("%s/cache/v1", (char *)*state);
	char *db = mlb_asprintf("%s/state.db", (char *)*state);

	assert_ok(mlb_db_open(&s->db, db, &err));
	assert_ok(mlb_cas_open(&s->cas, cache, s->db, &err));
	free(cache);
	free(db);
}

static void
close_store(struct store *s)
{
	mlb_cas_close(s->cas);
	mlb_db_close(s->db);
}

/* ------------------------------------------------------------ the format */

static void
set_entry(struct mlb_tree_entry *e, char *name, uint8_t kind, const char *content)
{
	e->name = name;
	e->kind = kind;
	e->size = strlen(content);
	mlb_sha256_of(&e->digest, content, strlen(content));
}

/* Files file-000000 and so on, holding their number. */
static struct mlb_tree_entry *
many(size_t n, char **names)
{
	struct mlb_tree_entry *e = mlb_calloc(n + 1, sizeof(*e));

	*names = mlb_alloc(n * 12 + 1);
	for (size_t i = 0; i < n; i++) {
		char content[32];

		snprintf(*names + i * 12, 12, "file-%06u", (unsigned)(i % 1000000));
		snprintf(content, sizeof(content), "%zu", i);
		set_entry(&e[i], *names + i * 12, MLB_T_FILE, content);
	}
	return e;
}

static void
assert_digest(const struct mlb_digest *d, const char *hex)
{
	char got[MLB_HEX_LEN + 1];

	mlb_digest_hex(got, d);
	assert_string_equal(got, hex);
}

/* The digests were computed by another implementation, from the description alone. */
static void
test_format(void **state MLB_UNUSED)
{
	static const struct {
		size_t n;
		const char *hex;
	} want[] = {
		{ 0, "e9644aea5670c18ee39eb76b5d77328ccffe6fd1f430c28d2ee3a5933b7930b9" },
		{ 768, "6594292dade0448a52b5d67957ff1a061b4ebaa34e10db75197be2f9d2d1b171" },
		{ 769, "a95a3e5b003168b4525e0c9175070fe936df0b75db36a9afaaad84ffcb118cde" },
		{ 1000, "2a0f78089d03faa3d1c85796ed5740afe95f7feb295364e5dc482213681f4df8" },
		{ 60000, "c0e4f665045decd5a835bec4bc1c2b641db42917a9832d0579bbacb7e3001437" },
	};
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest digest;

	for (size_t i = 0; i < MLB_ARRAY_LEN(want); i++) {
		char *names;
		struct mlb_tree_entry *e = many(want[i].n, &names);

		assert_ok(mlb_tree_node(&digest, NULL, e, want[i].n, NULL, &err));
		assert_digest(&digest, want[i].hex);
		free(e);
		free(names);
	}
}

static void
test_kinds(void **state MLB_UNUSED)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_tree_entry run, e[4] = { { NULL, 0, 0, { { 0 } } } };
	char name_run[] = "run", a[] = "a", none[] = "none", sub[] = "sub", to[] = "to";
	struct mlb_digest digest;
	uint64_t size;

	set_entry(&run, name_run, MLB_T_EXEC, "hi");
	set_entry(&e[0], a, MLB_T_FILE, "abc");
	e[1].name = none;
	e[1].kind = MLB_T_DIR;
	assert_ok(mlb_tree_node(&e[1].digest, &e[1].size, NULL, 0, NULL, &err));
	e[2].name = sub;
	e[2].kind = MLB_T_DIR;
	assert_ok(mlb_tree_node(&e[2].digest, &e[2].size, &run, 1, NULL, &err));
	assert_int_equal(e[2].size, 2);
	set_entry(&e[3], to, MLB_T_LINK, "sub");
	assert_ok(mlb_tree_node(&digest, &size, e, 4, NULL, &err));
	assert_digest(&digest, "3673ff74bc7e66b6abfc30f9072962317fc80475bcdb136be941874f42614e75");
	assert_int_equal(size, 5);
	e[2].name = none;
	assert_err(mlb_tree_node(&digest, &size, e, 4, NULL, &err), MLB_EINVALID, "out of order");
	e[2].name = sub;
	e[0].size = MLB_TREE_SIZE_MAX;
	assert_err(mlb_tree_node(&digest, &size, e, 4, NULL, &err), MLB_ETOOBIG, "2^63");
}

/* Around every change of depth, what is written reads back. */
static void
test_read_back(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 767, 768, 769, 1536, 1537, 49152, 49153, 100000 };
	struct mlb_err err = MLB_ERR_INIT;
	struct store s;

	open_store(&s, state);
	for (size_t i = 0; i < MLB_ARRAY_LEN(counts); i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_tree_entry *got, *e;
		struct mlb_digest digest;
		char *names;
		size_t n;

		e = many(counts[i], &names);
		assert_ok(mlb_tree_node(&digest, NULL, e, counts[i], s.cas, &err));
		assert_ok(mlb_tree_read(&got, &n, &arena, s.cas, &digest, &err));
		assert_int_equal(n, counts[i]);
		for (size_t k = 0; k < n; k++) {
			assert_string_equal(got[k].name, e[k].name);
			assert_int_equal(got[k].size, e[k].size);
			assert_true(mlb_digest_equal(&got[k].digest, &e[k].digest));
		}
		mlb_arena_release(&arena);
		free(e);
		free(names);
	}
	close_store(&s);
}

static int
count_objects(void *ctx, const struct mlb_digest *object MLB_UNUSED, struct mlb_err *err MLB_UNUSED)
{
	++*(size_t *)ctx;
	return 0;
}

MLB_VEC_NAMED(digests, struct mlb_digest);

static int
collect_nodes(void *ctx, const struct mlb_digest *object, struct mlb_err *err MLB_UNUSED)
{
	struct digests *d = ctx;

	mlb_vec_push(d, *object);
	return 0;
}

static int
by_digest(const void *a, const void *b)
{
	return mlb_digest_cmp(a, b);
}

/* One file among 100,000: a leaf and the nodes above it. */
static void
test_one_change(void **state)
{
	const size_t n = 100000;
	struct mlb_err err = MLB_ERR_INIT;
	struct digests before = MLB_VEC_INIT, after = MLB_VEC_INIT;
	struct mlb_tree_seen seen = { 0 };
	struct mlb_digest one, two;
	struct mlb_tree_entry *e;
	size_t fresh = 0;
	struct store s;
	char *names;

	open_store(&s, state);
	e = many(n, &names);
	assert_ok(mlb_tree_node(&one, NULL, e, n, s.cas, &err));
	set_entry(&e[4711], names + 4711 * 12, MLB_T_FILE, "changed");
	assert_ok(mlb_tree_node(&two, NULL, e, n, s.cas, &err));
	assert_ok(mlb_tree_objects(s.cas, &one, &seen, collect_nodes, &before, &err));
	mlb_tree_seen_release(&seen);
	assert_ok(mlb_tree_objects(s.cas, &two, &seen, collect_nodes, &after, &err));
	mlb_tree_seen_release(&seen);
	qsort(before.v, before.n, sizeof(*before.v), by_digest);
	for (size_t i = 0; i < after.n; i++)
		fresh += !bsearch(&after.v[i], before.v, before.n, sizeof(*before.v), by_digest);
	assert_in_range(fresh, 2, 4); /* the file, its leaf, a branch, the first node */
	mlb_vec_release(&before);
	mlb_vec_release(&after);
	free(e);
	free(names);
	close_store(&s);
}

/* ------------------------------------------------------------ hostile nodes */

static bool
same_again(const void *data, size_t len)
{
	struct mlb_buf out = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_node node;
	bool same = true;

	if (mlb_node_parse(&node, &arena, data, len, NULL) == 0) {
		mlb_node_write(&out, &node);
		same = out.len == len && memcmp(out.data, data, len) == 0;
	}
	mlb_buf_release(&out);
	mlb_arena_release(&arena);
	return same;
}

/* Whatever a node's bytes are turned into is refused, or is the one encoding of something else. */
static void
test_one_encoding(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	static const size_t counts[] = { 3, 2000 };
	struct store s;

	open_store(&s, state);
	for (size_t c = 0; c < MLB_ARRAY_LEN(counts); c++) {
		struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
		struct mlb_digest digest;
		char *names;
		struct mlb_tree_entry *e = many(counts[c], &names);

		assert_ok(mlb_tree_node(&digest, NULL, e, counts[c], s.cas, &err));
		assert_ok(mlb_cas_read(s.cas, &buf, &digest, &err));
		assert_true(same_again(buf.data, buf.len));
		for (size_t len = 0; len < buf.len; len++) {
			struct mlb_arena arena = MLB_ARENA_INIT;
			struct mlb_node node;

			assert_int_not_equal(mlb_node_parse(&node, &arena, buf.data, len, NULL), 0);
			mlb_arena_release(&arena);
		}
		for (size_t i = 0; i < buf.len; i++) {
			uint8_t was = (uint8_t)buf.data[i];

			for (unsigned v = 0; v < 256; v++) {
				buf.data[i] = (char)v;
				assert_true(same_again(buf.data, buf.len));
			}
			buf.data[i] = (char)was;
		}
		mlb_buf_release(&buf);
		free(e);
		free(names);
	}
	close_store(&s);
}

static int
read_text(struct store *s, const void *node, size_t len, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_tree_entry *entry;
	struct mlb_digest digest;
	size_t n;
	int rc = mlb_cas_put(s->cas, &digest, node, len, err);

	if (rc == 0)
		rc = mlb_tree_read(&entry, &n, &arena, s->cas, &digest, err);
	mlb_arena_release(&arena);
	return rc;
}

#define D32 "0123456789abcdef0123456789abcdef"
#define HOSTILE(text)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static void
test_hostile(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		HOSTILE(""),
		HOSTILE("mlbt\2d\0"),                                     /* version */
		HOSTILE("mlbt\1d"),                                       /* no count */
		HOSTILE("mlbt\1d\0x"),                                    /* more behind it */
		HOSTILE("mlbt\1d\x80\0"),                                 /* long form of 0 */
		HOSTILE("mlbt\1d\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),   /* a count near 2^63 */
		HOSTILE("mlbt\1d\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), /* and above */
		HOSTILE("mlbt\1l\1f\1a\1" D32),                           /* a leaf alone */
		HOSTILE("mlbt\1d\1f\2..\1" D32),
		HOSTILE("mlbt\1d\1f\1.\1" D32),
		HOSTILE("mlbt\1d\1f\0\1" D32),
		HOSTILE("mlbt\1d\1f\3a/b\1" D32),
		HOSTILE("mlbt\1d\1f\2/a\1" D32),
		HOSTILE("mlbt\1d\1f\3a\0b\1" D32),
		HOSTILE("mlbt\1d\1d\4.GiT\1" D32),
		HOSTILE("mlbt\1d\1d\10.mlBUILD\1" D32),
		HOSTILE("mlbt\1d\1p\1a\1" D32),              /* kind */
		HOSTILE("mlbt\1d\1l\1a\0" D32),              /* an empty link */
		HOSTILE("mlbt\1d\2f\1a\1" D32 "f\1a\1" D32), /* twice */
		HOSTILE("mlbt\1d\2f\1b\1" D32 "f\1a\1" D32), /* order */
		HOSTILE("mlbt\1d\1f\1a\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		HOSTILE("mlbt\1s\1"),                  /* split for one entry */
		HOSTILE("mlbt\1s\x81\6\1\1" D32 "\0"), /* parts do not add up */
	};
	static const char ok[] = "mlbt\1d\2d\1a\1" D32 "f\1b\1" D32;
	struct mlb_err err = MLB_ERR_INIT;
	struct store s;

	open_store(&s, state);
	assert_ok(read_text(&s, ok, sizeof(ok) - 1, &err));
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++)
		assert_err(read_text(&s, bad[i].text, bad[i].len, &err), MLB_ECORRUPT, "tree node");
	close_store(&s);
}

static int
no_file(void *ctx MLB_UNUSED, const char *path MLB_UNUSED,
	const struct mlb_tree_entry *e MLB_UNUSED, struct mlb_err *err MLB_UNUSED)
{
	return 0;
}

/* Nodes that are right alone, under a parent that says otherwise. */
static void
test_misfits(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char d[] = "d", *names;
	struct mlb_tree_entry *e = many(2000, &names);
	struct mlb_tree_entry dir = { d, MLB_T_DIR, 7, { { 0 } } };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_node node;
	struct mlb_node_part *part;
	struct mlb_digest digest;
	struct store s;

	open_store(&s, state);
	assert_ok(mlb_tree_node(&dir.digest, NULL, e, 3, s.cas, &err));
	assert_ok(mlb_tree_node(&digest, NULL, &dir, 1, s.cas, &err));
	assert_err(mlb_tree_each(s.cas, &digest, no_file, NULL, &err), MLB_ECORRUPT,
		   "another size");

	/* Two leaves of a split directory change places. */
	assert_ok(mlb_tree_node(&digest, NULL, e, 2000, s.cas, &err));
	assert_ok(mlb_cas_read(s.cas, &buf, &digest, &err));
	assert_ok(mlb_node_parse(&node, &arena, buf.data, buf.len, &err));
	assert_int_equal(node.n_parts, 4);
	part = mlb_arena_alloc(&arena, 4 * sizeof(*part));
	memcpy(part, node.part, 4 * sizeof(*part));
	part[0] = node.part[1];
	part[1] = node.part[0];
	node.part = part;
	mlb_buf_clear(&buf);
	mlb_node_write(&buf, &node);
	assert_err(read_text(&s, buf.data, buf.len, &err), MLB_ECORRUPT, "tree node");
	part[0] = part[1]; /* and one stands twice */
	mlb_buf_clear(&buf);
	mlb_node_write(&buf, &node);
	assert_err(read_text(&s, buf.data, buf.len, &err), MLB_ECORRUPT, "tree node");
	mlb_buf_release(&buf);
	mlb_arena_release(&arena);
	free(e);
	free(names);
	close_store(&s);
}

static void
test_names_and_links(void **state MLB_UNUSED)
{
	static const char *const good_names[] = { "a",        "...",   ".gitignore",
						  "\xff\n\t", ".git2", "gi" };
	static const char *const bad_names[] = { "",     ".",        "..",  ".git",
						 ".GIT", ".MlBuild", "a/b", "/" };
	static const struct {
		const char *text;
		unsigned depth;
		bool ok;
	} link[] = {
		{ "a", 0, true },       { "a/b", 0, true },     { "./a", 0, true },
		{ ".", 0, true },       { "..", 1, true },      { "../a", 1, true },
		{ "../../x", 2, true }, { "..a", 0, true },     { ".//../b", 1, true },
		{ "..", 0, false },     { "../..", 1, false },  { "/etc", 3, false },
		{ "", 0, false },       { "a/../b", 5, false }, { "./..", 0, false },
		{ "a/..", 0, false },
	};
	struct mlb_err err = MLB_ERR_INIT;
	char *huge = mlb_calloc(1, MLB_TREE_LINK_MAX + 2);

	for (size_t i = 0; i < MLB_ARRAY_LEN(good_names); i++)
		assert_ok(mlb_tree_check_name(good_names[i], strlen(good_names[i]), &err));
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad_names); i++)
		assert_int_equal(mlb_tree_check_name(bad_names[i], strlen(bad_names[i]), NULL),
				 MLB_EINVALID);
	for (size_t i = 0; i < MLB_ARRAY_LEN(link); i++)
		assert_int_equal(mlb_tree_check_link(link[i].text, strlen(link[i].text),
						     link[i].depth, NULL),
				 link[i].ok ? 0 : MLB_EINVALID);
	memset(huge, 'a', MLB_TREE_LINK_MAX + 1);
	assert_ok(mlb_tree_check_link(huge, MLB_TREE_LINK_MAX, 0, &err));
	assert_err(mlb_tree_check_link(huge, MLB_TREE_LINK_MAX + 1, 0, &err), MLB_EINVALID,
		   "too long");
	assert_err(mlb_tree_check_name(huge, MLB_TREE_NAME_MAX + 1, &err), MLB_EINVALID,
		   "too long");
	free(huge);
}

/* ------------------------------------------------------------ on disk */

static int
add_line(void *ctx, const char *path, const struct mlb_tree_entry *e,
	 struct mlb_err *err MLB_UNUSED)
{
	mlb_buf_addf(ctx, "%c %s\n", e->kind, path);
	return 0;
}

static void
assert_lists(struct store *s, const struct mlb_digest *tree, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(1 << 20);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_tree_each(s->cas, tree, add_line, &got, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

static void
make_sample(const char *dir)
{
	char *here = mlb_asprintf("%s", dir);

	assert_int_equal(mkdir(here, 0777), 0);
	assert_int_equal(chdir(here), 0);
	free(here);
	mkdir("a", 0777);
	mkdir("a/none", 0777);
	mkdir("z", 0777);
	put_file("a/file", "one");
	put_file("a/run", "#!/bin/sh\n");
	chmod("a/run", 0755);
	put_file("a-b", "two");
	put_file("a.c", "");
	put_file("new\nline \xff", "odd");
	assert_int_equal(symlink("../a/file", "z/link"), 0);
	assert_int_equal(symlink("a", "to-a"), 0);
	assert_int_equal(chdir(".."), 0);
}

static void
test_store(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_tree_seen seen = { 0 };
	struct mlb_digest one, two, three;
	uint64_t size;
	size_t n = 0;
	struct store s;

	open_store(&s, state);
	make_sample("one");
	assert_ok(mlb_tree_store(&one, &size, "one", s.cas, &err));
	assert_int_equal(size, 3 + 10 + 3 + 3);
	assert_lists(
		&s, &one,
		"f a-b\nf a.c\nf a/file\nd a/none\nx a/run\nf new\nline \xff\nl to-a\nl z/link\n");
	assert_ok(mlb_tree_objects(s.cas, &one, &seen, count_objects, &n, &err));
	mlb_tree_seen_release(&seen);
	assert_int_equal(n, 4 + 8 - 1); /* four directories; all but the empty one of the eight */
	assert_ok(mlb_tree_store(&two, &size, "one", NULL, &err));
	assert_true(mlb_digest_equal(&one, &two));

	assert_ok(mlb_tree_checkout(s.cas, &one, "copies/two", MLB_LINK_COPY, &err));
	assert_ok(mlb_tree_store(&three, NULL, "copies/two", NULL, &err));
	assert_true(mlb_digest_equal(&one, &three));
	assert_file("copies/two/z/link", "one");
	close_store(&s);
}

static ino_t
inode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

/* Only what differs is written; files, directories and links change places. */
static void
test_checkout_difference(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest want, got;
	ino_t kept, changed;
	struct store s;

	open_store(&s, state);
	make_sample("one");
	assert_ok(mlb_tree_store(&want, NULL, "one", s.cas, &err));
	assert_ok(mlb_tree_checkout(s.cas, &want, "two", MLB_LINK_COPY, &err));
	kept = inode("two/a/run");
	changed = inode("two/a/file");
	chmod("two/a/file", 0644);
	put_file("two/a/file", "1ne"); /* same size */
	remove("two/a-b");
	mkdir("two/a-b", 0777);
	put_file("two/a-b/x", "in the way");
	remove("two/a/none");
	put_file("two/a/none", "a file");
	remove("two/z/link");
	put_file("two/z/link", "not a link");
	mkdir("two/extra", 0777);
	put_file("two/extra/file", "away");
	remove("two/to-a");
	assert_int_equal(symlink("z", "two/to-a"), 0);
	assert_ok(mlb_tree_checkout(s.cas, &want, "two", MLB_LINK_COPY, &err));
	assert_ok(mlb_tree_store(&got, NULL, "two", NULL, &err));
	assert_true(mlb_digest_equal(&want, &got));
	assert_int_equal(inode("two/a/run"), kept);
	assert_int_not_equal(inode("two/a/file"), changed);
	assert_false(mlb_fs_exists("two/extra"));
	close_store(&s);
}

/* A link in the place of a directory is never written through. */
static void
test_checkout_through_link(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest want;
	struct store s;

	open_store(&s, state);
	make_sample("one");
	assert_ok(mlb_tree_store(&want, NULL, "one", s.cas, &err));
	mkdir("outside", 0777);
	mkdir("two", 0777);
	assert_int_equal(symlink("../outside", "two/a"), 0);
	assert_ok(mlb_tree_checkout(s.cas, &want, "two", MLB_LINK_COPY, &err));
	assert_false(mlb_fs_exists("outside/file"));
	assert_file("two/a/file", "one");
	close_store(&s);
}

/* A tree from elsewhere with a link that leaves. */
static void
test_checkout_refuses_link(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char name[] = "link";
	struct mlb_tree_entry e;
	struct mlb_digest digest;
	struct store s;

	open_store(&s, state);
	set_entry(&e, name, MLB_T_LINK, "../../etc");
	assert_ok(mlb_cas_put(s.cas, &digest, "../../etc", 9, &err));
	assert_ok(mlb_tree_node(&digest, NULL, &e, 1, s.cas, &err));
	assert_err(mlb_tree_checkout(s.cas, &digest, "two", MLB_LINK_COPY, &err), MLB_ECORRUPT,
		   "leaves");
	assert_false(mlb_fs_exists("two/link"));
	close_store(&s);
}

static void
test_refused_on_disk(void **state MLB_UNUSED)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "d/s/sock" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest digest;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	mkdir("d", 0777);
	mkdir("d/s", 0777);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_err(mlb_tree_store(&digest, NULL, "d", NULL, &err), MLB_EINVALID,
		   "s/sock' is a socket");
	unlink("d/s/sock");
	assert_int_equal(mkfifo("d/pipe", 0666), 0);
	assert_err(mlb_tree_store(&digest, NULL, "d", NULL, &err), MLB_EINVALID, "pipe'");
	unlink("d/pipe");
	assert_int_equal(symlink("../../up", "d/s/up"), 0);
	assert_err(mlb_tree_store(&digest, NULL, "d", NULL, &err), MLB_EINVALID, "s/up'");
	unlink("d/s/up");
	assert_int_equal(symlink("/tmp", "d/abs"), 0);
	assert_err(mlb_tree_store(&digest, NULL, "d", NULL, &err), MLB_EINVALID, "absolute");
	unlink("d/abs");
	mkdir("d/.Git", 0777);
	assert_err(mlb_tree_store(&digest, NULL, "d", NULL, &err), MLB_EINVALID, ".Git'");
	rmdir("d/.Git");
	assert_ok(mlb_tree_store(&digest, NULL, "d", NULL, &err));
	assert_err(mlb_tree_store(&digest, NULL, "absent", NULL, &err), MLB_ESYSTEM, "absent");
}

/* Deeper than a path may be long: walked, hashed and read without recursion. */
static void
test_deep(void **state)
{
	enum { DEPTH = 3000 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(1 << 20);
	struct mlb_digest digest;
	struct store s;

	open_store(&s, state);
	mkdir("deep", 0777);
	assert_int_equal(chdir("deep"), 0);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdir("dd", 0777), 0);
		assert_int_equal(chdir("dd"), 0);
	}
	put_file("file", "down here");
	assert_int_equal(symlink("../dd", "link"), 0);
	assert_int_equal(chdir(*state), 0);
	assert_ok(mlb_tree_store(&digest, NULL, "deep", s.cas, &err));
	assert_ok(mlb_tree_each(s.cas, &digest, add_line, &got, &err));
	assert_int_equal(got.len, (size_t)2 * (DEPTH * 3 + 3) + strlen("filelink"));
	mlb_buf_release(&got);
	close_store(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_kinds),
		scratch_test(test_read_back),
		scratch_test(test_one_change),
		scratch_test(test_one_encoding),
		scratch_test(test_hostile),
		scratch_test(test_misfits),
		cmocka_unit_test(test_names_and_links),
		scratch_test(test_store),
		scratch_test(test_checkout_difference),
		scratch_test(test_checkout_through_link),
		scratch_test(test_checkout_refuses_link),
		scratch_test(test_refused_on_disk),
		scratch_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
