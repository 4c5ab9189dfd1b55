/*
 * dir_bind_test.c - whom a certificate's names belong to, with a peer in the part of Graph: what is asked, in which
 * order, how many requests that takes, and that no name keeps its holder out of sight.
 */
#include "../intune/kit.h"

#include <string.h>

#include "scepd/dir_bind.h"

#define NOW     1000
#define DEVICE  "00000000-0000-0000-0000-0000000000c1"
#define OBJECT  "00000000-0000-0000-0000-0000000000b1"
#define MANAGED "00000000-0000-0000-0000-0000000000d1"
#define OTHER   "00000000-0000-0000-0000-0000000000d2"
#define USER    "00000000-0000-0000-0000-0000000000a1"
#define MADE_UP "99999999-0000-0000-0000-000000000000"
#define UPN     "jane@contoso.com"

#define LIST(entries) "{\"value\":[" entries "]}"
#define A_DEVICE      "{\"id\":\"" OBJECT "\",\"deviceId\":\"" DEVICE "\",\"accountEnabled\":true}"
#define OF_SERIAL(id, entra)                                                                       \
	"{\"id\":\"" id "\",\"azureADDeviceId\":\"" entra "\",\"serialNumber\":\"SN1\","           \
	"\"operatingSystem\":\"Windows\",\"enrolledDateTime\":\"2026-01-02T03:04:05Z\"}"
#define A_MANAGED     OF_SERIAL(MANAGED, DEVICE)
#define A_USER        "{\"id\":\"" USER "\",\"userPrincipalName\":\"" UPN "\",\"accountEnabled\":true}"
#define NO_SUCH(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"

/* What Graph answers, one after another, as the questions come. */
static void
says(struct fixture *f, int status, const char *body)
{
	peer_answer(f->peer, ROUTE_OTHER, status, body);
}

/* By its id: beta, v1.0, and the list that proves that the address is right. */
static void
no_such_managed_device(struct fixture *f)
{
	says(f, 404, NO_SUCH("ResourceNotFound"));
	says(f, 404, NO_SUCH("ResourceNotFound"));
	says(f, 200, LIST("{\"id\":\"" OTHER "\"}"));
}

static void
no_such_device(struct fixture *f)
{
	says(f, 404, NO_SUCH("Request_ResourceNotFound"));
}

/* By name: there, and in the recycle bin. */
static void
no_such_user(struct fixture *f)
{
	says(f, 404, NO_SUCH("Request_ResourceNotFound"));
	says(f, 200, LIST(""));
}

static struct store_binding
names(const char *cn_guid, const char *serial_number, const char *upn)
{
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso" };

	strcpy(b.managed, cn_guid);
	strcpy(b.device, cn_guid);
	strcpy(b.serial_number, serial_number);
	strcpy(b.upn, upn);
	return b;
}

static void
binds(struct fixture *f, struct store_binding *b, struct dir_found *found, size_t requests)
{
	peer_forget(f->peer);
	assert_int_equal(dir_bind(f->client, b, found, NOW, &f->e), INTUNE_OK);
	assert_int_equal(peer_count(f->peer, ROUTE_OTHER), requests);
}

static void
the_usual_names_take_one_to_three_requests(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(DEVICE, "", UPN);
	struct dir_found found;

	/* CN={{AAD_Device_ID}} and a UPN. */
	says(f, 200, A_DEVICE);
	says(f, 200, LIST(A_MANAGED));
	says(f, 200, A_USER);
	binds(f, &b, &found, 3);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.managed, MANAGED);
	assert_string_equal(b.device, DEVICE);
	assert_string_equal(b.device_object, OBJECT);
	assert_string_equal(b.user, USER);
	assert_int_equal(found.n, 3);
	assert_false(found.unknown_user || found.unknown_device || found.unmanaged);

	/* CN={{DeviceId}}: Intune knows Entra's id of it. */
	b = names(MANAGED, "", "");
	no_such_device(f);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	binds(f, &b, &found, 3);
	assert_string_equal(b.device, DEVICE);
	assert_string_equal(b.device_object, OBJECT);

	/* IntuneDeviceId://, which is Intune's id alone. */
	b = names("", "", "");
	strcpy(b.managed, MANAGED);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	binds(f, &b, &found, 2);
	assert_string_equal(b.device, DEVICE);
	assert_string_equal(b.device_object, OBJECT);

	/* A user's certificate. */
	b = names("", "", UPN);
	says(f, 200, A_USER);
	binds(f, &b, &found, 1);
	assert_string_equal(b.user, USER);
}

static void
a_made_up_id_beside_ones_own_serial_number_is_bound_by_that(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MADE_UP, "SN1", "");
	struct dir_found found;

	no_such_device(f);
	no_such_managed_device(f);
	says(f, 200, LIST(A_MANAGED));
	says(f, 200, A_DEVICE);
	binds(f, &b, &found, 6);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.managed, MANAGED);
	assert_string_equal(b.device, DEVICE);
	assert_string_equal(b.device_object, OBJECT);
	assert_false(found.unknown_device);
}

