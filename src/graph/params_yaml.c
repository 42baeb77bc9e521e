/*
 * Parameters from YAML 1.1 and 1.2, by libyaml's events: scalars keep their
 * text, nodes keep their place.
 *
 * Aliases are copied where they stand, within MLB_PARAMS_NODES, so that a few
 * lines cannot become gigabytes; an alias to something that it is inside of is
 * an error. "<<" merges maps as YAML 1.1 says: keys given in the map itself win.
 * Tags other than YAML's own, keys that are not plain words, and more than one
 * document are errors.
 */
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/text.h"
#include "graph/params_tree.h"

#define OFFSET_STEP 256

struct yaml_reader {
	struct mlb_arena *arena;
	const char *file;
	const char *text;
	size_t len;
	yaml_parser_t parser;
	struct mlb_strmap anchors; /* name -> struct mlb_pnode *, NULL while it is being read */
	unsigned nodes;
	size_t *offset; /* of every OFFSET_STEP-th character; NULL: one byte each */
	struct mlb_err *err;
};

/* libyaml counts characters, we count bytes. */
static void
index_offsets(struct yaml_reader *r)
{
	size_t n = 0, chars = 0;
	bool ascii = true;

	for (size_t i = 0; i < r->len && ascii; i++)
		ascii = !((unsigned char)r->text[i] & 0x80);
	if (ascii)
		return;
	r->offset = mlb_calloc(r->len / OFFSET_STEP + 1, sizeof(*r->offset));
	for (size_t i = 0; i < r->len; i++) {
		if (((unsigned char)r->text[i] & 0xc0) == 0x80)
			continue;
		if (chars++ % OFFSET_STEP == 0)
			r->offset[n++] = i;
	}
	if (chars % OFFSET_STEP == 0 && n <= r->len / OFFSET_STEP)
		r->offset[n] = r->len;
}

static size_t
to_bytes(const struct yaml_reader *r, const yaml_mark_t *m)
{
	size_t at, left;

	if (!r->offset)
		return MLB_MIN(m->index, r->len);
	at = r->offset[m->index / OFFSET_STEP];
	for (left = m->index % OFFSET_STEP; left && at < r->len; left--)
		for (at++; at < r->len && ((unsigned char)r->text[at] & 0xc0) == 0x80; at++)
			;
	return at;
}

static int
fail(const struct yaml_reader *r, const yaml_mark_t *at, const char *what)
{
	return mlb_err_set(r->err, MLB_EINVALID, "%s:%zu: %s", r->file, at->line + 1, what);
}

static int
next_event(struct yaml_reader *r, yaml_event_t *e)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, e))
		return 0;
	return mlb_err_set(r->err, MLB_EINVALID, "%s:%zu: not YAML: %s%s%s", r->file,
			   p->problem_mark.line + 1, p->problem ? p->problem : "memory ran out",
			   p->context ? " " : "", p->context ? p->context : "");
}

/* NULL where there are too many, or they are nested too deeply. */
static struct mlb_pnode *
new_node(struct yaml_reader *r, const yaml_event_t *e, enum mlb_pkindof kind, unsigned depth)
{
	struct mlb_pnode *n;

	if (++r->nodes > MLB_PARAMS_NODES) {
		fail(r, &e->start_mark,
		     "too many values (aliases count as often as they are used)");
		return NULL;
	}
	if (kind != MLB_P_SCALAR && depth >= MLB_PARAMS_DEPTH) {
		fail(r, &e->start_mark, "nested too deeply: 32 levels are allowed");
		return NULL;
	}
	n = mlb_pnode_new(r->arena, kind);
	n->param.file = r->file;
	n->param.line = (unsigned)e->start_mark.line + 1;
	n->start = to_bytes(r, &e->start_mark);
	n->end = to_bytes(r, &e->end_mark);
	return n;
}

/* YAML's own tags say nothing that we do not know; any other asks for a program's types. */
static int
check_tag(const struct yaml_reader *r, const yaml_event_t *e, const yaml_char_t *tag)
{
	static const char *const known[] = { YAML_STR_TAG,       YAML_INT_TAG,  YAML_FLOAT_TAG,
					     YAML_BOOL_TAG,      YAML_NULL_TAG, YAML_SEQ_TAG,
					     YAML_TIMESTAMP_TAG, YAML_MAP_TAG,  "!" };
	const char *t = (const char *)tag;

	if (!t)
		return 0;
	for (size_t i = 0; i < MLB_ARRAY_LEN(known); i++)
		if (!strcmp(t, known[i]))
			return 0;
	return fail(r, &e->start_mark, "a tag that a parameter cannot have: write a plain value");
}

static void
set_anchor(struct yaml_reader *r, const yaml_char_t *anchor, struct mlb_pnode *n)
{
	if (anchor)
		mlb_strmap_set(&r->anchors, mlb_arena_strdup(r->arena, (const char *)anchor), n);
}

