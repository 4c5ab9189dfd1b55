/*
 * decide_test.c - each rule of a profile, from both sides.
 *
 * What a certificate will hold is seen in the spec's own fields; issue_test.c sees it in
 * certificates.
 */
#include <string.h>

#include "ca/ca_int.h"
#include "fixture.h"
#include "ossl/der.h"

/* Decide about one wish; the spec is the caller's. */
static enum rc
decide_at(struct cert_spec **out, const struct fixture *f, const struct wish *w,
    const struct profile *p, bool by_static, int64_t now, struct err *err)
{
	struct wish with = *w;
	struct authorization *a;
	struct csr *csr;
	enum rc rc;

	with.challenge = CHALLENGE;
	csr = request(f, &with);
	a = by_static ? static_yes_to(csr) : yes_to(csr);
	rc = cert_spec_decide(out, a, csr, p, f->ca, now, err);
	authorization_free(a);
	csr_free(csr);
	return rc;
}

static struct cert_spec *
decided(const struct fixture *f, const struct wish *w, const struct profile *p)
{
	struct cert_spec *s = NULL;

	assert_ok(decide_at(&s, f, w, p, false, f->now, err));
	return s;
}

static void
taken(const struct fixture *f, const struct wish *w, const struct profile *p)
{
	cert_spec_free(decided(f, w, p));
}

static void
refused(const struct fixture *f, const struct wish *w, const struct profile *p, enum rc rc,
    const char *why)
{
	struct cert_spec *s = NULL;

	assert_fails(decide_at(&s, f, w, p, false, f->now, err), rc, why);
	assert_null(s);
}

static void
refused_static(
    const struct fixture *f, const struct wish *w, const struct profile *p, const char *why)
{
	struct cert_spec *s = NULL;

	assert_fails(decide_at(&s, f, w, p, true, f->now, err), RC_DENIED, why);
	assert_null(s);
}

static void
taken_static(const struct fixture *f, const struct wish *w, const struct profile *p)
{
	struct cert_spec *s = NULL;

	assert_ok(decide_at(&s, f, w, p, true, f->now, err));
	cert_spec_free(s);
}

static void
authorization_for_another_request_decides_nothing(void **state)
{
	struct fixture *f = *state;
	struct csr *csr = request(f, &(struct wish){ .challenge = CHALLENGE });
	struct csr *other =
	    request(f, &(struct wish){ .challenge = CHALLENGE, .subject = "CN=admin" });
	struct authorization *a = yes_to(csr);
	struct profile p = sane_profile();
	struct cert_spec *s = NULL;

	assert_fails(
	    cert_spec_decide(&s, a, other, &p, f->ca, f->now, err), RC_BUG, "not for this request");
	assert_fails(cert_spec_decide(&s, NULL, csr, &p, f->ca, f->now, err), RC_BUG,
	    "not for this request");
	assert_null(s);
	authorization_free(a);
	csr_free(csr);
	csr_free(other);
}

static void
subject_attribute_outside_the_list_is_refused_by_name(void **state)
{
	struct profile p = sane_profile();

	taken(*state, &(struct wish){ .subject = "CN=a,O=Contoso,E=a@contoso.com" }, &p);
	refused(*state, &(struct wish){ .subject = "CN=a,OU=Staff" }, &p, RC_DENIED,
	    "subject: OU is not among the attributes of profile wifi");
	refused(*state, &(struct wish){ .subject = "1.2.3.4.5=x,CN=a" }, &p, RC_DENIED,
	    "subject: 1.2.3.4.5 is not");
}

