#!/usr/bin/env bash
# strongSwan's pki --scepca and pki --scep: every cipher and digest it offers, refusals, a repeat, a CA with elliptic keys.
#
# pki 5.9.8 mixes up the capability bits: it believes in AES only if SHA-384 is listed, and POSTs whether or not
# POSTPKIOperation is.  With the list that scepd sends by default it works; see docs/interop.md.
. "$SCEPD_TOP/tests/lib/env.sh"
. "$SCEPD_TOP/tests/interop/common.bash"
. "$SCEPD_TOP/tests/interop/clients.bash"
client="strongSwan pki"
needs pki strongswan-pki

has_san() { [ "$(ext "$1" subjectAltName)" = "DNS:$2" ]; }
its_certificates() { same_certificate "$1/ca.pem" "$ROOT" && same_certificate "$1/ca-1.pem" "$ISSUING" && same_certificate "$1/ra.pem" "$RA"; }

lab_ca
profile old "keys: { rsa: { min: 2048 } }, sha1_csr: true"
endpoint old old
endpoint renew lab "renewal: { window: 100 }" # at any time of a certificate's life
echo "  asks: { ca: issuing, profile: lab, challenge: approval }" >>"$CONFIG"
serve
mkdir "$T/s"
claim "$client: fetches root, issuing CA and RA and tells them apart" pki_get_ca "$URL" "$T/s"
claim "$client: ... they are ours" its_certificates "$T/s"
claim "$client: ... it trusts the chain of the RA" grep -q "^RA cert is trusted" "$T/s/ca.log"

pki_key "$T/s/key.pem"
name=gate.lab.contoso.com
claim "$client: enrols with its defaults" pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/cert.pem" --password "$CHALLENGE"
claim_log "$client: ... over AES and SHA-256" http=POST type=19 cipher=aes128cbc digest=sha256 kt=rsa result=SUCCESS
claim_certificate "$T/s/cert.pem" "$T/s/key.pem" $name
claim "$client: ... has the alternative name asked for" has_san "$T/s/cert.pem" $name
claim "$client: ... it trusts the certificate" grep -q "^Issued certificate is trusted" "$T/s/cert.pem.err"

again() { pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/again.pem" --password "$CHALLENGE" && same_certificate "$T/s/again.pem" "$T/s/cert.pem"; }
claim "$client: the same request again gets the same certificate" again
claim "$client: (the certificate is revoked)" revoke "$T/s/again.pem"
anew() { pki_enrol "$URL" "$T/s" $name "$T/s/key.pem" "$T/s/anew.pem" --password "$CHALLENGE" && ! same_certificate "$T/s/anew.pem" "$T/s/cert.pem"; }
claim "$client: ... then the same request gets a new one" anew
claim "$client: ... which holds the same key" same_key "$T/s/anew.pem" "$T/s/key.pem"

# Everything it offers.  With --digest sha1 it signs the CSR with SHA-1 too, which a profile has to allow (sha1_csr).
matrix() { # CIPHER DIGEST URL
	local out=$T/s/$1-$2.pem
	pki_enrol "$3" "$T/s" "$1-$2.lab.contoso.com" "$T/s/key.pem" "$out" --password "$CHALLENGE" --cipher "$1" --digest "$2" && verifies "$out"
}
for cipher in aes des3; do
	for digest in sha1 sha256 sha384 sha512; do
		url=$URL logged=aes128cbc
		[ $cipher = aes ] || logged=des3cbc
		[ $digest != sha1 ] || url=$SCEPD/scep/old
		claim "$client: enrols with $cipher and $digest" matrix $cipher $digest "$url" &&
			claim_log "$client: ... and the log says so" cipher=$logged digest=$digest result=SUCCESS
	done
done

# refused NAME REASON [arguments]: it reports a signed FAILURE with this failInfo and writes no certificate
refused() {
	local out=$T/s/refused.pem who=$1 why=$2
	shift 2
	! pki_enrol "$URL" "$T/s" "$who" "$T/s/key.pem" "$out" "$@" && [ ! -s "$out" ] && grep -q "failInfo: *$why" "$out.err" && nobody_has "$who"
}
claim "$client: a wrong challenge is refused and it says badRequest" refused wrong.lab.contoso.com badRequest --password not-the-challenge
claim_log "$client: ... and the log names the step" result=FAILURE failInfo=2 step=auth
claim "$client: ... and says where to look" hints challenge_file
claim "$client: no challenge is refused and it says badRequest" refused none.lab.contoso.com badRequest
claim "$client: a name outside the profile is refused" refused www.evil.example badRequest --password "$CHALLENGE"
claim_log "$client: ... and the log names the step" result=FAILURE failInfo=2 step=policy
claim "$client: ... and says where to look" hints scepd.yaml
claim "$client: a CSR signed with SHA-1 is refused where the profile does not allow it" \
	refused weak-csr.lab.contoso.com badAlg --password "$CHALLENGE" --digest sha1
claim "$client: SHA-224, which is not in GetCACaps, is refused as badAlg" refused sha224.lab.contoso.com badAlg --password "$CHALLENGE" --digest sha224
claim "$client: RSASSA-PSS, which SCEP does not have, is refused as badAlg" refused pss.lab.contoso.com badAlg --password "$CHALLENGE" --rsa-padding pss

# Renewal: RenewalReq (17), signed with the certificate that is replaced, for another key
start_tap
R=$T/r
cp -r "$T/s" "$R"
pki_key "$R/new.key" && pki_key "$R/third.key"
claim "$client: (enrols at an endpoint that renews at any time)" \
	pki_enrol "$TAP/scep/renew" "$R" $name "$R/key.pem" "$R/cert.pem" --password "$CHALLENGE"
# renew CERT KEY NEWKEY OUT [arguments]
renew() { pki_enrol "${AT:-$TAP/scep/renew}" "$R" "${WHO:-$name}" "$3" "$4" --cert "$1" --key "$2" "${@:5}"; }
not_renewed() { # CERT KEY [arguments]
	! renew "$1" "$2" "$R/third.key" "$R/refused.pem" "${@:3}" && [ ! -s "$R/refused.pem" ] && grep -q 'failInfo: *badRequest' "$R/refused.pem.err"
}
claim "$client: R05, Q17: renews with --cert and --key, for another key, without a challenge" renew "$R/cert.pem" "$R/key.pem" "$R/new.key" "$R/new.pem"
claim_log "$client: ... by RenewalReq, and the log says that it is one" http=POST type=17 renewal=1 cipher=aes128cbc digest=sha256 kt=rsa result=SUCCESS
claim_certificate "$R/new.pem" "$R/new.key" $name
claim "$client: ... it trusts the certificate" grep -q "^Issued certificate is trusted" "$R/new.pem.err"
to_the_old() { issued "$T/tap/2.rep" "$R/key.pem" >"$R/opened.pem" && same_certificate "$R/opened.pem" "$R/new.pem" && ! issued "$T/tap/2.rep" "$R/new.key"; }
claim "$client: R06: ... the reply was enveloped to the old certificate's key, as openssl opens it" to_the_old
claim "$client: the renewed certificate can be renewed in turn, with 3DES and SHA-512" \
	renew "$R/new.pem" "$R/new.key" "$R/third.key" "$R/third.pem" --cipher des3 --digest sha512
claim "$client: R09, Q40: a wrong challenge is refused, though the certificate would do without" not_renewed "$R/new.pem" "$R/new.key" --password not-the-challenge
claim_log "$client: ... and the log names the step" type=17 renewal=1 result=FAILURE failInfo=2 step=auth
WHO=other.lab.contoso.com
claim "$client: S07: another name than the certificate's is refused" not_renewed "$R/new.pem" "$R/new.key"
WHO=
AT=$URL
claim "$client: (enrols where a certificate is renewed in its last days)" \
	pki_enrol "$URL" "$R" early.lab.contoso.com "$R/key.pem" "$R/early.pem" --password "$CHALLENGE"
WHO=early.lab.contoso.com
claim "$client: ... it is too early there without a challenge" not_renewed "$R/early.pem" "$R/key.pem"
claim "$client: ... and never too early with the right one" renew "$R/early.pem" "$R/key.pem" "$R/new.key" "$R/late.pem" --password "$CHALLENGE"
WHO=
claim "$client: S06: a certificate of another endpoint is refused" not_renewed "$R/cert.pem" "$R/key.pem"
elsewhere=$(field hint) told=$(field reason)
AT=
revoke "$R/new.pem" >"$T/revoke.log" || die "a certificate is revoked"
claim "$client: S06: a revoked certificate is refused" not_renewed "$R/new.pem" "$R/new.key"
revoked=$(field hint)
claim "$client: S09: ... it hears the same as of the other endpoint's" test -n "$told" -a "$told" = "$(field reason)"
claim "$client: ... only the log tells them apart" test -n "$revoked" -a "$revoked" != "$elsewhere"
pki --self --in "$R/key.pem" --type rsa --dn "CN=$name" --san $name --outform pem >"$R/self.pem" 2>"$R/self.err"
claim "$client: R07: a self-signed one is refused" not_renewed "$R/self.pem" "$R/key.pem"

# PENDING: an administrator decides, and it asks again by CertPoll (20)
ask() { PKI_SECONDS=60 pki_enrol "$SCEPD/scep/asks" "$R" "$1" "$R/key.pem" "$R/$1.pem" --interval 1 --maxpolltime 50; }
asked() { # NAME COMMAND...: it asks, and meanwhile an administrator does that; its end is what counts
	local status
	ask "$1" &
	"${@:2}" || { wait $!; return 1; }
	wait $!
}
rm -f "$R"/*.lab.contoso.com.pem
claim "$client: R33, R34: it waits while PENDING, polls, and has its certificate when an administrator has approved" \
	asked waits.lab.contoso.com decide approve waits.lab.contoso.com --yes
claim_log "$client: ... by CertPoll" http=POST type=20 result=SUCCESS
claim_certificate "$R/waits.lab.contoso.com.pem" "$R/key.pem" waits.lab.contoso.com
denied() {
	! asked denied.lab.contoso.com decide deny denied.lab.contoso.com --reason "not in the inventory" && [ ! -s "$R/denied.lab.contoso.com.pem" ] &&
		grep -q 'failInfo: *badRequest' "$R/denied.lab.contoso.com.pem.err"
}
claim "$client: ... or hears of the refusal" denied
claim_log "$client: ... by CertPoll, too" http=POST type=20 result=FAILURE failInfo=2

# A CA with elliptic keys: only the RA's is RSA.  (ECDSA needs strongSwan's openssl plugin.)
stop_scepd
mv "$T/ca" "$T/ca.rsa"
lab_ca --root-key ec:p384 --issuing-key ec:p256
serve
mkdir "$T/e"
if pki --gen --type ecdsa --size 256 >/dev/null 2>&1; then
	claim "$client: fetches the certificates of a CA with elliptic keys" pki_get_ca "$URL" "$T/e"
	claim "$client: ... enrols there" pki_enrol "$URL" "$T/e" ec.lab.contoso.com "$T/s/key.pem" "$T/e/cert.pem" --password "$CHALLENGE"
	claim "$client: ... the certificate verifies" verifies "$T/e/cert.pem"
	AT=$URL
	cp "$T/e"/*.pem "$R/"
	claim "$client: S06: a certificate of another server's CA of the same name is refused there" not_renewed "$R/third.pem" "$R/third.key"
else
	skip_claim "$client: a CA with elliptic keys" "needs libstrongswan-standard-plugins"
fi
