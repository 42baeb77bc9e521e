/*
 * draft-ietf-secsh-filexfer-02 ("version 3"), and OpenSSH's PROTOCOL file, section 4,
 * for what ends in @openssh.com.
 *
 * Numbers are unsigned and big-endian. A string is its length (u32) and so many bytes.
 *
 *	u32 length        of all that follows
 *	u8  type          enum mlb_sftp_type
 *	u32 id            chosen by whoever asks, repeated in the answer;
 *	                  INIT and VERSION have the version here
 *	…                 by type:
 *
 *	request           what follows the id                    answer
 *	INIT              -                                      VERSION
 *	OPEN              string path, u32 how, ATTRS            HANDLE
 *	CLOSE             string handle                          STATUS
 *	READ              string handle, u64 offset, u32 length  DATA, at the end STATUS EOF
 *	WRITE             string handle, u64 offset, string      STATUS
 *	FSTAT             string handle                          ATTRS
 *	OPENDIR           string path                            HANDLE
 *	READDIR           string handle                          NAME, at the end STATUS EOF
 *	REMOVE            string path                            STATUS
 *	MKDIR             string path, ATTRS                     STATUS
 *	STAT              string path                            ATTRS
 *	RENAME            string from, string to                 STATUS; fails if `to` exists
 *	EXTENDED          string name, then
 *	  posix-rename    string from, string to                 STATUS; replaces `to`
 *	  hardlink        string from, string to                 STATUS; fails if `to` exists
 *	  fsync           string handle                          STATUS
 *	  statvfs         string path                            REPLY
 *	  limits          -                                      REPLY
 *
 *	answer            what follows the id (any of them may be STATUS, where it failed)
 *	VERSION           pairs of string name, string data: extensions of the server
 *	STATUS            u32 code, string words, string language; the strings may lack
 *	HANDLE            string, at most 256 bytes
 *	DATA              string; less than asked for is no sign of the end
 *	NAME              u32 count, so often: string name, string line of `ls -l`, ATTRS
 *	ATTRS             u32 flags, then what they name, in this order:
 *	                  0x1 u64 size; 0x2 u32 uid, u32 gid; 0x4 u32 mode;
 *	                  0x8 u32 atime, u32 mtime;
 *	                  0x80000000 u32 count, so often: string type, string data
 *	REPLY of limits   u64 packet, u64 read, u64 write, u64 handles
 *	REPLY of statvfs  u64 each: bsize, frsize, blocks, bfree, bavail, files, ffree,
 *	                  favail, fsid, flag, namemax
 */
#include "remotes/sftp_packet.h"

#include <string.h>
#include <sys/stat.h>

#define ATTR_SIZE 0x1U
#define ATTR_OWNER 0x2U
#define ATTR_MODE 0x4U
#define ATTR_TIMES 0x8U
#define ATTR_EXTENDED 0x80000000U

/* ------------------------------------------------------------- writing */

static void
add_u32(struct mlb_buf *b, uint32_t n)
{
	const uint8_t raw[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				 (uint8_t)n };

	mlb_buf_add(b, raw, sizeof(raw));
}

static void
add_u64(struct mlb_buf *b, uint64_t n)
{
	add_u32(b, (uint32_t)(n >> 32));
	add_u32(b, (uint32_t)n);
}

static void
add_string(struct mlb_buf *b, struct mlb_sftp_bytes s)
{
	add_u32(b, (uint32_t)s.len);
	mlb_buf_add(b, s.at, s.len);
}

static struct mlb_sftp_bytes
text(const char *s)
{
	return (struct mlb_sftp_bytes){ s, strlen(s) };
}

/* The head of a packet with so many bytes behind its id. */
static void
add_head(struct mlb_buf *b, enum mlb_sftp_type type, uint32_t id, size_t body)
{
	add_u32(b, (uint32_t)(body + 5));
	mlb_buf_addc(b, (char)type);
	add_u32(b, id);
}

void
mlb_sftp_add_init(struct mlb_buf *b)
{
	add_head(b, MLB_SFTP_INIT, MLB_SFTP_VERSION, 0);
}

void
mlb_sftp_add_open(struct mlb_buf *b, uint32_t id, const char *path, uint32_t how)
{
	add_head(b, MLB_SFTP_OPEN, id, 4 + strlen(path) + 8);
	add_string(b, text(path));
	add_u32(b, how);
	add_u32(b, 0); /* no attributes: as the server's umask has it */
}

