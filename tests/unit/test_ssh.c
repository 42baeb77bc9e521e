/*
 * The ssh backend against servers that are odd, or lie (tests/remotes/sftp_odd.py). A real
 * one is in tests/remotes/ssh.t.
 */
#include "unit.h"

#include <unistd.h>

#include "os/clock.h"
#include "os/fs.h"
#include "remotes/backends.h"

#define MINUTE UINT64_C(60000000000)

/* What is tested: a remote whose ssh is the script, on the directory root/ of the scratch. */
struct bench {
	struct mlb_remote_config config;
	struct mlb_remote *r;
	struct mlb_remote_op op;
	char *command;
	bool done;
	struct mlb_buf got; /* bytes of a GET, names of a LIST with a line each */
	size_t stop_after;  /* entries; 0: none */
	size_t entries;
};

static const char *
key(const struct mlb_remote_config *c, const char *name)
{
	const struct bench *b = c->ctx;

	return strcmp(name, "ssh") ? NULL : b->command;
}

static const char *
no_env(const struct mlb_remote_config *c, const char *name)
{
	(void)c;
	(void)name;
	return NULL;
}

static int
sink(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct bench *b = op->ctx;

	mlb_buf_add(&b->got, data, len);
	return mlb_buf_check(&b->got, "GET", err);
}

static int
entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct bench *b = op->ctx;

	if (b->stop_after && ++b->entries >= b->stop_after)
		return mlb_err_set(err, MLB_ETOOBIG, "enough");
	mlb_buf_addf(&b->got, "%s %llu\n", e->name, (unsigned long long)e->size);
	return MLB_OK;
}

static void
done(struct mlb_remote_op *op)
{
	struct bench *b = op->ctx;

	b->done = true;
}

/* Takes the command. */
static void
begin_with(struct bench *b, char *command)
{
	struct mlb_err err = MLB_ERR_INIT;
	char cwd[4000];

	*b = (struct bench){ .got = MLB_BUF_INIT(64 * MLB_MIB), .command = command };
	b->config.name = "team";
	b->config.url = mlb_asprintf("host:%s/root", getcwd(cwd, sizeof(cwd)));
	b->config.get = key;
	b->config.env = no_env;
	b->config.ctx = b;
	assert_ok(mlb_fs_mkdirs("root", &err));
	assert_ok(mlb_remote_ssh.open(&b->r, &b->config, &err));
}

static void
begin(struct bench *b, const char *options)
{
	const char *src = getenv("MLBUILD_SRC");

	assert_non_null(src);
	begin_with(b, mlb_asprintf("python3 -S '%s/tests/remotes/sftp_odd.py' --started=started %s",
				   src, options));
}

static void
end(struct bench *b)
{
	mlb_remote_ssh.close(b->r);
	mlb_err_release(&b->op.err);
	mlb_buf_release(&b->got);
	free(b->command);
	free((void *)(uintptr_t)b->config.url);
}

/* Starts an operation, of which the rest is filled in, and waits for its end. */
static int
run(struct bench *b, const struct mlb_remote_op *op)
{
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t deadline = mlb_clock_mono() + MINUTE;

	mlb_err_release(&b->op.err);
	mlb_buf_clear(&b->got);
	b->op = *op;
	b->op.done = done;
	b->op.sink = sink;
	b->op.entry = entry;
	b->op.ctx = b;
	b->done = false;
	mlb_remote_ssh.start(b->r, &b->op);
	while (!b->done && mlb_clock_mono() < deadline)
		assert_ok(mlb_remote_ssh.wait(b->r, 1000, &err));
	assert_true(b->done);
	assert_int_equal(b->op.rc == 0, b->op.fault == MLB_FAULT_NONE);
	return b->op.rc;
}

static int
put(struct bench *b, const char *name, const void *data, size_t size, bool if_absent)
{
	return run(b, &(struct mlb_remote_op){ .verb = MLB_REMOTE_PUT,
					       .name = name,
					       .data = data,
					       .size = size,
					       .if_absent = if_absent });
}

static int
get(struct bench *b, const char *name, uint64_t offset, uint64_t len)
{
	return run(b, &(struct mlb_remote_op){
			      .verb = MLB_REMOTE_GET, .name = name, .offset = offset, .len = len });
}

