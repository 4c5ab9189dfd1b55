/*
 * init_files.c - the texts that scepctl init writes: scepd.yaml and an example of Microsoft's
 * properties.
 */
#include "scepctl/init_files.h"

#include "scepd/tenant.h"

static void
yaml_key(struct buf *b, const char *key, const char *uri, const char *file)
{
	if (uri != NULL)
		buf_addf(b, "    %s: \"%s\"\n", key, uri);
	else if (file != NULL)
		buf_addf(b, "    %s: %s\n", key, file);
}

static void
yaml_ca(struct buf *b, const struct init_text *t)
{
	buf_adds(b, "cas:\n  issuing:\n    certificate: ca/issuing.pem\n");
	yaml_key(b, "key", t->key, "ca/issuing.key");
	buf_adds(b,
	    "    chain: [ca/root.pem]\n"
	    "    # What devices encrypt to and verify replies with; never signs certificates.\n"
	    "    ra_certificate: ca/ra.pem\n");
	yaml_key(b, "ra_key", t->ra_key, "ca/ra.key");
	yaml_key(b, "passphrase_file", t->passphrase_file, NULL);
	yaml_key(b, "pin_file", t->pin_file, NULL);
	buf_adds(b, "    crl_validity: 7d\n\n");
	if (t->module != NULL)
		buf_addf(b,
		    "# The library of the token that holds the keys.  What it opens and calls "
		    "beside system libraries is named\n"
		    "# too, or refused: its files in paths: [...], a daemon's in sockets: [...], a "
		    "token by network: true.\n"
		    "pkcs11:\n  module: \"%s\"\n\n",
		    t->module);
}

static void
yaml_server(struct buf *b, const struct init_text *t)
{
	buf_addf(b,
	    "# scepd.yaml of %s.  Every key: scepd.yaml(5).  After a change: scepctl check "
	    "--config THIS FILE, then restart scepd\n"
	    "# Relative paths count from the folder of this file.\n\n",
	    t->name);
	buf_addf(b,
	    "# Where devices connect.  Add a listener with certificate: and key: (PEM files) for "
	    "HTTPS, which Android demands.\n"
	    "listeners:\n  - address: \"%s\"\n\n",
	    t->listen);
	if (t->admin != NULL)
		buf_addf(b,
		    "# /metrics, /healthz and /readyz; keep this one private.  The admin API needs "
		    "tokens: scepctl admin token NAME\nadmin:\n  address: "
		    "\"%s\"\n  #tokens_file: admin.tokens\n\n",
		    t->admin);
	else
		buf_adds(b,
		    "# /metrics, /healthz and /readyz; keep this one private.  The admin API needs "
		    "tokens: scepctl admin token NAME\n#admin:\n#  "
		    "address: \"127.0.0.1:9080\"\n#  tokens_file: admin.tokens\n\n");
	if (t->url != NULL)
		buf_addf(b,
		    "# How everybody reaches this server; certificates say that the CRL and the CA "
		    "certificate are below it.\n"
		    "public_url: \"%s\"\n\n",
		    t->url);
	else
		buf_adds(b,
		    "# How everybody reaches this server.  Set it before real certificates are "
		    "issued: they say that the CRL and\n"
		    "# the CA certificate are below this address, and without it they say "
		    "nothing.\n"
		    "#public_url: \"http://ca.example.com\"\n\n");
	buf_adds(b,
	    "# Started as root, scepd runs what faces the network and what has the keys under "
	    "accounts of their own.  The front's\n"
	    "# needs a folder for the database: see AS A SERVICE in scepd(8).\n"
	    "#processes:\n#  front_user: scepd-front\n#  signer_user: scepd-signer\n\n");
	buf_adds(b,
	    "store:\n  url: sqlite:scepd.db\n\nlog:\n  level: info   # debug, info, warn, error\n  "
	    "format: text  # or json\n\n");
	yaml_ca(b, t);
}

static void
yaml_intune_profile(struct buf *b)
{
	buf_adds(b,
	    "  # Intune has compared subject and alternative names with the SCEP profile before "
	    "anything is issued.\n"
	    "  intune:\n"
	    "    # What the SCEP profile may ask for; usages beyond it are dropped.  Add "
	    "serverAuth, emailProtection,\n"
	    "    # ipsecIKE, smartcardLogon or an OID where it is needed.\n"
	    "    eku: { allow: [clientAuth] }\n"
	    "    key_usage: { allow: [digitalSignature, keyEncipherment] }\n"
	    "    san: { types: [email, upn, dns, uri] }\n"
	    "    keys: { rsa: { min: 2048, max: 4096 } }\n"
	    "    # Windows and Android send the validity of their profile; Apple devices never do "
	    "and get the default.\n"
	    "    validity: { default: 365d, max: 730d }\n"
	    "    # For devices whose clock is late while they are set up.\n"
	    "    backdate: 24h\n");
}

static void
yaml_static_profile(struct buf *b, const char *domain)
{
	buf_addf(b,
	    "  # A shared secret does not say who asks, so the names are bounded here.\n"
	    "  lab:\n"
	    "    subject: { allow: [\"CN=*.%s\"] }\n"
	    "    san: { types: [dns], allow: [\"dns:*.%s\"] }\n"
	    "    eku: { allow: [clientAuth, serverAuth], default: [clientAuth] }\n"
	    "    validity: { default: 90d, max: 365d }\n",
	    domain, domain);
}

static void
yaml_endpoints(struct buf *b, const struct init_text *t)
{
	if (t->tenant != NULL)
		buf_addf(b,
		    "# Microsoft's properties file as it is; holds the client secret, so mode "
		    "0600.\n"
		    "tenants:\n  %s:\n    properties: %s.properties\n\n",
		    t->tenant, t->tenant);
	buf_adds(b, "profiles:\n");
	if (t->tenant != NULL)
		yaml_intune_profile(b);
	if (t->domain != NULL)
		yaml_static_profile(b, t->domain);
	buf_adds(b,
	    "\n# /scep/NAME each; default is /certsrv/mscep/mscep.dll too.  Who decides: "
	    "challenge: "
	    "intune, static, otp, approval\n# or webhook; scepd.yaml(5) has an example of each.\n"
	    "endpoints:\n");
	if (t->tenant != NULL)
		buf_addf(b,
		    "  default: { ca: issuing, profile: intune, challenge: intune, tenant: %s }\n",
		    t->tenant);
	if (t->domain != NULL)
		buf_adds(b,
		    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: "
		    "lab.secret }\n");
}

void
init_yaml(struct buf *out, const struct init_text *t)
{
	yaml_server(out, t);
	yaml_endpoints(out, t);
}

void
init_properties(struct buf *out)
{
	buf_adds(out,
	    "# The app registration in Entra ID that may ask Intune: application permissions "
	    "Intune scep_challenge_provider and\n"
	    "# Microsoft Graph Application.Read.All, with admin consent.  Names and file are those "
	    "of Microsoft's own library.\n"
	    "AAD_APP_ID=" TENANT_FILL_IN "-the-application-client-id\n"
	    "AAD_APP_KEY=" TENANT_FILL_IN "-the-client-secret-value\n"
	    "TENANT=" TENANT_FILL_IN "-the-tenant-id-or-domain\n"
	    "PROVIDER_NAME_AND_VERSION=scepd\n"
	    "# An HTTP proxy on the way to Microsoft:\n"
	    "#PROXY_HOST=\n#PROXY_PORT=\n#PROXY_USER=\n#PROXY_PASS=\n");
}