/* All below takes the place of an alias. */
static struct mlb_pnode *
copy_node(struct yaml_reader *r, const yaml_event_t *e, const struct mlb_pnode *from,
	  unsigned depth)
{
	struct mlb_pnode *n = new_node(r, e, (enum mlb_pkindof)from->kind, depth);

	if (!n)
		return NULL;
	n->param.text = from->param.text;
	n->param.line = from->param.line;
	n->plain = from->plain;
	n->key = from->key;
	for (const struct mlb_pnode *c = from->first; c; c = c->next) {
		struct mlb_pnode *child = copy_node(r, e, c, depth + 1);

		if (!child)
			return NULL;
		mlb_pnode_append(n, child);
	}
	return n;
}

static struct mlb_pnode *read_node(struct yaml_reader *r, yaml_event_t *e, unsigned depth);

static struct mlb_pnode *
read_alias(struct yaml_reader *r, const yaml_event_t *e, unsigned depth)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct mlb_strmap_entry *found = mlb_strmap_find(&r->anchors, name, strlen(name));

	if (found && found->u.ptr)
		return copy_node(r, e, found->u.ptr, depth);
	fail(r, &e->start_mark,
	     found ? "an alias (*) inside of what it stands for"
		   : "an alias (*) without its anchor (&)");
	return NULL;
}

static int
read_list(struct yaml_reader *r, unsigned depth, struct mlb_pnode *list, bool flow)
{
	yaml_event_t e;
	int rc;

	for (;;) {
		struct mlb_pnode *item;

		rc = next_event(r, &e);
		if (rc)
			return rc;
		if (e.type == YAML_SEQUENCE_END_EVENT)
			break;
		item = read_node(r, &e, depth + 1);
		if (!item)
			return MLB_EINVALID;
		mlb_pnode_append(list, item);
	}
	list->end = flow || !list->last ? to_bytes(r, &e.end_mark) : list->last->end;
	yaml_event_delete(&e);
	return 0;
}

/* Put the keys of a merged map behind those that are given; depth is that of the values. */
static int
merge_into(struct yaml_reader *r, const yaml_event_t *at, struct mlb_pnode *map,
	   struct mlb_strmap *keys, const struct mlb_pnode *from, unsigned depth)
{
	if (from->kind == MLB_P_LIST) {
		for (const struct mlb_pnode *c = from->first; c; c = c->next) {
			int rc = c->kind == MLB_P_MAP ? merge_into(r, at, map, keys, c, depth)
						      : fail(r, &at->start_mark,
							     "'<<' takes a map or a list of maps");

			if (rc)
				return rc;
		}
		return 0;
	}
	if (from->kind != MLB_P_MAP)
		return fail(r, &at->start_mark, "'<<' takes a map or a list of maps");
	for (const struct mlb_pnode *c = from->first; c; c = c->next) {
		struct mlb_pnode *copy;
		bool is_new;

		mlb_strmap_add(keys, c->key, strlen(c->key), &is_new);
		if (!is_new)
			continue;
		copy = copy_node(r, at, c, depth);
		if (!copy)
			return MLB_EINVALID;
		mlb_pnode_append(map, copy);
	}
	return 0;
}

/* The key event is checked and consumed; *key is NULL for "<<". */
static int
read_key(struct yaml_reader *r, yaml_event_t *e, struct mlb_strmap *keys, const char **key)
{
	const char *text;
	size_t len;
	bool is_new = true;
	int rc = 0;

	if (e->type != YAML_SCALAR_EVENT) {
		rc = fail(r, &e->start_mark, "a key that is not plain text");
		yaml_event_delete(e);
		return rc;
	}
	text = (const char *)e->data.scalar.value;
	len = e->data.scalar.length;
	*key = NULL;
	if (!len || strlen(text) != len) {
		rc = fail(r, &e->start_mark,
			  "a key that is empty or holds a NUL: a parameter needs a name");
	} else if (strcmp(text, "<<") != 0 || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
		*key = mlb_arena_strndup(r->arena, text, len);
		mlb_strmap_add(keys, *key, len, &is_new);
		if (!is_new)
			rc = mlb_err_set(r->err, MLB_EINVALID, "%s:%zu: '%s' is given twice",
					 r->file, e->start_mark.line + 1, *key);
	}
	yaml_event_delete(e);
	return rc;
}

static int
read_pairs(struct yaml_reader *r, unsigned depth, struct mlb_pnode *map, struct mlb_strmap *keys,
	   bool flow)
{
	struct mlb_pnode *merged = NULL, *value;
	yaml_event_t e;
	int rc;

	for (;;) {
		const char *key = NULL;

		rc = next_event(r, &e);
		if (rc)
			return rc;
		if (e.type == YAML_MAPPING_END_EVENT)
			break;
		rc = read_key(r, &e, keys, &key);
		if (!rc)
			rc = next_event(r, &e);
		if (rc)
			return rc;
		value = read_node(r, &e, depth + 1);
		if (!value)
			return MLB_EINVALID;
		value->key = key;
		if (key)
			mlb_pnode_append(map, value);
		else if (merged)
			return mlb_err_set(r->err, MLB_EINVALID,
					   "%s:%u: '<<' is given twice: use '<<: [*a, *b]'",
					   r->file, value->param.line);
		else
			merged = value;
	}
	map->end = flow || !map->last ? to_bytes(r, &e.end_mark) : map->last->end;
	rc = merged ? merge_into(r, &e, map, keys, merged, depth + 1) : 0;
	yaml_event_delete(&e);
	return rc;
}