static int
list(struct bench *b, const char *dir)
{
	return run(b, &(struct mlb_remote_op){ .verb = MLB_REMOTE_LIST, .name = dir });
}

static void
expect(struct bench *b, int rc, int code, enum mlb_remote_fault fault, const char *words)
{
	if (rc != code || b->op.fault != fault || !b->op.err.text || !strstr(b->op.err.text, words))
		print_error("rc %d, fault %d, '%s'; wanted '%s'\n", rc, b->op.fault,
			    b->op.err.text ? b->op.err.text : "", words);
	assert_int_equal(rc, code);
	assert_int_equal(b->op.fault, fault);
	assert_non_null(strstr(b->op.err.text, words));
	mlb_err_release(&b->op.err);
}

static size_t
starts(void)
{
	struct mlb_buf text = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;
	size_t n;

	assert_ok(mlb_fs_read(&text, "started", &err));
	n = text.len / strlen("start\n");
	mlb_buf_release(&text);
	return n;
}

static void
put_bytes(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

/* Bytes that are not the same anywhere else. */
static char *
noise(size_t size)
{
	char *p = mlb_alloc(size);
	uint32_t x = 12345;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)(x >> 24);
	}
	return p;
}

/* ------------------------------------------------------------- odd, but honest */

static void
round_trip(const char *options)
{
	const size_t size = 700001;
	const char *const gone[] = { "dir/sub/big", "dir/none", "dir/small" };
	char *data = noise(size);
	struct bench b;

	begin(&b, options);
	assert_int_equal(list(&b, "dir"), 0);
	assert_int_equal(b.got.len, 0);
	assert_int_equal(put(&b, "dir/sub/big", data, size, false), 0);
	assert_int_equal(b.op.moved, size);
	assert_true(b.op.mtime > 1000000000);
	assert_int_equal(put(&b, "dir/sub/big", "short", 5, true), MLB_EEXISTS);
	assert_int_equal(b.op.fault, MLB_FAULT_EXISTS);
	assert_int_equal(put(&b, "dir/small", "one", 3, true), 0);
	assert_int_equal(put(&b, "dir/small", "three", 5, false), 0);
	assert_int_equal(put(&b, "dir/empty", NULL, 0, false), 0);
	assert_int_equal(get(&b, "dir/sub/big", 0, MLB_REMOTE_TO_END), 0);
	assert_int_equal(b.got.len, size);
	assert_memory_equal(b.got.data, data, size);
	assert_int_equal(get(&b, "dir/sub/big", 65530, 100000), 0);
	assert_int_equal(b.got.len, 100000);
	assert_memory_equal(b.got.data, data + 65530, 100000);
	assert_int_equal(get(&b, "dir/sub/big", size - 1, 100), 0);
	assert_int_equal(b.got.len, 1);
	assert_int_equal(get(&b, "dir/small", 0, MLB_REMOTE_TO_END), 0);
	assert_string_equal(mlb_buf_str(&b.got), "three");
	assert_int_equal(get(&b, "dir/empty", 0, MLB_REMOTE_TO_END), 0);
	assert_int_equal(b.got.len, 0);
	expect(&b, get(&b, "dir/none", 0, MLB_REMOTE_TO_END), MLB_ENOTFOUND, MLB_FAULT_ABSENT,
	       "has no 'dir/none'");
	expect(&b, get(&b, "dir/sub", 0, MLB_REMOTE_TO_END), MLB_ENOTFOUND, MLB_FAULT_ABSENT,
	       "not a file");
	assert_int_equal(run(&b, &(struct mlb_remote_op){ .verb = MLB_REMOTE_DELETE,
							  .names = gone,
							  .n_names = 3 }),
			 0);
	assert_int_equal(access("root/dir/sub/big", F_OK), -1);
	assert_int_equal(list(&b, "dir"), 0);
	assert_non_null(strstr(mlb_buf_str(&b.got), "empty"));
	assert_null(strstr(mlb_buf_str(&b.got), "sub"));
	/* Nothing half written is left, and one connection did it all. */
	assert_int_equal(rmdir("root/.tmp"), 0);
	assert_int_equal(starts(), 1);
	end(&b);
	free(data);
}

