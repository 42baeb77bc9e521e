/*
 * Reads XML as it arrives, in pieces of any size: the listings of object stores and of
 * WebDAV, which come from a stranger.
 *
 *	struct mlb_xml x;
 *
 *	mlb_xml_init(&x, element, ctx);
 *	rc = mlb_xml_feed(&x, data, len, err);     for each piece, usually in a sink
 *	rc = mlb_xml_finish(&x, err);              is it all there?
 *	mlb_xml_release(&x);                       in any case
 *
 * The handler is called at the end of each element, with the names of those around it:
 * "ListBucketResult/Contents/Key". Names are without prefix; attributes, comments and
 * processing instructions are skipped; character references and CDATA are text.
 *
 * Refused, by MLB_EREMOTE: what is not well-formed, a document type (so there are no
 * entities but XML's five), text that is not UTF-8, elements deeper than 32, a path
 * longer than 512 bytes, a text longer than 16 KiB.
 */
#ifndef REMOTES_XML_H
#define REMOTES_XML_H

#include "base/buf.h"

/* text: of an element that has none in it; "" for others. Both are borrowed. Below 0 ends the reading. */
typedef int mlb_xml_element(void *ctx, const char *path, const char *text, struct mlb_err *err);

struct mlb_xml {
	mlb_xml_element *element;
	void *ctx;

	/* xml.c's. */
	unsigned char state;
	char quote;            /* that ends an attribute's value */
	bool leaf;             /* nothing ended in the element that was begun last */
	bool rooted;           /* the root was there */
	uint64_t at;           /* bytes read, for messages */
	unsigned depth;
	unsigned matched;      /* of a comment's or CDATA's end, or of a closing name */
	struct mlb_buf path;   /* of the elements that are open */
	struct mlb_buf word;   /* a name, an entity, or what stands behind "<!" */
	struct mlb_buf text;
};

void mlb_xml_init(struct mlb_xml *x, mlb_xml_element *element, void *ctx);
int mlb_xml_feed(struct mlb_xml *x, const void *data, size_t len, struct mlb_err *err);
int mlb_xml_finish(struct mlb_xml *x, struct mlb_err *err);
void mlb_xml_release(struct mlb_xml *x);

#endif