static int
read_scalar(struct yaml_reader *r, const yaml_event_t *e, struct mlb_pnode *n)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;

	if (memchr(text, '\0', len))
		return fail(r, &e->start_mark, "a value that holds a NUL");
	n->param.text = mlb_arena_strndup(r->arena, text, len);
	n->plain = e->data.scalar.plain_implicit && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (e->data.scalar.tag && !e->data.scalar.plain_implicit && !e->data.scalar.quoted_implicit)
		n->plain = strcmp((const char *)e->data.scalar.tag, YAML_STR_TAG) != 0;
	return 0;
}

/* What stands before a node in its event. */
struct start {
	const yaml_char_t *anchor, *tag;
	enum mlb_pkindof kind;
	bool flow;
};

static struct start
start_of(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return (struct start){ e->data.scalar.anchor, e->data.scalar.tag, MLB_P_SCALAR,
				       false };
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return (struct start){ e->data.sequence_start.anchor, e->data.sequence_start.tag,
				       MLB_P_LIST,
				       e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE };
	return (struct start){ e->data.mapping_start.anchor, e->data.mapping_start.tag, MLB_P_MAP,
			       e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE };
}

/* While a node is read its anchor stands for nothing. */
static struct mlb_pnode *
read_new(struct yaml_reader *r, const yaml_event_t *e, unsigned depth)
{
	const struct start s = start_of(e);
	struct mlb_pnode *n;
	int rc;

	if (check_tag(r, e, s.tag))
		return NULL;
	n = new_node(r, e, s.kind, depth);
	if (!n)
		return NULL;
	set_anchor(r, s.anchor, NULL);
	if (s.kind == MLB_P_LIST) {
		rc = read_list(r, depth, n, s.flow);
	} else if (s.kind == MLB_P_MAP) {
		struct mlb_strmap keys = MLB_STRMAP_INIT;

		rc = read_pairs(r, depth, n, &keys, s.flow);
		mlb_strmap_release(&keys);
	} else {
		rc = read_scalar(r, e, n);
	}
	if (rc)
		return NULL;
	set_anchor(r, s.anchor, n);
	return n;
}

/* The event belongs to this function, which deletes it; NULL: the error is set. */
static struct mlb_pnode *
read_node(struct yaml_reader *r, yaml_event_t *e, unsigned depth)
{
	struct mlb_pnode *n = e->type == YAML_ALIAS_EVENT ? read_alias(r, e, depth)
							  : read_new(r, e, depth);

	yaml_event_delete(e);
	return n;
}

/* Stream and document events around the one root. */
static int
read_stream(struct yaml_reader *r, bool any_root, struct mlb_pnode **out)
{
	yaml_event_t e;
	bool done = false;
	int rc;

	*out = NULL;
	while (!done) {
		rc = next_event(r, &e);
		if (rc)
			return rc;
		switch (e.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			yaml_event_delete(&e);
			continue;
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&e);
			done = true;
			continue;
		default:
			break;
		}
		if (*out) {
			rc = fail(r, &e.start_mark, "a second document: parameters are one");
			yaml_event_delete(&e);
			return rc;
		}
		*out = read_node(r, &e, 0);
		if (!*out)
			return MLB_EINVALID;
	}
	if (*out && (any_root || (*out)->kind == MLB_P_MAP))
		return 0;
	if (*out && !((*out)->kind == MLB_P_SCALAR && (*out)->plain && !*(*out)->param.text))
		return mlb_err_set(r->err, MLB_EINVALID,
				   "%s:%u: parameters are a map, 'name: value'", r->file,
				   (*out)->param.line);
	*out = mlb_pnode_new(r->arena, MLB_P_MAP);
	(*out)->param.file = r->file;
	(*out)->param.line = 1;
	return 0;
}

int
mlb_params_read_yaml(struct mlb_pnode **out, struct mlb_arena *a, const char *file,
		     const char *text, size_t len, bool any_root, struct mlb_err *err)
{
	struct yaml_reader r = { .arena = a, .file = file, .text = text, .len = len, .err = err };
	int rc;

	if (!yaml_parser_initialize(&r.parser))
		return mlb_err_set(err, MLB_ESYSTEM,
				   "%s: cannot start the YAML parser: memory ran out", file);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	index_offsets(&r);
	rc = read_stream(&r, any_root, out);
	free(r.offset);
	mlb_strmap_release(&r.anchors);
	yaml_parser_delete(&r.parser);
	return rc;
}