static void
answers_in_another_order(void **state)
{
	(void)state;
	round_trip("--shuffle --short=3000 --ext=posix-rename,hardlink,fsync,statvfs,limits");
}

static void
no_extensions(void **state)
{
	(void)state;
	round_trip("");
}

static void
no_sizes(void **state)
{
	const size_t size = 100000;
	char *data = noise(size);
	struct bench b;

	(void)state;
	begin(&b, "--no-size --short=30000");
	put_bytes("root/x", data, size);
	assert_int_equal(get(&b, "x", 0, MLB_REMOTE_TO_END), 0);
	assert_int_equal(b.got.len, size);
	assert_memory_equal(b.got.data, data, size);
	assert_int_equal(get(&b, "x", 99990, 5), 0);
	assert_int_equal(b.got.len, 5);
	end(&b);
	free(data);
}

static void
no_links(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, "--ext=hardlink,posix-rename --lie=no-links");
	assert_int_equal(put(&b, "x", "one", 3, true), 0);
	assert_int_equal(put(&b, "x", "two", 3, true), MLB_EEXISTS);
	assert_int_equal(get(&b, "x", 0, MLB_REMOTE_TO_END), 0);
	assert_string_equal(mlb_buf_str(&b.got), "one");
	end(&b);
}

static void
names_that_are_not_ours(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, "");
	put_bytes("root/read me", "x", 1);
	put_bytes("root/.hidden", "x", 1);
	put_bytes("root/b\xc3\xa4r", "x", 1);
	put_bytes("root/ours-1", "xy", 2);
	assert_int_equal(list(&b, ""), 0);
	assert_string_equal(mlb_buf_str(&b.got), "ours-1 2\n");
	end(&b);
}

static void
root_is_not_there(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, "");
	assert_int_equal(rmdir("root"), 0);
	expect(&b, list(&b, ""), MLB_EREMOTE, MLB_FAULT_PLACE, "there is no directory");
	expect(&b, put(&b, "x", "y", 1, false), MLB_EREMOTE, MLB_FAULT_PLACE, "mkdir -p");
	assert_int_equal(access("root", F_OK), -1);
	assert_int_equal(starts(), 1);
	end(&b);
}

static void
disk_is_full(void **state)
{
	char *data = noise(500000);
	struct bench b;

	(void)state;
	begin(&b, "--ext=statvfs --lie=full");
	expect(&b, put(&b, "x", data, 500000, false), MLB_EREMOTE, MLB_FAULT_FULL, "no space");
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_ENOTFOUND, MLB_FAULT_ABSENT,
	       "has no 'x'");
	assert_int_equal(rmdir("root/.tmp"), 0);
	end(&b);
	begin(&b, "--ext=statvfs --lie=no-write");
	expect(&b, put(&b, "x", data, 500000, true), MLB_EREMOTE, MLB_FAULT_OTHER, "quota");
	end(&b);
	free(data);
}

static void
abandoned_names_go(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, "");
	assert_int_equal(put(&b, "x", "y", 1, false), 0);
	end(&b);
	put_bytes("root/.tmp/host-1-old", "y", 1);
	put_bytes("root/.tmp/host-1-new", "y", 1);
	assert_int_equal(system("touch -d '2 days ago' root/.tmp/host-1-old"), 0);
	begin(&b, "");
	assert_int_equal(put(&b, "x", "y", 1, false), 0);
	for (int i = 0; i < 1000 && access("root/.tmp/host-1-old", F_OK) == 0; i++)
		assert_int_equal(list(&b, ""), 0);
	assert_int_equal(access("root/.tmp/host-1-old", F_OK), -1);
	assert_int_equal(access("root/.tmp/host-1-new", F_OK), 0);
	end(&b);
}

/* ------------------------------------------------------------- lies */

/* It is refused with a clear text, and whoever lies is not asked again. */
static void
liar(const char *options, const char *words)
{
	struct bench b;

	begin(&b, options);
	put_bytes("root/x", "0123456789", 10);
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_OTHER, words);
	end(&b);
}

