/*
 * name_labels.c - the attribute types of names that have a name of their own.
 */
#include "ossl/name_labels.h"

#include <string.h>
#include <strings.h>

#include "ossl/der.h"

/* RFC 5280 A.1 for the string types; RFC 4519 and CertStrToName for the spellings. */
static const struct name_label labels[] = {
	{ "CN", "2.5.4.3", DER_UTF8 },
	{ "E", "1.2.840.113549.1.9.1", DER_IA5 },
	{ "OU", "2.5.4.11", DER_UTF8 },
	{ "O", "2.5.4.10", DER_UTF8 },
	{ "L", "2.5.4.7", DER_UTF8 },
	{ "ST", "2.5.4.8", DER_UTF8 },
	{ "C", "2.5.4.6", DER_PRINTABLE },
	{ "DC", "0.9.2342.19200300.100.1.25", DER_IA5 },
	{ "SERIALNUMBER", "2.5.4.5", DER_UTF8 },
	{ "UID", "0.9.2342.19200300.100.1.1", DER_UTF8 },
	{ "SN", "2.5.4.4", DER_UTF8 },
	{ "G", "2.5.4.42", DER_UTF8 },
	{ "I", "2.5.4.43", DER_UTF8 },
	{ "T", "2.5.4.12", DER_UTF8 },
	{ "STREET", "2.5.4.9", DER_UTF8 },
	{ "POSTALCODE", "2.5.4.17", DER_UTF8 },
	{ "DESCRIPTION", "2.5.4.13", DER_UTF8 },
	{ "DNQUALIFIER", "2.5.4.46", DER_UTF8 },
	{ "PSEUDONYM", "2.5.4.65", DER_UTF8 },
	{ "UNSTRUCTUREDNAME", "1.2.840.113549.1.9.2", DER_UTF8 },
	{ "UNSTRUCTUREDADDRESS", "1.2.840.113549.1.9.8", DER_UTF8 },
};

static const struct {
	const char *key, *label;
} spellings[] = {
	{ "COMMONNAME", "CN" },
	{ "EMAILADDRESS", "E" },
	{ "EMAIL", "E" },
	{ "S", "ST" },
	{ "SURNAME", "SN" },
	{ "GN", "G" },
	{ "GIVENNAME", "G" },
	{ "INITIALS", "I" },
	{ "TITLE", "T" },
	{ "USERID", "UID" },
	{ "STREETADDRESS", "STREET" },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

const struct name_label *
name_label_by_oid(const char *oid)
{
	size_t i;

	for (i = 0; i < N(labels); i++)
		if (strcmp(labels[i].oid, oid) == 0)
			return &labels[i];
	return NULL;
}

const struct name_label *
name_label_by_key(const char *key)
{
	size_t i;

	for (i = 0; i < N(spellings); i++)
		if (strcasecmp(spellings[i].key, key) == 0)
			key = spellings[i].label;
	for (i = 0; i < N(labels); i++)
		if (strcasecmp(labels[i].label, key) == 0)
			return &labels[i];
	return NULL;
}