static void
subject_fits_one_of_the_patterns_or_is_refused(void **state)
{
	static const char *const allow[] = { "CN=*.contoso.com", "CN=printer-?,O=Contoso" };
	struct profile p = sane_profile();

	p.subject_allow = allow;
	p.n_subject_allow = 2;
	taken(*state, &(struct wish){ .subject = "CN=pc1.contoso.com" }, &p);
	taken(*state, &(struct wish){ .subject = "CN=pc1.contoso.com,O=Anything" }, &p);
	taken(*state, &(struct wish){ .subject = "O=Contoso,CN=printer-7" }, &p);
	refused(*state, &(struct wish){ .subject = "CN=printer-7" }, &p, RC_DENIED,
	    "subject: CN=printer-7 fits no pattern");
	refused(*state, &(struct wish){ .subject = "CN=printer-77,O=Contoso" }, &p, RC_DENIED,
	    "fits no pattern");
	refused(*state, &(struct wish){ .subject = "O=pc1.contoso.com" }, &p, RC_DENIED,
	    "fits no pattern");
	refused(*state, &(struct wish){ .subject = "CN=pc1.contoso.com.evil.org" }, &p, RC_DENIED,
	    "fits no pattern");
}

static void
pattern_cannot_be_met_across_attributes(void **state)
{
	static const char *const allow[] = { "CN=*.contoso.com" };
	struct profile p = sane_profile();

	p.subject_allow = allow;
	p.n_subject_allow = 1;
	refused(*state, &(struct wish){ .subject = "CN=admin,O=x.contoso.com" }, &p, RC_DENIED,
	    "fits no pattern");
	refused(*state, &(struct wish){ .subject = "O=\"CN=x.contoso.com\",CN=admin" }, &p,
	    RC_DENIED, "fits no pattern");
}

static void
every_common_name_is_checked_not_the_first_one(void **state)
{
	static const char *const allow[] = { "CN=*.contoso.com" };
	struct profile p = sane_profile();

	p.subject_allow = allow;
	p.n_subject_allow = 1;
	taken(*state, &(struct wish){ .subject = "CN=a.contoso.com,CN=b.contoso.com" }, &p);
	refused(*state, &(struct wish){ .subject = "CN=a.contoso.com,CN=admin" }, &p, RC_DENIED,
	    "fits no pattern");
	refused(*state, &(struct wish){ .subject = "CN=admin,CN=a.contoso.com" }, &p, RC_DENIED,
	    "fits no pattern");
	refused(*state, &(struct wish){ .subject = "CN=a.contoso.com+CN=admin" }, &p, RC_DENIED,
	    "fits no pattern");
}

static void
comma_in_a_pattern_is_written_with_a_backslash(void **state)
{
	static const char *const allow[] = { "CN=Doe\\, *" };
	struct profile p = sane_profile();

	p.subject_allow = allow;
	p.n_subject_allow = 1;
	taken(*state, &(struct wish){ .subject = "CN=\"Doe, Jane\"" }, &p);
	refused(*state, &(struct wish){ .subject = "CN=\"Roe, Jane\"" }, &p, RC_DENIED,
	    "fits no pattern");
}

static void
empty_subject_needs_leave_and_an_alternative_name(void **state)
{
	struct profile p = sane_profile();

	refused(*state, &(struct wish){ .subject = "", .san = { "dns:pc1.contoso.com" } }, &p,
	    RC_DENIED, "subject: is empty");
	p.subject_empty_ok = true;
	taken(*state, &(struct wish){ .subject = "", .san = { "dns:pc1.contoso.com" } }, &p);
	refused(
	    *state, &(struct wish){ .subject = "" }, &p, RC_DENIED, "no alternative name either");
}

static void
alternative_name_of_a_type_outside_the_profile_is_refused_by_type(void **state)
{
	struct profile p = sane_profile();

	taken(*state,
	    &(struct wish){ .san = { "upn:jane@contoso.com", "dns:pc1.contoso.com",
				"uri:IntuneDeviceId://1" } },
	    &p);
	refused(*state,
	    &(struct wish){ .san = { "upn:jane@contoso.com", "email:jane@contoso.com" } }, &p,
	    RC_DENIED, "san: email (jane@contoso.com) is not among the types");
}