static void
lies_of_the_protocol(void **state)
{
	struct bench b;

	(void)state;
	liar("--lie=wrong-id", "nobody asked");
	liar("--lie=wrong-id@2", "nobody asked");
	liar("--lie=twice@2", "nobody asked");
	liar("--lie=huge", "an impossible length");
	liar("--lie=huge@3", "an impossible length");
	liar("--lie=empty@2", "an impossible length");
	liar("--lie=request@2", "no answer");
	liar("--lie=version-2", "another version");
	liar("--lie=version-9", "another version");
	liar("--lie=banner", "'Welcome to the machine");
	liar("--lie=long-handle", "a handle that is none");
	begin(&b, "--lie=huge");
	expect(&b, list(&b, ""), MLB_EREMOTE, MLB_FAULT_OTHER, "impossible length");
	unlink("started");
	expect(&b, list(&b, ""), MLB_EREMOTE, MLB_FAULT_OTHER, "impossible length");
	assert_int_equal(access("started", F_OK), -1);
	end(&b);
}

static void
lies_about_a_file(void **state)
{
	struct bench b;

	(void)state;
	liar("--lie=too-much", "other bytes than were asked for");
	liar("--lie=nothing", "other bytes than were asked for");
	liar("--lie=handle-for-data", "does not fit the question");
	liar("--lie=ok-for-data", "does not fit the question");
	liar("--lie=cut@2", "a handle that is none");
	liar("--lie=cut@3", "attributes that are none");
	liar("--lie=cut@4", "other bytes than were asked for");
	begin(&b, "--lie=eof");
	put_bytes("root/x", "0123456789", 10);
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_TRANSIENT, "shorter");
	end(&b);
}

static void
lies_about_names(void **state)
{
	static const char *const lie[] = { "--lie=name=slash", "--lie=name=up", "--lie=name=nul",
					   "--lie=many-names" };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(lie); i++) {
		begin(&b, lie[i]);
		put_bytes("root/x", "0123456789", 10);
		expect(&b, list(&b, ""), MLB_EREMOTE, MLB_FAULT_OTHER,
		       i < 3 ? "a name with '/' or a NUL" : "a listing that is cut off");
		end(&b);
	}
	begin(&b, "--lie=endless@4");
	put_bytes("root/x", "0123456789", 10);
	b.stop_after = 5000;
	expect(&b, list(&b, ""), MLB_ETOOBIG, MLB_FAULT_OTHER, "enough");
	end(&b);
}

/* Bytes that cannot be given on are bounded, however large the file is said to be. */
static void
first_bytes_never_come(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(100);
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t deadline = mlb_clock_mono() + MINUTE;
	struct bench b;

	(void)state;
	begin(&b, "--lie=starve --asked=asked --ext=limits");
	put_bytes("root/x", "0123456789", 10);
	b.op = (struct mlb_remote_op){ .verb = MLB_REMOTE_GET,
				       .name = "x",
				       .len = MLB_REMOTE_TO_END,
				       .done = done,
				       .sink = sink,
				       .ctx = &b };
	mlb_remote_ssh.start(b.r, &b.op);
	while (!b.op.total && mlb_clock_mono() < deadline)
		assert_ok(mlb_remote_ssh.wait(b.r, 20, &err));
	/* As long as it asks for more. */
	for (int i = 0; i < 20; i++)
		assert_ok(mlb_remote_ssh.wait(b.r, 20, &err));
	assert_false(b.done);
	mlb_remote_ssh.cancel(b.r, &b.op);
	assert_true(b.done);
	assert_int_equal(b.op.rc, MLB_EINTERRUPTED);
	assert_int_equal(b.op.fault, MLB_FAULT_CANCELLED);
	assert_int_equal(b.op.total, UINT64_C(1) << 40);
	end(&b);
	assert_ok(mlb_fs_read(&text, "asked", &err));
	assert_in_range(strtoull(mlb_buf_str(&text), NULL, 10), 1, 5 * MLB_MIB);
	mlb_buf_release(&text);
}

/* ------------------------------------------------------------- ends */

