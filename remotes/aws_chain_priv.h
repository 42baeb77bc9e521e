/* Shared by aws_chain.c and the sources of keys. */
#ifndef REMOTES_AWS_CHAIN_PRIV_H
#define REMOTES_AWS_CHAIN_PRIV_H

#include "base/vec.h"
#include "remotes/aws_chain.h"
#include "remotes/aws_files.h"

/* What a source says: below 0 it is set up, but does not work. */
enum {
	MLB_SOURCE_NONE = 0, /* it is not set up */
	MLB_SOURCE_HAS = 1,  /* k->next is its key */
	MLB_SOURCE_ASKED = 2 /* a request goes on, whose done goes on with the chain */
};

enum mlb_aws_state { MLB_KEY_NONE, MLB_KEY_ASKED, MLB_KEY_HAS, MLB_KEY_FAILED };

struct mlb_aws_chain {
	const struct mlb_remote_config *config;
	struct mlb_http *http;
	void (*ready)(void *ctx);
	void *ctx;
	int (*const *source)(struct mlb_aws_chain *k, struct mlb_err *err); /* NULL-terminated */
	size_t at; /* of source: that is looked at */
	bool only; /* no other one is tried */
	enum mlb_aws_state state;
	struct mlb_aws_credentials now;  /* in use, whatever the state */
	char *origin;                    /* of it; NULL: there is none */
	struct mlb_aws_credentials next; /* being put together */
	char *next_origin;
	bool next_fetched;    /* it is another one when it is fetched again */
	bool fetched;         /* the same of now */
	MLB_VEC(char *) role; /* profiles whose roles are to be assumed, the last first; owned */
	struct mlb_aws_files *files; /* while they are looked at */
	struct mlb_buf looked;       /* what was looked at in vain */
	struct mlb_http_request q;
	char *sts_role;               /* what STS is asked for, in words */
	struct mlb_buf sts_form;      /* the body of that request */
	char *imds_token, *imds_role; /* between the requests to a metadata service */
	uint64_t tried;               /* ns, monotonic: when the last round ended */
	struct mlb_err err;           /* of MLB_KEY_FAILED */
	enum mlb_remote_fault fault;
};

/* Variables of the user's environment; "" counts as not set. */
const char *mlb_aws_env(const struct mlb_aws_chain *k, const char *name);
/* The source has k->next now, and where it is from. origin becomes the chain's. */
int mlb_aws_has(struct mlb_aws_chain *k, char *origin);
/* "what (why)" for the message that nothing was found; returns MLB_SOURCE_NONE. */
int mlb_aws_looked(struct mlb_aws_chain *k, const char *fmt, ...) MLB_PRINTF(2, 3);

/* From the done of a request: go on with what a source says. Takes err over. */
void mlb_aws_go_on(struct mlb_aws_chain *k, int said, enum mlb_remote_fault fault,
		   struct mlb_err *err);

/* The sources. */
int mlb_aws_from_environment(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_web_identity(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_profile(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_container(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_instance(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_google(struct mlb_aws_chain *k, struct mlb_err *err);
int mlb_aws_from_boto(struct mlb_aws_chain *k, struct mlb_err *err);

/* Ask STS for a key of a role, by a web identity's token in a file. */
int mlb_aws_ask_web_identity(struct mlb_aws_chain *k, const char *role, const char *session,
			     const char *file, struct mlb_err *err);
/* The same, by the key in k->next, for the role of a profile. */
int mlb_aws_ask_role(struct mlb_aws_chain *k, const char *profile, struct mlb_err *err);

/* The profile that counts; *said: somebody named it. */
const char *mlb_aws_profile_name(const struct mlb_remote_config *c, bool *said);

#endif
