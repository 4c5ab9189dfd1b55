/* admin_list.c - what all lists of the admin API have in common. */
#include "scepd/admin_int.h"

enum rc
admin_list_begin(struct admin_list *l, const struct admin_call *c, struct err *err)
{
	*l = (struct admin_list){ .next = 0 };
	if ((l->items = json_array()) == NULL)
		return fail(err, RC_NOMEM, "no memory for a list");
	return admin_page_parse(&l->page, c->req->query, err);
}

int
admin_list_add(struct admin_list *l, int64_t id, json_t *v)
{
	if (v == NULL || json_array_append_new(l->items, v) != 0) {
		l->failed = true;
		return 1;
	}
	l->next = ++l->n == l->page.limit ? id : 0;
	return 0;
}

void
admin_list_reply(struct admin_list *l, struct admin_call *c, enum rc rc, const struct err *err)
{
	if (rc != RC_OK || l->failed) {
		json_decref(l->items);
		if (rc != RC_OK)
			admin_reply_error(c->reply, err);
		else
			admin_reply_json(c->reply, 200, NULL);
		return;
	}
	/* json_pack() takes the items. */
	admin_reply_json(c->reply, 200,
	    json_pack("{s:o, s:o}", "items", l->items, "next",
		l->next != 0 ? json_integer(l->next) : json_null()));
}
