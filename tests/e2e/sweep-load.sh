#!/usr/bin/env bash
# sweep-load: certificates by the thousand are revoked by a rule in one approved sweep while devices enrol: every one of them, every enrolment gets
# its certificate, and a list has them all (scepbench sweep, which prints what that costs).
. "$(dirname "$0")/../lib/env.sh"
N=2000
claim "a sweep is carried out under load" sh -c "scepbench sweep --certs $N --count 300 --keys 8 --json >'$T/figures.json'"
figure() { python3 -c 'import json,sys; v = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/figures.json" "$1"; }
claim "all are revoked" test "$(figure 'v["revoked"]')" = "$N"
claim "every enrolment got its certificate" test "$(figure 'v["enrolments"]["failed"]')" = 0
claim "some of them meanwhile" test "$(figure 'v["enrolments"]["meanwhile"] > 0')" = True
claim "a list has all of them" test "$(figure "v['lists']['entries'] >= $N")" = True
claim "the memory of front and signer is told" test "$(figure 'v["front"]["peakBytes"] > v["signer"]["peakBytes"] > 0')" = True