static void
death_is_transient(void **state)
{
	struct bench b;
	char *data;

	(void)state;
	begin(&b, "--lie=die@3");
	put_bytes("root/x", "0123456789", 10);
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_TRANSIENT, "lost");
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_TRANSIENT, "lost");
	assert_int_equal(starts(), 2);
	end(&b);
	/* In the middle of a PUT: nobody sees the half of it. */
	begin(&b, "--lie=die@6");
	data = noise(500000);
	expect(&b, put(&b, "half", data, 500000, false), MLB_EREMOTE, MLB_FAULT_TRANSIENT, "lost");
	assert_int_equal(access("root/half", F_OK), -1);
	end(&b);
	free(data);
	/* Before the greeting too, where ssh itself ends with 255. */
	begin_with(&b, mlb_strdup("exit 255; :"));
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_TRANSIENT,
	       "cannot reach 'host'");
	end(&b);
}

static void
cancel_and_wake(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct bench b;

	(void)state;
	begin(&b, "--lie=silent");
	mlb_remote_ssh.wake(b.r);
	assert_ok(mlb_remote_ssh.wait(b.r, -1, &err)); /* comes back at once */
	b.op = (struct mlb_remote_op){
		.verb = MLB_REMOTE_PUT, .name = "x", .data = "y", .size = 1, .done = done, .ctx = &b
	};
	mlb_remote_ssh.start(b.r, &b.op);
	assert_ok(mlb_remote_ssh.wait(b.r, 20, &err));
	assert_false(b.done);
	mlb_remote_ssh.cancel(b.r, &b.op);
	assert_true(b.done);
	assert_int_equal(b.op.fault, MLB_FAULT_CANCELLED);
	end(&b);
	/* One that never began. */
	begin(&b, "");
	b.op = (struct mlb_remote_op){
		.verb = MLB_REMOTE_STAT, .name = "x", .done = done, .ctx = &b
	};
	mlb_remote_ssh.start(b.r, &b.op);
	mlb_remote_ssh.cancel(b.r, &b.op);
	assert_int_equal(b.op.fault, MLB_FAULT_CANCELLED);
	end(&b);
}

/* ------------------------------------------------------------- ssh's words */

static void
said(const char *words, enum mlb_remote_fault fault, const char *told)
{
	struct bench b;

	put_bytes("words", words, strlen(words));
	begin_with(&b, mlb_strdup("cat words >&2; exit 255; :"));
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, fault, told);
	end(&b);
}

static void
words_of_ssh(void **state)
{
	struct bench b;

	(void)state;
	said("Banner of the day.\nanna@host: Permission denied (publickey).\r\n", MLB_FAULT_DENIED,
	     "anna@host: Permission denied (publickey); '");
	said("No ED25519 host key is known for host and you have requested strict checking.\n"
	     "Host key verification failed.\n",
	     MLB_FAULT_TRUST, "No ED25519 host key is known for host");
	said("@@@@@@@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\n@@@@@@\n"
	     "Host key verification failed.\n",
	     MLB_FAULT_TRUST, "'ssh-keygen -R' forgets the old key");
	said("ssh: Could not resolve hostname host: Name or service not known\n", MLB_FAULT_PLACE,
	     "correct the host");
	said("ssh: Could not resolve hostname host: Temporary failure in name resolution\n",
	     MLB_FAULT_TRANSIENT, "Temporary failure");
	said("ssh: connect to host host port 22: Connection refused\n", MLB_FAULT_TRANSIENT,
	     "Connection refused");
	said("subsystem request failed on channel 0\n", MLB_FAULT_OTHER, "internal-sftp");
	said("something\x1b[31m else\n", MLB_FAULT_TRANSIENT, "something?[31m else");
	begin_with(&b, mlb_strdup("exit 3; :"));
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_OTHER,
	       "exit code 3 and said nothing");
	end(&b);
	begin_with(&b, mlb_strdup("no-such-ssh-program"));
	expect(&b, get(&b, "x", 0, MLB_REMOTE_TO_END), MLB_EREMOTE, MLB_FAULT_OTHER, "not found");
	end(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(answers_in_another_order),
		scratch_test(no_extensions),
		scratch_test(no_sizes),
		scratch_test(no_links),
		scratch_test(names_that_are_not_ours),
		scratch_test(root_is_not_there),
		scratch_test(disk_is_full),
		scratch_test(abandoned_names_go),
		scratch_test(lies_of_the_protocol),
		scratch_test(lies_about_a_file),
		scratch_test(lies_about_names),
		scratch_test(first_bytes_never_come),
		scratch_test(death_is_transient),
		scratch_test(cancel_and_wake),
		scratch_test(words_of_ssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