static void
address_and_directory_names_are_never_taken(void **state)
{
	/* GeneralNames { iPAddress 10.0.0.1 } and { directoryName CN=a } */
	static const uint8_t ip[] = { 0x30, 0x06, 0x87, 0x04, 10, 0, 0, 1 };
	static const uint8_t dir[] = { 0x30, 0x10, 0xa4, 0x0e, 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08,
		0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'a' };
	struct profile p = sane_profile();

	p.san_types = ~0u; /* not even then */
	refused(*state, &(struct wish){ .ext_oid = "2.5.29.17", .ext = ip, .ext_len = sizeof(ip) },
	    &p, RC_DENIED, "san: other");
	refused(*state,
	    &(struct wish){ .ext_oid = "2.5.29.17", .ext = dir, .ext_len = sizeof(dir) }, &p,
	    RC_DENIED, "san: other");
}

static void
alternative_names_fit_the_patterns_of_their_type(void **state)
{
	static const char *const allow[] = { "upn:*@contoso.com", "dns:*.contoso.com",
		"dns:contoso.com" };
	struct profile p = sane_profile();

	p.san_allow = allow;
	p.n_san_allow = 3;
	taken(*state,
	    &(struct wish){ .san = { "upn:jane@contoso.com", "dns:contoso.com", "dns:a.contoso.com",
				"uri:x://any" } },
	    &p);
	refused(*state, &(struct wish){ .san = { "upn:jane@contoso.com", "upn:root@evil.org" } },
	    &p, RC_DENIED, "san: upn:root@evil.org fits no pattern");
	refused(*state, &(struct wish){ .san = { "dns:jane@contoso.com" } }, &p, RC_DENIED,
	    "san: dns:jane@contoso.com fits no pattern");
}

static void
profile_that_needs_an_alternative_name_says_so(void **state)
{
	struct profile p = sane_profile();

	p.san_required = true;
	refused(*state, &(struct wish){ 0 }, &p, RC_DENIED,
	    "san: there is none, and profile wifi needs one");
	taken(*state, &(struct wish){ .san = { "dns:pc1.contoso.com" } }, &p);
}

