/*
 * graph.h - questions to Microsoft Graph about the directory: one GET with the app's token, and
 * lists over many pages.
 *
 * What is asked, and what Graph must say before something counts as absent, stands in one table.
 */
#ifndef SCEPD_INTUNE_GRAPH_H
#define SCEPD_INTUNE_GRAPH_H

#include <stdbool.h>

#include "base/buf.h"
#include "intune/graph_reply.h"
#include "intune/op.h"

/* INTUNE_E_ARGUMENT: "directory: the argument NAME WHAT". */
enum intune_status graph_bad_argument(struct op *op, const char *name, const char *what);

enum graph_version { GRAPH_V1, GRAPH_BETA_VERSION };

/* Begin a URL: "https://graph.microsoft.com/v1.0/". */
void graph_url_begin(struct buf *url, const struct op *op, enum graph_version v);
/* One path segment, or the value of a query option, percent-encoded as a whole. */
void graph_url_key(struct buf *url, const char *value);
/*
 * An OData string literal, percent-encoded with its quotes: a quote inside is doubled first, so
 * that a value ends where we end it (OData 4.01 URL conventions, 5.1.1.6.1).
 */
void graph_url_literal(struct buf *url, const char *value);
/* "?$select=..." */
void graph_url_select(struct buf *url, enum graph_kind kind, enum graph_use use);

struct graph_question {
	enum graph_kind kind;
	const char *url;
	const char *header; /* one more header line, or NULL */
	bool is_page;       /* of a list: up to LIMIT_JSON_PAGE bytes */
};

/*
 * Ask for one object.  INTUNE_OK: it is there, or Graph itself said that it is not (*absent).
 * Anything else said with 404 - by a proxy, a gateway, a wrong address - is a failure.
 * Waits and asks again while the service says to or stumbles and time is left.
 */
enum intune_status graph_ask(
    struct op *op, const struct graph_question *q, union graph_object *out, bool *absent);

#define GRAPH_PAGES_MAX 10000u /* of 100 to 1000 objects each: a million users and more */

/* A list, page by page.  The token goes along, so every page must be where Graph is. */
struct graph_walk {
	enum graph_kind kind;
	const char *header;
	unsigned pages_max;
	char *url; /* of the page to read next; owned; NULL at the end */
	struct graph_page page;
	unsigned pages;
	char *mark; /* a link that was followed: when it comes again, the list is a circle */
};
/* `url` is copied. */
enum intune_status graph_walk_begin(
    struct op *op, struct graph_walk *w, const struct graph_question *q, unsigned pages_max);
/* Read the next page into w->page; w->url is NULL after the last one. */
enum intune_status graph_walk_page(struct op *op, struct graph_walk *w);
void graph_walk_done(struct graph_walk *w);

/* The link has the scheme, host and port of Graph as configured. */
bool graph_is_ours(const struct op *op, const char *link);

#endif