void
mlb_sftp_add_path(struct mlb_buf *b, enum mlb_sftp_type type, uint32_t id, const char *path)
{
	mlb_sftp_add_handle(b, type, id, text(path)); /* both are one string */
}

void
mlb_sftp_add_mkdir(struct mlb_buf *b, uint32_t id, const char *path)
{
	add_head(b, MLB_SFTP_MKDIR, id, 4 + strlen(path) + 4);
	add_string(b, text(path));
	add_u32(b, 0);
}

void
mlb_sftp_add_rename(struct mlb_buf *b, uint32_t id, const char *from, const char *to)
{
	add_head(b, MLB_SFTP_RENAME, id, 8 + strlen(from) + strlen(to));
	add_string(b, text(from));
	add_string(b, text(to));
}

void
mlb_sftp_add_handle(struct mlb_buf *b, enum mlb_sftp_type type, uint32_t id,
		    struct mlb_sftp_bytes handle)
{
	add_head(b, type, id, 4 + handle.len);
	add_string(b, handle);
}

void
mlb_sftp_add_read(struct mlb_buf *b, uint32_t id, struct mlb_sftp_bytes handle, uint64_t offset,
		  uint32_t len)
{
	add_head(b, MLB_SFTP_READ, id, 4 + handle.len + 12);
	add_string(b, handle);
	add_u64(b, offset);
	add_u32(b, len);
}

void
mlb_sftp_add_write(struct mlb_buf *b, uint32_t id, struct mlb_sftp_bytes handle, uint64_t offset,
		   struct mlb_sftp_bytes data)
{
	add_head(b, MLB_SFTP_WRITE, id, 4 + handle.len + 12 + data.len);
	add_string(b, handle);
	add_u64(b, offset);
	add_string(b, data);
}

void
mlb_sftp_add_extended(struct mlb_buf *b, uint32_t id, const char *extension,
		      struct mlb_sftp_bytes first, const char *second)
{
	size_t body = 4 + strlen(extension);

	if (first.at)
		body += 4 + first.len;
	if (second)
		body += 4 + strlen(second);
	add_head(b, MLB_SFTP_EXTENDED, id, body);
	add_string(b, text(extension));
	if (first.at)
		add_string(b, first);
	if (second)
		add_string(b, text(second));
}

/* ------------------------------------------------------------- reading */

/* What is left of a body. Once something lacked, everything more is 0, and bad is set. */
struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static const uint8_t *
get_raw(struct reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->bad || (size_t)(r->end - at) < len) {
		r->bad = true;
		return NULL;
	}
	r->at += len;
	return at;
}

static uint32_t
get_u32(struct reader *r)
{
	const uint8_t *p = get_raw(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static uint64_t
get_u64(struct reader *r)
{
	uint64_t high = get_u32(r);

	return high << 32 | get_u32(r);
}

static struct mlb_sftp_bytes
get_string(struct reader *r)
{
	struct mlb_sftp_bytes s = { NULL, get_u32(r) };

	s.at = get_raw(r, s.len);
	if (!s.at)
		s.len = 0;
	return s;
}

static struct reader
body_of(const struct mlb_sftp_packet *p, bool right_type)
{
	return (struct reader){ p->body, p->body + p->len, !right_type };
}

int64_t
mlb_sftp_take(struct mlb_sftp_packet *out, const uint8_t *data, size_t len)
{
	struct reader r = { data, data + len, false };
	uint32_t size = get_u32(&r);

	if (r.bad)
		return 0;
	if (size < 5 || size > MLB_SFTP_PACKET_MAX)
		return -1;
	if (len - 4 < size)
		return 0;
	out->type = *get_raw(&r, 1);
	out->id = 0;
	if (out->type != MLB_SFTP_IS_VERSION)
		out->id = get_u32(&r);
	out->body = r.at;
	out->len = (size_t)(data + 4 + size - r.at);
	return 4 + (int64_t)size;
}

bool
mlb_sftp_get_version(uint32_t *version, struct mlb_sftp_extensions *ext,
		     const struct mlb_sftp_packet *p)
{
	const struct {
		const char *name;
		const char *data; /* its version */
		bool *there;
	} known[] = { { MLB_SFTP_EXT_POSIX_RENAME, "1", &ext->posix_rename },
		      { MLB_SFTP_EXT_HARDLINK, "1", &ext->hardlink },
		      { MLB_SFTP_EXT_FSYNC, "1", &ext->fsync },
		      { MLB_SFTP_EXT_STATVFS, "2", &ext->statvfs },
		      { MLB_SFTP_EXT_LIMITS, "1", &ext->limits } };
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_VERSION);

	*ext = (struct mlb_sftp_extensions){ 0 };
	*version = get_u32(&r);
	while (!r.bad && r.at < r.end) {
		struct mlb_sftp_bytes name = get_string(&r), data = get_string(&r);

		for (size_t i = 0; !r.bad && i < MLB_ARRAY_LEN(known); i++)
			if (name.len == strlen(known[i].name) &&
			    !memcmp(name.at, known[i].name, name.len) && data.len == 1 &&
			    !memcmp(data.at, known[i].data, 1))
				*known[i].there = true;
	}
	return !r.bad;
}

bool
mlb_sftp_get_status(struct mlb_sftp_status *out, const struct mlb_sftp_packet *p)
{
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_STATUS);

	out->code = get_u32(&r);
	out->words = (struct mlb_sftp_bytes){ NULL, 0 };
	if (!r.bad && r.at < r.end) {
		out->words = get_string(&r);
		if (r.at < r.end)
			get_string(&r);
	}
	return !r.bad;
}

