/*
 * For cppcheck (scripts/analyse), which reads no system headers: the macros of sys/queue.h and jansson.h that
 * are syntax.  A file of its own, since what -D gives cppcheck ends at the first semicolon, and then it looks
 * at nothing and does not say so.
 */
#define LIST_HEAD(n, t)                                                                            \
	struct n {                                                                                 \
		struct t *lh_first;                                                                \
	}
#define TAILQ_HEAD(n, t)                                                                           \
	struct n {                                                                                 \
		struct t *tqh_first, **tqh_last;                                                   \
	}
#define SLIST_HEAD(n, t)                                                                           \
	struct n {                                                                                 \
		struct t *slh_first;                                                               \
	}
#define LIST_ENTRY(t)                                                                              \
	struct {                                                                                   \
		struct t *le_next, **le_prev;                                                      \
	}
#define TAILQ_ENTRY(t)                                                                             \
	struct {                                                                                   \
		struct t *tqe_next, **tqe_prev;                                                    \
	}
#define SLIST_ENTRY(t)                                                                             \
	struct {                                                                                   \
		struct t *sle_next;                                                                \
	}
#define LIST_FOREACH(v, h, f)       for ((v) = (h)->lh_first; (v) != 0; (v) = (v)->f.le_next)
#define TAILQ_FOREACH(v, h, f)      for ((v) = (h)->tqh_first; (v) != 0; (v) = (v)->f.tqe_next)
#define SLIST_FOREACH(v, h, f)      for ((v) = (h)->slh_first; (v) != 0; (v) = (v)->f.sle_next)
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)) != 0; i++)
#define json_object_foreach(o, k, v)                                                               \
	for (k = json_first(o); k != 0 && (v = json_value(o, k)) != 0; k = json_next(o, k))
#define json_object_foreach_safe(o, n, k, v) json_object_foreach(o, k, v)
