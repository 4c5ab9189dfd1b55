/*
 * wipe_test.c - no secret is left in memory that is given back: free() is ours here, for every
 * object of this program that is linked statically, and looks at what it gets.
 */
#include "kit.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

void __real_free(void *p);
void __wrap_free(void *p);

/* What may not be there, in the forms in which it travels. */
static const char *const needles[] = {
	"s3cret~key/with+signs",     /* the app's key */
	"s3cret~key%2Fwith%2Bsigns", /* in the form */
	"rotated-s3cret",            /* its successor */
	"fed.erated.t0ken",
	"header~s3cret",
	"intune-token-",
	"graph-token-",
};
static _Atomic unsigned left[COUNT(needles)];
static _Atomic bool watching;

void
__wrap_free(void *p)
{
	size_t len = p != NULL ? malloc_usable_size(p) : 0, i;

	for (i = 0; i < COUNT(needles) && watching && p != NULL; i++)
		if (memmem(p, len, needles[i], strlen(needles[i])) != NULL)
			left[i]++;
	__real_free(p);
}

static void
watch(bool on)
{
	size_t i;

	if (on)
		for (i = 0; i < COUNT(needles); i++)
			left[i] = 0;
	watching = on;
	for (i = 0; i < COUNT(needles) && !on; i++)
		if (left[i] != 0)
			give_up("\"%s\" was left in %u pieces of memory\n", needles[i],
			    (unsigned)left[i]);
}

static void
the_watch_sees_what_is_left(void **state)
{
	char *s = malloc(64);

	(void)snprintf(s, 64, "%s", needles[0]);
	__asm__ volatile("" : : "r"(s) : "memory"); /* or clang writes nothing: nobody reads it */
	watching = true;
	left[0] = 0;
	free(s);
	watching = false;
	assert_int_equal(left[0], 1);
}

static void
use(struct intune_config *c, struct peer *peer, const char *new_key)
{
	struct intune_client *cl;
	struct intune_error e;

	if (intune_client_new(&cl, c, &e) != INTUNE_OK)
		give_up("%s\n", e.message);
	assert_int_equal(intune_validate_request(cl, "tx", csr, CSR_LEN, &e), INTUNE_OK);
	if (new_key != NULL)
		assert_int_equal(intune_client_set_app_key(cl, new_key, &e), INTUNE_OK);
	peer_answer(peer, ROUTE_ACTION, 401, "{}");
	assert_int_equal(intune_validate_request(cl, "tx", csr, CSR_LEN, &e), INTUNE_OK);
	intune_client_free(cl);
}

static void
nothing_secret_is_left_in_memory_that_is_given_back(void **state)
{
	struct peer *peer = peer_start();
	char path[] = "/tmp/intune-wipe-XXXXXX", endpoint[96];
	struct intune_config c;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)fchmod(fd, 0600);
	assert_int_equal(write(fd, "fed.erated.t0ken", 16), 16);
	close(fd);
	(void)snprintf(endpoint, sizeof(endpoint), "%s/oauth2/token", peer_url(peer));
	peer_config(peer, &c);
	watch(true);
	use(&c, peer, "rotated-s3cret");
	c.aad_app_key = NULL;
	c.federated_token_file = path;
	use(&c, peer, NULL);
	c.federated_token_file = NULL;
	c.managed_identity = "system";
	c.managed_identity_header = "header~s3cret";
	c.managed_identity_endpoint = endpoint;
	use(&c, peer, NULL);
	watch(false); /* the peer keeps what it received until its end */
	peer_stop(peer);
	(void)unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_watch_sees_what_is_left),
		cmocka_unit_test(nothing_secret_is_left_in_memory_that_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
