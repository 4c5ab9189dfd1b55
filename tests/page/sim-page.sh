#!/usr/bin/env bash
# sim-page: an administrator's morning with intunesim's page in a browser; the CA is a real one.  Needs the package `chromium`.
. "$(dirname "$0")/../lib/env.sh"
command -v chromium >/dev/null || { skip_claim "the page in a browser" "chromium is not installed"; exit 0; }
make_ca
start_intunesim
start_scepd || die "scepd starts"
python3 "$(dirname "$0")/sim_page.py" "$SIM" "${PAGE_SHOTS:-}"