static void
alternative_names_are_kept_byte_for_byte_and_in_order(void **state)
{
	struct profile p = sane_profile();
	struct cert_spec *s = decided(*state,
	    &(struct wish){ .san = { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1",
				"upn:Jané@contoso.com", "uri:IntuneDeviceId://1" } },
	    &p);

	assert_int_equal(s->san.n, 3);
	assert_string_equal(s->san.v[0].value, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1");
	assert_string_equal(s->san.v[1].value, "Jané@contoso.com");
	assert_string_equal(cert_spec_san(s),
	    "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1 upn:Jané@contoso.com "
	    "uri:IntuneDeviceId://1");
	cert_spec_free(s);
}

static void
sid_tag_passes_only_where_uri_names_do(void **state)
{
	struct profile p = sane_profile();

	p.san_types = 1u << SAN_UPN;
	refused(*state,
	    &(struct wish){ .san = { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1" } }, &p,
	    RC_DENIED, "san: uri");
}

static void
static_challenge_vouches_for_no_subject_without_a_pattern(void **state)
{
	static const char *const allow[] = { "CN=*.contoso.com" };
	struct profile p = sane_profile();

	refused_static(*state, &(struct wish){ 0 }, &p, "subject: a static challenge cannot vouch");
	p.subject_allow = allow;
	p.n_subject_allow = 1;
	taken_static(*state, &(struct wish){ 0 }, &p);
}

static void
static_challenge_vouches_for_no_attribute_that_its_pattern_does_not_name(void **state)
{
	static const char *const allow[] = { "CN=*.contoso.com", "CN=*.contoso.com,O=Contoso" };
	static const char *const free[] = { "CN=pc1.contoso.com,E=admin@contoso.com",
		"CN=pc1.contoso.com,UID=administrator", "CN=pc1.contoso.com,O=Other",
		"CN=pc1.contoso.com,O=Contoso,OU=Domain Admins" };
	static const char *const attributes[] = { "CN", "E", "O", "OU", "UID" };
	struct profile p = sane_profile();
	size_t i;

	p.subject_attributes = attributes;
	p.n_subject_attributes = 5;
	p.subject_allow = allow;
	p.n_subject_allow = 2;
	for (i = 0; i < sizeof(free) / sizeof(free[0]); i++)
		refused_static(*state, &(struct wish){ .subject = free[i] }, &p, "fits no pattern");
	taken_static(*state, &(struct wish){ .subject = "CN=pc1.contoso.com" }, &p);
	taken_static(*state, &(struct wish){ .subject = "O=Contoso,CN=pc1.contoso.com" }, &p);
	taken(*state, &(struct wish){ .subject = free[0] }, &p);
}

static void
static_challenge_vouches_for_no_name_without_a_pattern(void **state)
{
	static const char *const subjects[] = { "CN=*.contoso.com" };
	static const char *const allow[] = { "dns:pc*.contoso.com", "uri:*" };
	struct profile p = sane_profile();

	p.subject_allow = subjects;
	p.n_subject_allow = 1;
	p.san_allow = allow;
	p.n_san_allow = 2;
	taken_static(*state,
	    &(struct wish){ .san = { "dns:pc1.contoso.com", "uri:IntuneDeviceId://1" } }, &p);
	refused_static(
	    *state, &(struct wish){ .san = { "dns:dc1.contoso.com" } }, &p, "fits no pattern");
	refused_static(*state, &(struct wish){ .san = { "upn:admin@contoso.com" } }, &p,
	    "a static challenge cannot vouch for upn");
}

static void
static_challenge_vouches_for_host_names_only(void **state)
{
	static const char *const subjects[] = { "CN=*.contoso.com" };
	static const char *const allow[] = { "dns:*.contoso.com" };
	static const char *const odd[] = {
		"dns:evil.com,DNS:a.contoso.com", "dns:evil.com/.contoso.com",
		"dns:evil.com .contoso.com", "dns:*.contoso.com", "dns:..contoso.com",
		"dns:-a.contoso.com", "dns:a-.contoso.com",
		"dns:0123456789012345678901234567890123456789012345678901234567890123.contoso.com"
	};
	struct profile p = sane_profile();
	size_t i;

	p.subject_allow = subjects;
	p.n_subject_allow = 1;
	p.san_allow = allow;
	p.n_san_allow = 1;
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		refused_static(*state, &(struct wish){ .san = { odd[i] } }, &p, "is no host name");
	taken_static(*state, &(struct wish){ .san = { "dns:PC_1.b-c.contoso.com" } }, &p);
	taken(*state, &(struct wish){ .san = { "dns:Jane's iPhone.contoso.com" } }, &p);
}

static void
static_challenge_vouches_for_no_account_unless_a_pattern_spells_it_out(void **state)
{
	static const char *const subjects[] = { "CN=*.contoso.com" };
	static const char *const loose[] = { "uri:*" },
				 *const exact[] = {
					 "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-7-*"
				 };
	struct profile p = sane_profile();

	p.subject_allow = subjects;
	p.n_subject_allow = 1;
	p.san_allow = loose;
	p.n_san_allow = 1;
	refused_static(*state,
	    &(struct wish){ .san = { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-7-500" } }, &p,
	    "account");
	refused_static(*state,
	    &(struct wish){ .san = { "uri:TAG:Microsoft.com,2022-09-14:SID:S-1-5-21-7-500" } }, &p,
	    "account");
	p.san_allow = exact;
	taken_static(*state,
	    &(struct wish){ .san = { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-7-500" } }, &p);
	refused_static(*state,
	    &(struct wish){ .san = { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-8-500" } }, &p,
	    "fits no pattern");
}

static void
key_usage_is_the_allowed_part_of_the_wish(void **state)
{
	static const struct {
		unsigned wish, want;
	} rows[] = {
		{ KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
		{ KU_KEY_ENCIPHERMENT, KU_KEY_ENCIPHERMENT },
		{ KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT, KU_KEY_ENCIPHERMENT },
		{ KU_NON_REPUDIATION, KU_DIGITAL_SIGNATURE }, /* nothing left: the default */
		{ 0, KU_DIGITAL_SIGNATURE },
		{ KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN, KU_DIGITAL_SIGNATURE },
		{ KU_KEY_CERT_SIGN | KU_CRL_SIGN, KU_DIGITAL_SIGNATURE },
	};
	struct profile p = sane_profile();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cert_spec *s =
		    decided(*state, &(struct wish){ .key_usage = rows[i].wish }, &p);

		assert_int_equal(s->key_usage, rows[i].want);
		cert_spec_free(s);
	}
}

static void
elliptic_keys_get_no_encipherment(void **state)
{
	struct fixture *f = *state;
	struct profile p = sane_profile();
	struct cert_spec *s;

	s = decided(f,
	    &(struct wish){
		.key = f->p256, .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	    &p);
	assert_int_equal(s->key_usage, KU_DIGITAL_SIGNATURE);
	cert_spec_free(s);
	p.key_usage_default = KU_KEY_ENCIPHERMENT;
	refused(f, &(struct wish){ .key = f->p256, .key_usage = KU_KEY_ENCIPHERMENT }, &p,
	    RC_DENIED, "key usage: profile wifi has none");
}

static void
assert_ekus(const struct cert_spec *s, const char *const *want)
{
	size_t i;

	for (i = 0; want[i] != NULL; i++) {
		assert_true(i < s->n_eku);
		assert_string_equal(s->eku[i], want[i]);
	}
	assert_int_equal(s->n_eku, i);
}

static void
eku_outside_the_list_is_dropped_and_never_leaves_none(void **state)
{
	static const struct {
		const char *wish[6], *want[6];
	} rows[] = {
		{ { NULL }, { CLIENT_AUTH } }, { { CLIENT_AUTH }, { CLIENT_AUTH } },
		{ { SERVER_AUTH }, { SERVER_AUTH } },
		{ { SERVER_AUTH, CLIENT_AUTH }, { SERVER_AUTH, CLIENT_AUTH } },
		{ { CLIENT_AUTH, CLIENT_AUTH }, { CLIENT_AUTH } },
		{ { CLIENT_AUTH, "1.3.6.1.5.5.7.3.9" }, { CLIENT_AUTH } }, /* OCSPSigning */
		{ { "1.3.6.1.5.5.7.3.9" }, { CLIENT_AUTH } },
		{ { "1.3.6.1.5.5.7.3.8" }, { CLIENT_AUTH } },      /* timeStamping */
		{ { "1.3.6.1.5.5.7.3.3" }, { CLIENT_AUTH } },      /* codeSigning */
		{ { "2.5.29.37.0" }, { CLIENT_AUTH } },            /* anyExtendedKeyUsage */
		{ { "1.3.6.1.4.1.311.20.2.2" }, { CLIENT_AUTH } }, /* smartcardLogon */
		{ { "1.3.6.1.4.1.311.20.2.1" }, { CLIENT_AUTH } }, /* Certificate Request Agent */
	};
	struct profile p = sane_profile();
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish w = { 0 };
		struct cert_spec *s;

		memcpy(w.eku, rows[i].wish, sizeof(w.eku));
		s = decided(*state, &w, &p);
		assert_ekus(s, rows[i].want);
		cert_spec_free(s);
	}
}

static void
key_type_and_size_outside_the_profile_are_refused_as_algorithms(void **state)
{
	struct fixture *f = *state;
	struct profile p = sane_profile();

	taken(f, &(struct wish){ .key = f->rsa }, &p);
	taken(f, &(struct wish){ .key = f->p256 }, &p);
	refused(f, &(struct wish){ .key = f->rsa3072 }, &p, RC_ALG,
	    "key: rsa3072 is not among the keys of profile wifi");
	refused(f, &(struct wish){ .key = f->p384, .digest = DIGEST_SHA384 }, &p, RC_ALG,
	    "key: ec-p384");
	p.rsa_min = p.rsa_max = 3072;
	p.ec_p256 = false;
	p.ec_p384 = true;
	refused(f, &(struct wish){ .key = f->rsa }, &p, RC_ALG, "key: rsa2048");
	refused(f, &(struct wish){ .key = f->p256 }, &p, RC_ALG, "key: ec-p256");
	taken(f, &(struct wish){ .key = f->p384, .digest = DIGEST_SHA384 }, &p);
	p.rsa_min = p.rsa_max = 0;
	refused(f, &(struct wish){ .key = f->rsa }, &p, RC_ALG, "key: rsa2048");
}

static void
sha1_signed_request_needs_leave(void **state)
{
	struct profile p = sane_profile();

	refused(*state, &(struct wish){ .digest = DIGEST_SHA1 }, &p, RC_ALG, "SHA-1");
	p.sha1_csr_ok = true;
	taken(*state, &(struct wish){ .digest = DIGEST_SHA1 }, &p);
}

static void
assert_life(const struct fixture *f, const struct profile *p, const char *period, const char *units,
    int64_t days)
{
	struct cert_spec *s = decided(f, &(struct wish){ .period = period, .units = units }, p);

	assert_int_equal(cert_spec_not_after(s) - f->now, days * DAY);
	assert_int_equal(f->now - cert_spec_not_before(s), p->backdate);
	cert_spec_free(s);
}

static void
validity_is_the_wish_up_to_the_cap(void **state)
{
	struct profile p = sane_profile();

	p.backdate = 3600;
	assert_life(*state, &p, NULL, NULL, 365);
	assert_life(*state, &p, "Days", "30", 30);
	assert_life(*state, &p, "Years", "1", 365);
	assert_life(*state, &p, "Years", "5", 730);
	assert_life(*state, &p, "nonsense", "5", 365);
	p.validity_from_request = false;
	assert_life(*state, &p, "Days", "30", 365);
	p.validity_max = 10 * DAY;
	assert_life(*state, &p, NULL, NULL, 10);
}

static void
validity_never_passes_the_ca_s_own_end(void **state)
{
	struct fixture *f = *state;
	struct profile p = sane_profile();
	int64_t end = cert_not_after(ca_cert0(f->ca));
	struct cert_spec *s = NULL;

	assert_ok(decide_at(&s, f, &(struct wish){ 0 }, &p, false, end - 10 * DAY, err));
	assert_int_equal(cert_spec_not_after(s), end);
	cert_spec_free(s);
	s = NULL;
	assert_fails(decide_at(&s, f, &(struct wish){ 0 }, &p, false, end, err), RC_DENIED,
	    "validity: the CA issuing");
	assert_fails(decide_at(&s, f, &(struct wish){ 0 }, &p, false, end + DAY, err), RC_DENIED,
	    "validity: the CA issuing");
	assert_null(s);
}

static void
backdating_stops_at_the_ca_s_own_beginning(void **state)
{
	struct fixture *f = *state;
	struct profile p = sane_profile();
	int64_t begin = cert_not_before(ca_cert0(f->ca));
	struct cert_spec *s = NULL;

	assert_ok(decide_at(&s, f, &(struct wish){ 0 }, &p, false, begin + 60, err));
	assert_int_equal(cert_spec_not_before(s), begin);
	cert_spec_free(s);
	s = NULL;
	assert_fails(decide_at(&s, f, &(struct wish){ 0 }, &p, false, begin - 60, err), RC_DENIED,
	    "validity");
}

static void
wish_to_be_a_ca_and_sid_extension_change_nothing(void **state)
{
	/* BasicConstraints { cA TRUE, pathLen 0 }; an OCTET STRING in place of a SID. */
	static const uint8_t ca[] = { 0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00 };
	static const uint8_t sid[] = { 0x30, 0x00 };
	static const struct {
		const char *oid;
		const void *value;
		size_t len;
	} hostile[] = {
		{ "2.5.29.19", ca, sizeof(ca) }, { OID_SID_EXTENSION, sid, sizeof(sid) },
		{ "2.5.29.30", sid, sizeof(sid) },            /* nameConstraints */
		{ "2.5.29.33", sid, sizeof(sid) },            /* policyMappings */
		{ "1.3.6.1.4.1.311.21.7", sid, sizeof(sid) }, /* template */
	};
	struct profile p = sane_profile();
	size_t i;

	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct cert_spec *s = decided(*state,
		    &(struct wish){ .ext_oid = hostile[i].oid,
			.ext = hostile[i].value,
			.ext_len = hostile[i].len },
		    &p);

		assert_int_equal(s->san.n, 0);
		assert_int_equal(s->key_usage, KU_DIGITAL_SIGNATURE);
		assert_ekus(s, (const char *const[]){ CLIENT_AUTH, NULL });
		cert_spec_free(s);
	}
}

static void
subject_is_kept_as_it_was_encoded(void **state)
{
	struct profile p = sane_profile();
	struct csr *csr = request(
	    *state, &(struct wish){ .challenge = CHALLENGE, .subject = "O=Contoso,CN=Jané" });
	struct authorization *a = yes_to(csr);
	struct fixture *f = *state;
	struct cert_spec *s = NULL;

	assert_ok(cert_spec_decide(&s, a, csr, &p, f->ca, f->now, err));
	assert_int_equal(s->subject.der_len, csr_subject0(csr)->der_len);
	assert_memory_equal(s->subject.der, csr_subject0(csr)->der, s->subject.der_len);
	assert_string_equal(cert_spec_subject(s), "O=Contoso,CN=Jané");
	cert_spec_free(s);
	authorization_free(a);
	csr_free(csr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authorization_for_another_request_decides_nothing),
		cmocka_unit_test(subject_attribute_outside_the_list_is_refused_by_name),
		cmocka_unit_test(subject_fits_one_of_the_patterns_or_is_refused),
		cmocka_unit_test(pattern_cannot_be_met_across_attributes),
		cmocka_unit_test(every_common_name_is_checked_not_the_first_one),
		cmocka_unit_test(comma_in_a_pattern_is_written_with_a_backslash),
		cmocka_unit_test(empty_subject_needs_leave_and_an_alternative_name),
		cmocka_unit_test(alternative_name_of_a_type_outside_the_profile_is_refused_by_type),
		cmocka_unit_test(address_and_directory_names_are_never_taken),
		cmocka_unit_test(alternative_names_fit_the_patterns_of_their_type),
		cmocka_unit_test(profile_that_needs_an_alternative_name_says_so),
		cmocka_unit_test(alternative_names_are_kept_byte_for_byte_and_in_order),
		cmocka_unit_test(sid_tag_passes_only_where_uri_names_do),
		cmocka_unit_test(static_challenge_vouches_for_no_subject_without_a_pattern),
		cmocka_unit_test(
		    static_challenge_vouches_for_no_attribute_that_its_pattern_does_not_name),
		cmocka_unit_test(static_challenge_vouches_for_no_name_without_a_pattern),
		cmocka_unit_test(static_challenge_vouches_for_host_names_only),
		cmocka_unit_test(
		    static_challenge_vouches_for_no_account_unless_a_pattern_spells_it_out),
		cmocka_unit_test(key_usage_is_the_allowed_part_of_the_wish),
		cmocka_unit_test(elliptic_keys_get_no_encipherment),
		cmocka_unit_test(eku_outside_the_list_is_dropped_and_never_leaves_none),
		cmocka_unit_test(key_type_and_size_outside_the_profile_are_refused_as_algorithms),
		cmocka_unit_test(sha1_signed_request_needs_leave),
		cmocka_unit_test(validity_is_the_wish_up_to_the_cap),
		cmocka_unit_test(validity_never_passes_the_ca_s_own_end),
		cmocka_unit_test(backdating_stops_at_the_ca_s_own_beginning),
		cmocka_unit_test(wish_to_be_a_ca_and_sid_extension_change_nothing),
		cmocka_unit_test(subject_is_kept_as_it_was_encoded),
	};

	return cmocka_run_group_tests_name("decide", tests, fixture_new, fixture_free);
}
