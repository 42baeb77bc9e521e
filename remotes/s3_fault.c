/* What goes wrong with an S3 server, in words that tell what to do. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "remotes/s3_int.h"

enum { MAX_TEXT = 8192, MAX_MOVES = 3 };

void
s3_shown(struct mlb_buf *out, const struct s3 *s, const char *name)
{
	mlb_buf_addf(out, "%s://%s/%s%s", s->place.google ? "gs" : "s3", s->place.bucket,
		     s->place.prefix, name ? name : "");
}

static const char *
right_for(enum mlb_remote_verb verb, bool google)
{
	static const char *const aws[] = { [MLB_REMOTE_GET] = "s3:GetObject",
					   [MLB_REMOTE_PUT] = "s3:PutObject",
					   [MLB_REMOTE_STAT] = "s3:GetObject",
					   [MLB_REMOTE_LIST] = "s3:ListBucket",
					   [MLB_REMOTE_DELETE] = "s3:DeleteObject" };
	static const char *const goog[] = { [MLB_REMOTE_GET] = "storage.objects.get",
					    [MLB_REMOTE_PUT] = "storage.objects.create",
					    [MLB_REMOTE_STAT] = "storage.objects.get",
					    [MLB_REMOTE_LIST] = "storage.objects.list",
					    [MLB_REMOTE_DELETE] = "storage.objects.delete" };

	return google ? goog[verb] : aws[verb];
}

/* What the user should do about a code; NULL: what the server says must be enough. */
static char *
advice(const struct s3_op *o, enum mlb_remote_fault fault, const char *code)
{
	const struct s3 *s = o->s;
	const char *origin = mlb_aws_chain_origin(s->keys);

	if (fault == MLB_FAULT_ABSENT || fault == MLB_FAULT_EXISTS)
		return mlb_asprintf("remote '%s' has %s", s->config->name,
				    fault == MLB_FAULT_ABSENT ? "no such object"
							      : "this object already");
	if (strcmp(code, "AccessDenied") == 0)
		return mlb_asprintf("the key from %s is not accepted, or has no right to do this: "
				    "let it have %s",
				    origin, right_for(o->op->verb, s->place.google));
	if (strcmp(code, "InvalidAccessKeyId") == 0)
		return mlb_asprintf("this server does not know the key from %s: was it deleted, or "
				    "is it another server's?",
				    origin);
	if (strcmp(code, "SignatureDoesNotMatch") == 0)
		return mlb_asprintf("the secret key from %s does not belong to its access key: copy "
				    "both again",
				    origin);
	if (strcmp(code, "ExpiredToken") == 0 || strcmp(code, "TokenRefreshRequired") == 0)
		return mlb_asprintf("the session from %s has expired: sign in again", origin);
	if (strcmp(code, "InvalidToken") == 0)
		return mlb_asprintf("the session token from %s is not one of this server's",
				    origin);
	if (strcmp(code, "NoSuchBucket") == 0)
		return mlb_asprintf(
			"there is no bucket '%s' at '%s': make it, or correct the url of "
			"[remote %s]",
			s->place.bucket, s->place.host, s->config->name);
	if (strcmp(code, "InvalidObjectState") == 0)
		return mlb_strdup("the object is archived: restore it, and let no rule of the "
				  "bucket archive what mlbuild keeps there");
	return NULL;
}

static void
say(struct s3_op *o, enum mlb_remote_fault fault, const struct s3_error *e)
{
	const char *name = o->op->verb == MLB_REMOTE_DELETE ? "" : o->op->name;
	char *do_this = advice(o, fault, e->code);
	struct mlb_buf what = MLB_BUF_INIT(MAX_TEXT), said = MLB_BUF_INIT(MAX_TEXT);

	s3_shown(&what, o->s, name);
	if (!do_this && o->q.err.text)
		mlb_buf_adds(&said, o->q.err.text); /* with the server's own words */
	if (do_this)
		mlb_http_fail(&o->q, fault, "'%s': %s", mlb_buf_str(&what), do_this);
	else
		mlb_http_fail(&o->q, fault, "%s", mlb_buf_str(&said));
	mlb_buf_release(&said);
	mlb_buf_release(&what);
	free(do_this);
}

