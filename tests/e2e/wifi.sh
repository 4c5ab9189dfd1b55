#!/usr/bin/env bash
# wifi: a laptop at an access point whose FreeRADIUS looks at CRLs, or asks by OCSP: it is let in with a certificate of scepd, and refused once
# that is revoked.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/radius.sh"
. "$(dirname "$0")/../lib/relying.sh"
needs_radius
lab_ca
start_scepd || die "scepd starts"
make_server_certificate || die "a certificate for RADIUS"
for name in stays lost gone; do enrol $name; done

lets_in() { wifi "$T/$1/cert.pem" "$T/$1/key.pem"; }
keeps_out() { wifi_refused "$T/$1/cert.pem" "$T/$1/key.pem" "$2" "$3"; }

# ---- by CRL ----
make_radius by-crl "check_crl = yes"
cat "$ISSUING" "$ROOT" >"$T/by-crl/trust.pem"
fetch_crl "$T/by-crl/trust" || die "a CRL for FreeRADIUS"
start_radius by-crl || die "FreeRADIUS starts"
claim "FreeRADIUS with a CRL: a laptop with a certificate of scepd is let in" lets_in lost
began=$(date +%s%N)
revoke lost keyCompromise || die "revoke"
shut_out() { fetch_crl "$T/by-crl/trust" && keeps_out lost 'certificate revoked' by-crl; }
claim "... refused once it is revoked, with that as the reason" within 30 shut_out
tell "from scepctl revoke to the refusal, by CRL" "$began"
claim "... while another is let in" lets_in stays
stop_radius

# ---- by OCSP, at the URL that the certificate names ----
make_radius by-ocsp "ocsp {; enable = yes; override_cert_url = no; use_nonce = yes; softfail = no; timeout = 5; }"
cat "$ISSUING" "$ROOT" >"$T/by-ocsp/trust.pem"
start_radius by-ocsp || die "FreeRADIUS starts"
claim "FreeRADIUS with OCSP: a laptop is let in" lets_in gone
claim "... the one that is on the CRL is not" keeps_out lost 'certificate has been revoked|revoked' by-ocsp
began=$(date +%s%N)
revoke gone cessationOfOperation || die "revoke"
claim "... nor one from its revocation on" within 30 keeps_out gone 'revoked' by-ocsp
tell "from scepctl revoke to the refusal, by OCSP" "$began"
claim "... while another is let in" lets_in stays
stop_scepd
claim "... and nobody, as it is set up here, while no responder answers" keeps_out stays 'OCSP|ocsp' by-ocsp
stop_radius