static void
a_serial_number_of_several_devices_binds_to_none(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names("", "SN1", "");
	struct dir_found found;

	says(f, 200, LIST(A_MANAGED "," OF_SERIAL(OTHER, MADE_UP)));
	binds(f, &b, &found, 1);
	assert_int_equal(b.state, BINDING_UNKNOWN);
	assert_true(found.unknown_device);
	assert_string_equal(b.serial_number, "SN1");

	/* Enrolled anew it is one. */
	b = names("", "SN1", "");
	says(f, 200, LIST(A_MANAGED "," OF_SERIAL(OTHER, DEVICE)));
	says(f, 200, A_DEVICE);
	binds(f, &b, &found, 2);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.device, DEVICE);
}

static void
a_device_that_nobody_knows_leaves_the_user_bound(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MADE_UP, "", UPN);
	struct dir_found found;

	no_such_device(f);
	no_such_managed_device(f);
	says(f, 200, A_USER);
	binds(f, &b, &found, 5);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.user, USER);
	assert_true(found.unknown_device);
	assert_false(found.unknown_user);

	/* Later the device is asked for again, and the user is not: his name may be another's by now. */
	says(f, 200, A_DEVICE);
	says(f, 200, LIST(A_MANAGED));
	strcpy(b.device, DEVICE);
	strcpy(b.managed, DEVICE);
	binds(f, &b, &found, 2);
	assert_string_equal(b.user, USER);
	assert_string_equal(b.managed, MANAGED);
	assert_false(found.unknown_device);
}

static void
a_user_who_is_not_listed_yet_is_asked_for_again(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MANAGED, "", UPN);
	struct dir_found found;

	no_such_device(f);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	no_such_user(f);
	binds(f, &b, &found, 5);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_true(found.unknown_user);
	assert_string_equal(b.user, "");

	/* And he alone. */
	says(f, 200, A_USER);
	binds(f, &b, &found, 1);
	assert_string_equal(b.user, USER);
	assert_string_equal(b.managed, MANAGED);
	assert_false(found.unknown_user || found.unknown_device || found.unmanaged);
}

static void
what_is_not_found_stays_to_be_asked_for(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MANAGED, "", "");
	struct dir_found found;

	no_such_device(f);
	no_such_managed_device(f);
	binds(f, &b, &found, 4);
	assert_int_equal(b.state, BINDING_UNKNOWN);
	assert_int_equal(b.asked, NOW);
	assert_string_equal(b.managed, MANAGED);
	no_such_device(f);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	binds(f, &b, &found, 3);
	assert_int_equal(b.state, BINDING_BOUND);
}

/* A rule may revoke what is gone, for good. */
static void
gone_is_believed_when_the_copies_have_had_time_to_agree(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names("", "", "");
	struct dir_found found;

	strcpy(b.managed, MANAGED); /* IntuneDeviceId://, which is Intune's and nobody else's */
	no_such_managed_device(f);
	binds(f, &b, &found, 3);
	assert_int_equal(b.state, BINDING_UNKNOWN);
	assert_int_equal(found.n, 0);
	b.tries = 3;
	no_such_managed_device(f);
	binds(f, &b, &found, 3);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.v[0].presence, DIR_GONE);
	assert_string_equal(found.v[0].id, MANAGED);
}

static void
a_name_that_graph_does_not_take_hides_nobody(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MANAGED, "", UPN);
	struct dir_found found;

	no_such_device(f);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	says(f, 400, NO_SUCH("BadRequest"));
	binds(f, &b, &found, 4);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.device_object, OBJECT);
	assert_true(found.refused && found.unknown_user);
	assert_int_equal(f->e.http_status, 400);

	b = names(MADE_UP, "", UPN);
	says(f, 400, NO_SUCH("BadRequest"));
	says(f, 200, A_USER);
	binds(f, &b, &found, 2);
	assert_string_equal(b.user, USER);
	assert_true(found.refused && found.unknown_device);

	/* Where nobody is found by it, it is no answer. */
	b = names("", "", UPN);
	peer_forget(f->peer);
	says(f, 400, NO_SUCH("BadRequest"));
	assert_int_equal(dir_bind(f->client, &b, &found, NOW, &f->e), INTUNE_E_REFUSED);
	assert_int_equal(b.state, BINDING_OPEN);
	assert_true(dir_error_is_of_names(&f->e));
}

static void
a_failure_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_binding b = names(MANAGED, "", UPN), was = b;
	struct dir_found found;

	no_such_device(f);
	says(f, 200, A_MANAGED);
	says(f, 200, A_DEVICE);
	says(f, 403, NO_SUCH("Authorization_RequestDenied"));
	assert_int_equal(dir_bind(f->client, &b, &found, NOW, &f->e), INTUNE_E_PERMISSION);
	assert_memory_equal(&b, &was, sizeof(b));
	assert_false(dir_error_is_of_names(&f->e));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
	static const struct CMUnitTest tests[] = {
		T(the_usual_names_take_one_to_three_requests),
		T(a_made_up_id_beside_ones_own_serial_number_is_bound_by_that),
		T(a_serial_number_of_several_devices_binds_to_none),
		T(a_device_that_nobody_knows_leaves_the_user_bound),
		T(a_user_who_is_not_listed_yet_is_asked_for_again),
		T(what_is_not_found_stays_to_be_asked_for),
		T(gone_is_believed_when_the_copies_have_had_time_to_agree),
		T(a_name_that_graph_does_not_take_hides_nobody),
		T(a_failure_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
