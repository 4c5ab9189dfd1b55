# lab.sh - for tests/hostile: a scepd with one endpoint, lab, and a static challenge.  Sourced, after tests/lib/env.sh.

# make_lab LIMITS: a CA in $T/ca; LIMITS are more lines of the map `limits`, with " , " between them
make_lab() {
	scepd_port=$(free_port) && admin_port=$(free_port "$scepd_port") || die "free ports"
	SCEPD=http://127.0.0.1:$scepd_port ADMIN=http://127.0.0.1:$admin_port
	init_ca "$T/ca" --name Contoso --static-challenge --listen "127.0.0.1:$scepd_port" --url "$SCEPD" --admin "127.0.0.1:$admin_port"
	CONFIG=$T/ca/scepd.yaml
	printf '\nlimits: { %s }\n' "$1" >>"$CONFIG"
}
metric() { curl -fsS "$ADMIN/metrics" | sed -n "s/^$1 //p"; }