static void
say_clock(struct s3_op *o, const struct s3_error *e)
{
	const char *theirs = e->their_time ? e->their_time : mlb_http_answered(&o->q, "Date");

	mlb_http_fail(
		&o->q, MLB_FAULT_CLOCK,
		"the clock of this machine is wrong: it said %s when the server's said %s; set "
		"it, best by NTP",
		e->our_time ? s3_plain(e->our_time) : "another time",
		theirs ? s3_plain(theirs) : "otherwise");
}

/* --------------------------------------------------------------- regions */

static bool
is_redirect(const struct s3_op *o, const char *code)
{
	return o->q.status == 301 || o->q.status == 307 || strcmp(code, "PermanentRedirect") == 0 ||
	       strcmp(code, "TemporaryRedirect") == 0 ||
	       strcmp(code, "AuthorizationHeaderMalformed") == 0 ||
	       strcmp(code, "IllegalLocationConstraintException") == 0;
}

/* The server tells where the bucket is: go there, and remember it. */
static enum s3_verdict
move(struct s3_op *o, const struct s3_error *e)
{
	struct s3 *s = o->s;
	const char *region = mlb_http_answered(&o->q, "x-amz-bucket-region");

	if (!region)
		region = e->region;
	if (o->again < MAX_MOVES && o->moves != s->moves)
		return S3_AGAIN; /* another operation has found out meanwhile */
	if (region && o->again < MAX_MOVES && s3_place_move(&s->place, region)) {
		s->moves++;
		return S3_AGAIN;
	}
	mlb_http_fail(
		&o->q, MLB_FAULT_PLACE,
		"bucket '%s' is not at '%s' with region '%s'%s%s%s%s: set `region` or `endpoint` "
		"of [remote %s]",
		s->place.bucket, s->place.host, s->place.region, region ? ", but in region " : "",
		region ? s3_plain(region) : "", e->endpoint ? ", but at " : "",
		e->endpoint ? s3_plain(e->endpoint) : "", s->config->name);
	return S3_FINAL;
}

/* -------------------------------------------------------------- judging */

/* The server has no conditional PUT, as it says itself. */
static bool
knows_no_condition(const struct s3_op *o, const char *code)
{
	return o->step == S3_ASK && o->op->verb == MLB_REMOTE_PUT && o->op->if_absent &&
	       !o->s->no_condition && (o->q.status == 501 || strcmp(code, "NotImplemented") == 0);
}

static bool
has_expired(const char *code)
{
	return strcmp(code, "ExpiredToken") == 0 || strcmp(code, "TokenRefreshRequired") == 0;
}

static enum s3_verdict
judge(struct s3_op *o, struct s3_error *e)
{
	enum mlb_remote_fault fault = o->q.fault;
	bool known;

	if (!e->code)
		e->code = mlb_strdup("");
	if (is_redirect(o, e->code) ||
	    (o->q.status == 400 && mlb_http_answered(&o->q, "x-amz-bucket-region")))
		return move(o, e);
	if (knows_no_condition(o, e->code))
		return S3_NO_CONDITION;
	if (has_expired(e->code) && !o->renewed && mlb_aws_chain_renew(o->s->keys, o->id)) {
		o->renewed = true;
		return S3_AGAIN;
	}
	known = s3_code_fault(&fault, e->code);
	if (o->q.status == 412)
		fault = MLB_FAULT_EXISTS;
	else if (o->q.status == 404 && !known && o->op->verb != MLB_REMOTE_GET &&
		 o->op->verb != MLB_REMOTE_STAT)
		fault = MLB_FAULT_PLACE;
	if (fault == MLB_FAULT_CLOCK)
		say_clock(o, e);
	else
		say(o, fault, e);
	return S3_FINAL;
}

enum s3_verdict
s3_judge(struct s3_op *o)
{
	struct s3_error e;
	enum s3_verdict verdict;

	s3_error_read(&e, &o->q.answer);
	verdict = judge(o, &e);
	s3_error_release(&e);
	return verdict;
}
