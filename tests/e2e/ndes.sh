#!/usr/bin/env bash
# ndes: the habits of NDES: mscep_admin with a password that programs find on the page, and a profile for each of the three templates.
. "$(dirname "$0")/../lib/env.sh"
. "$(dirname "$0")/../lib/kinds.sh"
make_lab '
profiles:
  signs: { subject: { allow: ["CN=*.lab.example"] }, san: { types: [] }, key_usage: { allow: [digitalSignature] }, eku: { allow: [clientAuth] }, validity: { default: 10d, max: 10d } }
  encrypts: { subject: { allow: ["CN=*.lab.example"] }, san: { types: [] }, key_usage: { allow: [keyEncipherment] }, eku: { allow: [emailProtection] }, validity: { default: 20d, max: 20d } }
  general: { subject: { allow: ["CN=*.lab.example"] }, san: { types: [] }, eku: { allow: [clientAuth] }, validity: { default: 30d, max: 30d } }
  any: { san: { types: [] } }
endpoints:
  default: { ca: issuing, profile: general, profiles: { signature: signs, encryption: encrypts }, challenge: otp, otp: { lifetime: 1h } }
  named: { ca: issuing, profile: any, challenge: otp }
  asks: { ca: issuing, profile: any, challenge: approval }'
TOKEN=$(new_token --for otp mdm)
start_scepd || die "scepd starts"

page() { curl -fsS -u "mdm:$TOKEN" "$ADMIN/certsrv/mscep_admin/$1" >"$T/page"; }
# read_page HOW: as a program that fetches it does: decodes it, and takes the password that its pattern finds
read_page() {
	python3 - "$T/page" "$1" <<'PY'
import re, sys
raw = open(sys.argv[1], "rb").read()
text = {"bom": lambda: raw.decode("utf-16"), "le": lambda: raw.decode("utf-16-le")}[sys.argv[2].split("-")[0]]()
found = {
    "words": lambda: re.search(r"(?i)The enrollment challenge password is: <B> (\S*)", text).group(1),
    "hex": lambda: [w for w in text.split() if re.match(r"[A-F0-9]{16}", w)][0],
    "lower": lambda: re.search(r"enrollment challenge password is: <b> ([A-Z0-9]+) ", text.replace("<B>", "<b>")).group(1),
}[sys.argv[2].split("-")[1]]()
print(found)
PY
}
claim "S20: the page is not for strangers" sh -c "[ \$(curl -sS -o /dev/null -w '%{http_code}' '$ADMIN/certsrv/mscep_admin/') = 401 ]"
claim "the page of the endpoint default" page ""
for how in bom-words le-words bom-hex le-hex bom-lower; do
	claim "a program finds the password on it ($how)" sh -c "[ \$(printf %s \"\$1\" | grep -cE '^[A-F0-9]{32}\$') = 1 ]" sh "$(read_page $how)"
done
claim "all find the same" sh -c "[ '$(read_page bom-words)$(read_page le-hex)' = '$(read_page bom-lower)$(read_page bom-hex)' ]"
claim "it says once, and for how long" sh -c "iconv -f UTF-16 -t UTF-8 '$T/page' | grep -q 'can be used only once and will expire within 60 minutes'"
(umask 077 && read_page bom-words >"$T/secret")
claim "the password lets a device in" enrolled default "CN=a.lab.example" --challenge-file "$T/secret"
claim "R08: once" refused "used" default "CN=b.lab.example" --challenge-file "$T/secret"
claim "the next page has another" sh -c "[ '$(read_page bom-words)' != \"\$(curl -fsS -u 'mdm:$TOKEN' '$ADMIN/certsrv/mscep_admin/mscep.dll' | iconv -f UTF-16 -t UTF-8 | sed -n 's/.*password is: <B> \\([A-F0-9]*\\) .*/\\1/p')\" ]"
claim "S15: an endpoint whose profile bounds nothing gives none without a subject" sh -c "curl -sS -u 'mdm:$TOKEN' '$ADMIN/certsrv/mscep_admin/?endpoint=named' | iconv -f UTF-16 -t UTF-8 | grep -q 'You do not have sufficient permission to enroll with SCEP'"
claim "with one it does" page "?endpoint=named&subject=CN%3D%3Cprinter%3E"
claim "which is no markup on the page" sh -c "iconv -f UTF-16 -t UTF-8 '$T/page' | grep -q 'CN=&#60;printer&#62;'"
(umask 077 && read_page bom-words >"$T/secret")
claim "S15: and is for that subject" refused "not for this subject" named "CN=other" --challenge-file "$T/secret"
claim "alone" enrolled named "CN=<printer>" --challenge-file "$T/secret"
claim "an endpoint without passwords has no page" sh -c "[ \$(curl -sS -o /dev/null -w '%{http_code}' -u 'mdm:$TOKEN' '$ADMIN/certsrv/mscep_admin/?endpoint=asks') = 400 ]"
claim "nor is there another one beside it" sh -c "[ \$(curl -sS -o /dev/null -w '%{http_code}' -u 'mdm:$TOKEN' '$ADMIN/certsrv/mscep_admin/x') = 404 ]"

# ---- the three templates ----
by_usage() { # PROFILE USAGES DAYS USAGE-TEXT [key usages]
	local profile=$1 days=$2 text=$3 end now
	shift 3
	page "" && (umask 077 && read_page bom-words >"$T/secret") || return 1
	enrolled default "CN=$profile-$days.lab.example" --challenge-file "$T/secret" "$@" || return 1
	openssl x509 -in "$dev/cert.pem" -noout -ext keyUsage | grep -q "^ *$text\$" || return 1
	end=$(date -d "$(openssl x509 -in "$dev/cert.pem" -noout -enddate | sed 's/.*=//')" +%s)
	now=$(date +%s)
	[ $(((end - now + 3600) / 86400)) = "$days" ] && tail -n 5 "$T/scepd.log" | grep -q "profile=$profile .*result=SUCCESS"
}
claim "digitalSignature alone: the signature profile" by_usage signs 10 "Digital Signature" --key-usage digitalSignature
claim "keyEncipherment alone: the encryption profile" by_usage encrypts 20 "Key Encipherment" --key-usage keyEncipherment
claim "both: the general profile" by_usage general 30 "Digital Signature, Key Encipherment" --key-usage digitalSignature --key-usage keyEncipherment
claim "no wish: the general profile" by_usage general 30 "Digital Signature, Key Encipherment"
claim "what the signer signs is bounded by all three" sh -c "! grep -q signer-denied '$T/scepd.log'"
claim "the store knows by which" sh -c "[ \$(scepctl list --config '$CONFIG' --json | grep -cE '\"profile\": ?\"(signs|encrypts)\"') = 2 ]"
