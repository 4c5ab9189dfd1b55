# foreign.sh - for tests with CAs that are not ours: made with openssl ca, and what they issue.  Sourced after env.sh; SCEPD is scepd's address.

# other_ca NAME KEY...: with openssl ca, in $T/NAME
other_ca() {
	local d=$T/$1
	mkdir "$d" && : >"$d/index.txt" && echo "47$(openssl rand -hex 7)" >"$d/serial"
	cat >"$d/ca.cnf" <<EOC
[ca]
default_ca = d
[d]
database = $d/index.txt
serial = $d/serial
new_certs_dir = $d
certificate = $d/ca.pem
private_key = $d/ca.key
default_md = sha256
default_days = 20
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
organizationName = optional
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityInfoAccess = OCSP;URI:$SCEPD/ocsp/$1
[responder]
basicConstraints = CA:FALSE
EOC
	openssl req -x509 -newkey "${@:2}" -noenc -keyout "$d/ca.key" -out "$d/ca.pem" -days 300 -subj "/O=Contoso Old/CN=Contoso $1 CA" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
} >>"$T/openssl.log" 2>&1
# signed_by CA REQUEST OUT EXTENSIONS [openssl ca arguments]
signed_by() { openssl ca -batch -notext -config "$T/$1/ca.cnf" -in "$2" -out "$3" -extensions "$4" "${@:5}" >>"$T/openssl.log" 2>&1; }
# leaf CA NAME: $T/CA/NAME.pem
leaf() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$T/$1/$2.key" -out "$T/$1/$2.csr" -subj "/CN=$2" >>"$T/openssl.log" 2>&1 &&
		signed_by "$1" "$T/$1/$2.csr" "$T/$1/$2.pem" leaf
}
# imported CA NAME [reason of a revocation, or 0] [its name in scepd.yaml]: a row in the database, as an import makes it
imported() {
	python3 - "$T/ca/scepd.db" "${4:-$1}" "$(serial_of "$T/$1/$2.pem")" "${3:-0}" <<'PY'
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=20)
now, why = int(time.time()), int(sys.argv[4])
db.execute("INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked, reason, ca, endpoint, profile, thumbprint, der) "
           "VALUES (?, 0, 1, ?, ?, ?, ?, ?, ?, '', ?, '', x'30')",
           (bytes.fromhex(sys.argv[3]), now, now, now + 9000000, now - 60 if why else 0, why, sys.argv[2], sys.argv[2]))
db.commit()
PY
}
