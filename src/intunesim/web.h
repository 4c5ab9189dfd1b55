/*
 * web.h - the page: files of src/intunesim/web, put into the program when it is built.
 *
 * They hold nothing of a tenant; what the page shows it asks the control API for (control.h), so
 * that the rules of who may ask are in one place.
 */
#ifndef SCEPD_INTUNESIM_WEB_H
#define SCEPD_INTUNESIM_WEB_H

#include <stddef.h>

struct web_asset {
	const char *name; /* "page.css" */
	const char *type; /* Content-Type */
	const char *etag; /* quoted, of the content: another one when the file is another */
	const unsigned char *data;
	size_t len;
};

#define WEB_INDEX "index.html"

/* Made by web/embed.py.  Static. */
extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

/* NULL when there is none of this name. */
const struct web_asset *web_asset(const char *name);

#endif