bool
mlb_sftp_get_bytes(struct mlb_sftp_bytes *out, const struct mlb_sftp_packet *p)
{
	bool handle = p->type == MLB_SFTP_IS_HANDLE;
	struct reader r = body_of(p, handle || p->type == MLB_SFTP_IS_DATA);

	*out = get_string(&r);
	return !r.bad && r.at == r.end && (!handle || out->len <= MLB_SFTP_HANDLE_MAX);
}

static void
get_attrs(struct mlb_sftp_attrs *out, struct reader *r)
{
	uint32_t flags = get_u32(r);

	*out = (struct mlb_sftp_attrs){ .has_size = flags & ATTR_SIZE,
					.has_mode = flags & ATTR_MODE };
	if (flags & ATTR_SIZE)
		out->size = get_u64(r);
	if (flags & ATTR_OWNER)
		get_u64(r);
	if (flags & ATTR_MODE)
		out->mode = get_u32(r);
	if (flags & ATTR_TIMES) {
		get_u32(r);
		out->mtime = get_u32(r);
	}
	if (flags & ATTR_EXTENDED)
		for (uint32_t n = get_u32(r); n && !r->bad; n--) {
			get_string(r);
			get_string(r);
		}
	/* A number of a later version, whose length nobody here knows. */
	if (flags & ~(ATTR_SIZE | ATTR_OWNER | ATTR_MODE | ATTR_TIMES | ATTR_EXTENDED))
		r->bad = true;
}

bool
mlb_sftp_get_attrs(struct mlb_sftp_attrs *out, const struct mlb_sftp_packet *p)
{
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_ATTRS);

	get_attrs(out, &r);
	return !r.bad && r.at == r.end;
}

bool
mlb_sftp_is_file(const struct mlb_sftp_attrs *a)
{
	return !a->has_mode || !(a->mode & S_IFMT) || S_ISREG(a->mode);
}

bool
mlb_sftp_names_begin(struct mlb_sftp_names *n, const struct mlb_sftp_packet *p)
{
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_NAME);

	n->left = get_u32(&r);
	n->at = r.at;
	n->end = r.end;
	return !r.bad;
}

bool
mlb_sftp_names_next(struct mlb_sftp_name *out, struct mlb_sftp_names *n)
{
	struct reader r = { n->at, n->end, n->left == 0 };

	out->name = get_string(&r);
	get_string(&r);
	get_attrs(&out->attrs, &r);
	n->at = r.at;
	n->left--;
	return !r.bad && (n->left || r.at == r.end);
}

bool
mlb_sftp_get_limits(struct mlb_sftp_limits *out, const struct mlb_sftp_packet *p)
{
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_REPLY);

	out->packet = get_u64(&r);
	out->read = get_u64(&r);
	out->write = get_u64(&r);
	out->handles = get_u64(&r);
	return !r.bad;
}

bool
mlb_sftp_get_space(uint64_t *bytes, uint64_t *files, const struct mlb_sftp_packet *p)
{
	struct reader r = body_of(p, p->type == MLB_SFTP_IS_REPLY);
	uint64_t field[11];

	for (size_t i = 0; i < MLB_ARRAY_LEN(field); i++)
		field[i] = get_u64(&r);
	/* Free blocks, of the fragment size; where nothing counts files their number is 0. */
	if (__builtin_mul_overflow(field[4], field[1], bytes))
		*bytes = UINT64_MAX;
	*files = field[5] ? field[7] : UINT64_MAX;
	return !r.bad;
}
