/*
 * dir_figures_test.c - the figures of docs/directory-rules.md: bytes of an object in the database and in memory, requests
 * for one managed device.  Printed, and held to what that page says.
 */
#include "../store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "../intune/peer.h"

#include "scepd/dir_tenant.h"

#define OBJECTS 6000 /* two thousand each of users, devices and managed devices */

#define NOT_FOUND "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"m\"}}"
#define ID        "00000000-0000-0000-0000-0000000000d1"

/* Names and words of the usual length.  Ids are random, as they are: an index of ids in order would be a third smaller. */
static const char objects[] =
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 5999)"
    "INSERT INTO dir_object(tenant, kind, id, presence, enabled, compliant, compliance, management,"
    "  risk, name, platform, owner, enrolled, last_seen, known, risk_known)"
    " SELECT 'contoso', 1 + i % 3, lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' ||"
    "  hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6))), 1,"
    "  CASE WHEN i % 3 = 2 THEN -1 ELSE 1 END, CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END,"
    "  CASE WHEN i % 3 = 2 THEN 'compliant' ELSE '' END,"
    "  CASE WHEN i % 3 = 2 THEN 'managed' ELSE '' END, '',"
    "  CASE WHEN i % 3 = 0 THEN 'jane.doe-' || i || '@contoso.com' ELSE 'LAPTOP-' || i END,"
    "  CASE WHEN i % 3 = 0 THEN '' ELSE 'Windows' END,"
    "  CASE WHEN i % 3 = 2 THEN 'company' ELSE '' END, 1760000000, 1760000000, 1760000000 + i, 0"
    " FROM n";

static void
an_object_takes_some_200_bytes_of_the_database(void **state)
{
	struct sf *f = *state;
	int64_t bytes;

	sf_sql(f, objects);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM dir_object"), OBJECTS);
	bytes = sf_number(
	    f, "SELECT sum(pgsize) FROM dbstat WHERE name IN ('dir_object', 'dir_object_known')");
	print_message("%lld bytes of the database an object, %.0f MB for 300,000\n",
	    (long long)(bytes / OBJECTS), (double)bytes / OBJECTS * 300000 / 1e6);
	assert_in_range(bytes / OBJECTS, 150, 280);
}

static void
what_is_on_its_way_takes_the_same_memory_however_many_there_are(void **state)
{
	(void)state;
	print_message("%zu bytes an object, %zu for %d on their way to the database\n",
	    sizeof(struct store_object), sizeof(struct dir_batch), STORE_OBJECTS_BATCH);
	assert_in_range(sizeof(struct dir_batch), 250000, 280000);
}

static void
a_managed_device_takes_one_request_and_three_when_it_is_gone(void **state)
{
	struct peer *p = peer_start();
	struct intune_client *c = peer_client(p);
	struct intune_managed_device m;
	struct intune_error e;
	size_t there, gone;

	(void)state;
	peer_answer(p, ROUTE_OTHER, 200, "{\"id\":\"" ID "\",\"managementState\":\"managed\"}");
	assert_int_equal(intune_find_managed_device(c, ID, &m, &e), INTUNE_OK);
	assert_int_equal(m.presence, INTUNE_PRESENCE_FOUND);
	there = peer_count(p, ROUTE_OTHER);
	peer_forget(p);
	peer_answer(p, ROUTE_OTHER, 404, NOT_FOUND);
	peer_answer(p, ROUTE_OTHER, 404, NOT_FOUND);
	peer_answer(p, ROUTE_OTHER, 200, "{\"value\":[{\"id\":\"" ID "\"}]}");
	assert_int_equal(intune_find_managed_device(c, ID, &m, &e), INTUNE_OK);
	assert_int_equal(m.presence, INTUNE_PRESENCE_GONE);
	gone = peer_count(p, ROUTE_OTHER);
	print_message("%zu request for a managed device, %zu for one that is gone\n", there, gone);
	assert_int_equal(there, 1);
	assert_int_equal(gone, 3);
	intune_client_free(c);
	peer_stop(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    an_object_takes_some_200_bytes_of_the_database, sf_setup, sf_teardown),
		cmocka_unit_test(what_is_on_its_way_takes_the_same_memory_however_many_there_are),
		cmocka_unit_test(a_managed_device_takes_one_request_and_three_when_it_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
