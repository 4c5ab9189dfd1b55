#!/usr/bin/env python3
"""rows.py - Microsoft's test matrix for a SCEP server behind Intune: its rows, the tenant that has them as profiles, and the run.

usage: rows.py endpoints                  the endpoints that scepd needs, as lines "ENDPOINT PROFILE TENANT"
       rows.py tenant SCEPD_URL           the tenant file (JSON, which is YAML) on standard output
       rows.py run DIR SIM_URL CONFIG TABLE
                                          enrol every row on every platform; one claim each on standard output, a table into TABLE

DIR holds key-1024.pem, key-2048.pem, key-4096.pem, and gets a folder for each device.  Needs scep, scepctl and openssl in PATH.
"""
import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid

PLATFORMS = ("windows", "ios", "macos", "android")
APPLE = ("ios", "macos")
APP_ID = "2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2"
SECRET = "simulated-secret-of-the-scep-server"
SID = "S-1-5-21-2127521184-1604012920-1887927527-1104"
SID_TAG = "tag:microsoft.com,2022-09-14:sid:"
CUSTOM_OID = "1.3.6.1.4.1.32473.7.1"  # below the number that RFC 5612 keeps for documentation
USER = {
    "upn": "zoe.muller@contoso.com", "email": "z.muller@mail.contoso.com", "user_name": "zmuller", "given_name": "Zoë", "surname": "Müller",
    "name": "Zoë Müller", "department": "Forschung, Zürich", "on_prem_sid": SID,
}
CLIENT, TUNNEL = "TLS Web Client Authentication", "IPSec Tunnel"
BOTH = ["digitalSignature", "keyEncipherment"]


def hardware(platform, n):
    """What a device of this platform has: computers have no IMEI."""
    return {} if platform in ("windows", "macos") else {"imei": f"35693803{n:07d}"}


# ---- what becomes of a row ----

class Issued:
    """A certificate that holds `want` (functions of the platform and the device, or plain values) and nothing else that was asked."""
    def __init__(self, **want):
        self.want = want


class Refused:
    """A signed FAILURE whose text, and the log's line of it, fit a pattern."""
    def __init__(self, text, log, revoked=False):
        self.text, self.log, self.revoked = text, log, revoked  # revoked: a certificate was signed, and must be void


class Renewed:
    """The simulator plays the device: it keeps its certificate until `before`, and has another one, reported, by `after` (days)."""
    def __init__(self, before, after):
        self.before, self.after = before, after


class NotDelivered:
    """The profile never reaches the device, and the report says why."""
    def __init__(self, reason):
        self.reason = reason


def row(title, outcome, endpoint="default", platforms=PLATFORMS, arguments=(), faults=(), **profile):
    """outcome: one of the above, or a map from platform to it, with None for the others.  faults: rules of the simulator's while the row runs."""
    outcome = outcome if isinstance(outcome, dict) else {None: outcome}
    return {"title": title, "outcome": outcome, "endpoint": endpoint, "platforms": platforms, "arguments": arguments, "faults": list(faults),
            "profile": profile}


def san(*pairs):
    return [{"type": t, "value": v} for t, v in pairs]


NO_IMEI = NotDelivered(r"no value for \{\{IMEI(Number)?\}\}")
UPN = f"othername:UPN:{USER['upn']}"
EMAIL = f"email:{USER['email']}"
ROWS = [
    row("validity of 90 days", {"windows": Issued(days=90), "android": Issued(days=90), None: Issued(days=365)},
        validity={"period": "days", "units": 90}),
    row("validity of 2 years", {"windows": Issued(days=(730, 731)), "android": Issued(days=(730, 731)), None: Issued(days=365)},
        validity={"period": "years", "units": 2}),
    row("subject: common name", Issued(subject="CN=zmuller"), subject="Common name"),
    row("subject: common name with e-mail", Issued(subject="CN=zmuller,emailAddress=z.muller@mail.contoso.com"), subject="Common name including email"),
    row("subject: common name as e-mail", Issued(subject="CN=z.muller@mail.contoso.com"), subject="Common name as email"),
    row("subject: IMEI", {"windows": NO_IMEI, "macos": NO_IMEI, None: Issued(subject=lambda d: f"CN={d['imei']}")}, subject="IMEI"),
    row("subject: serial number", Issued(subject=lambda d: f"CN={d['serial']}"), subject="Serial number"),
    row("subject: custom, several RDNs, quotes, non-ASCII",
        Issued(subject=r"CN=Zoë Müller (Forschung\, Zürich),OU=Geräte,OU=東京,O=Contoso\, Ltd.,L=Île,C=CH"),
        subject='CN="{{GivenName}} {{SurName}} ({{Department}})",OU=Geräte,OU=東京,O="Contoso, Ltd.",L=Île,C=CH'),
    row("SAN: e-mail", Issued(san={EMAIL}), san=san(("email", "{{EmailAddress}}"))),
    row("SAN: UPN", Issued(san={UPN}), san=san(("upn", "{{UserPrincipalName}}"))),
    row("SAN: e-mail and UPN", Issued(san={EMAIL, UPN}), san=san(("email", "{{EmailAddress}}"), ("upn", "{{UserPrincipalName}}"))),
    row("SAN: DNS", Issued(san=lambda d: {f"DNS:{d['name']}.devices.contoso.com"}), san=san(("dns", "{{DeviceName}}.devices.contoso.com"))),
    # Android has no such variable (intunesim.yaml(5)); the text itself may still stand there.
    row("SAN: URI with SID", Issued(san={f"URI:{SID_TAG}{SID}"}), platforms=("windows", "ios", "macos"),
        san=san(("uri", "{{OnPremisesSecurityIdentifier}}"))),
    row("SAN: URI with SID", Issued(san={f"URI:{SID_TAG}{SID}"}), platforms=("android",), san=san(("uri", SID_TAG + SID))),
    row("key usage: signature", Issued(usage={"Digital Signature"}), key_usage=["digitalSignature"]),
    row("key usage: encipherment", Issued(usage={"Key Encipherment"}), key_usage=["keyEncipherment"]),
    row("key usage: both", Issued(usage={"Digital Signature", "Key Encipherment"}), key_usage=BOTH),
    row("key of 1024 bits", Refused(r"rsa1024 is not among the keys", r"rsa1024 is not among the keys.*hint=.*keys"), key_size=1024),
    row("key of 2048 bits", Issued(bits=2048), key_size=2048),
    row("key of 4096 bits", Issued(bits=4096), key_size=4096, ksp="software"),
    row("SHA-1, under the default policy", {"windows": Refused(r"(?i)sha-?1", r"(?i)sha-?1"), None: Issued()}, hash="sha1"),
    row("SHA-1, under a policy that takes it", Issued(), endpoint="sha1", hash="sha1"),
    row("SHA-2", Issued(), hash="sha256"),
    row("EKU: client authentication", Issued(eku={CLIENT}), eku=["clientAuth"]),
    # An Apple device asks for client authentication or for nothing.
    row("EKU: IPsec tunnel", {"ios": Issued(eku={CLIENT}), "macos": Issued(eku={CLIENT}), None: Issued(eku={TUNNEL})}, endpoint="usages",
        eku=["ipsecTunnel"]),
    row("EKU: several, one of them custom", {"ios": Issued(eku={CLIENT}), "macos": Issued(eku={CLIENT}), None: Issued(eku={CLIENT, TUNNEL, CUSTOM_OID})},
        endpoint="usages", eku=["clientAuth", "ipsecTunnel", CUSTOM_OID]),
    row("EKU: several, under the default policy", Issued(eku={CLIENT}), eku=["clientAuth", "ipsecTunnel", CUSTOM_OID]),
    # Of 365 days 20 percent of the certificate's 366 (it is backdated by a day) are left on day 291.8.
    row("renewal at the threshold of 20 percent, reported", Renewed(before=291, after=292), renewal_threshold=20),
    row("challenge tampered with", Refused(r"Intune refused the request: (Challenge|Sign)", r"intune.code=(Challenge|Sign)"),
        arguments=("--tamper-challenge",)),
    row("500 to the validation", Refused(r"could not complete the request", r"step=auth .*validate: .*HTTP 500"), endpoint="validate-500",
        faults=[{"step": "validate", "fault": "status", "status": 500}]),
    row("500 to the success notification", Refused(r"could not complete the request", r"step=notify .*success: .*HTTP 500", revoked=True), endpoint="success-500",
        faults=[{"step": "success", "fault": "status", "status": 500}]),
    row("wrong app key", Refused(r"could not complete the request", r"step=auth .*AADSTS7000215.*hint=.*AAD_APP_KEY"), endpoint="wrong-key"),
]
# Endpoints that see Intune through something broken have a tenant of their own on each platform, so that what scepd learns of the outage in one
# row does not answer for another.
BROKEN = ("validate-500", "success-500", "wrong-key")
POLICY = {"sha1": "sha1", "usages": "usages"}


def endpoint_of(r, platform):
    return f"{r['endpoint']}-{platform}" if r["endpoint"] in BROKEN else r["endpoint"]


def print_endpoints():
    seen = {"default"}
    for r in ROWS:
        for p in r["platforms"]:
            e = endpoint_of(r, p)
            if e not in seen:
                seen.add(e)
                print(e, POLICY.get(e, "intune"), e if r["endpoint"] in BROKEN else "contoso")


# ---- the tenant ----

def guid(text):
    return str(uuid.uuid5(uuid.UUID("6f1c2b1e-6d0a-4c58-9a55-0b3a6f1d7c11"), text))


def cells():
    """Every row on every platform: (row, platform, device)."""
    n = 0
    for i, r in enumerate(ROWS):
        for p in r["platforms"]:
            n += 1
            name = f"{p}-{i:02d}"
            yield r, p, {"id": guid("device " + name), "entra_id": guid("entra " + name), "name": name, "platform": p, "user": USER["upn"],
                         "serial": f"SN{n:06d}", **({"enrollment": "corporate_work_profile"} if p == "android" else {}), **hardware(p, n)}


def profile_of(r, platform, device, scepd):
    p = {"subject": "CN={{DeviceName}}", "key_usage": BOTH, "eku": ["clientAuth"], "validity": {"period": "years", "units": 1}}
    p.update(r["profile"])
    if r["title"].startswith("SAN"):
        p.setdefault("subject", "CN={{DeviceName}}")
    if platform != "windows":
        p.pop("ksp", None)
    return {"name": f"{platform}: {r['title']}", "platform": platform, "certificate_type": "user", "root": f"Root {platform}", "groups": [device["name"]],
            "scep_urls": [f"{scepd}/scep/{endpoint_of(r, platform)}"], **p}


def print_tenant(scepd):
    all_cells = list(cells())
    json.dump({
        "tenant": {"id": "6f1c2b1e-6d0a-4c58-9a55-0b3a6f1d7c11", "domain": ["contoso.onmicrosoft.com"], "name": "Contoso"},
        "apps": [{"id": APP_ID, "name": "scepd", "secrets": [{"value": SECRET}], "permissions": ["scep_challenge_provider", "Application.Read.All"]}],
        "users": [{"id": guid("user"), **USER}],
        "groups": [{"name": d["name"], "devices": [d["name"]]} for _, _, d in all_cells],
        "devices": [d for _, _, d in all_cells],
        "trusted_roots": [{"name": f"Root {p}", "platform": p, "groups": ["All devices"]} for p in PLATFORMS],
        "scep_profiles": [profile_of(r, p, d, scepd) for r, p, d in all_cells],
    }, sys.stdout, ensure_ascii=False, indent=1)


# ---- the run ----

def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def extension(pem, name):
    lines = output("openssl", "x509", "-in", pem, "-noout", "-ext", name).stdout.splitlines()
    return {v.strip() for v in lines[1].split(", ")} if len(lines) > 1 else set()


def seconds(text):
    return int(output("date", "-d", text.split("=", 1)[1], "+%s").stdout)


class Certificate:
    """What openssl reads in it."""
    def __init__(self, pem):
        text = output("openssl", "x509", "-in", pem, "-noout", "-subject", "-dates", "-nameopt", "sep_comma_plus,sname,utf8,esc_2253").stdout
        lines = dict(l.split("=", 1) for l in text.splitlines() if "=" in l)
        full = output("openssl", "x509", "-in", pem, "-noout", "-text").stdout
        self.subject = lines["subject"].strip()
        self.days = (seconds("x=" + lines["notAfter"]) - seconds("x=" + lines["notBefore"])) / 86400 - 1  # it is backdated by a day
        self.bits = int(re.search(r"Public-Key: \((\d+) bit", full).group(1))
        self.signature = re.search(r"Signature Algorithm: (\S+)", full).group(1)
        self.san = {re.sub(r"^othername: ?UPN:+", "othername:UPN:", v) for v in extension(pem, "subjectAltName")}
        self.usage = extension(pem, "keyUsage")
        self.eku = extension(pem, "extendedKeyUsage")
        self.ca = "CA:TRUE" in full


class Run:
    def __init__(self, folder, sim, config):
        self.folder, self.sim, self.config = folder, sim, config

    def report(self, device):
        with urllib.request.urlopen(self.sim + "/sim/report", timeout=20) as r:
            doc = json.load(r)
        mine = [c for c in doc["certificates"] if c["deviceId"] == device["id"]]
        return next(d for d in doc["deployments"] if d["deviceId"] == device["id"]), mine

    def log_line(self, device):
        with open(os.path.join(self.folder, "scepd.log"), encoding="utf-8", errors="replace") as f:
            return "".join(l for l in f if f'subj="CN={device["name"]}"' in l)

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.sim + path, data=data, method=method, headers={"Content-Type": "application/json"} if data else {})
        with urllib.request.urlopen(request, timeout=60) as r:
            return json.loads(r.read() or b"null")

    def has(self, device, which):
        return f'"CN={device["name"]}"' in output("scepctl", "list", "--config", self.config, which, "--json").stdout

    def enrol(self, r, device):
        bits = r["profile"].get("key_size", 2048)
        done = output("scep", "enroll", "--intune", self.sim, "--device", device["name"], "--key", f"{self.folder}/key-{bits}.pem", "--out-dir",
                      f"{self.folder}/{device['name']}", "--json", *r["arguments"])
        return done.returncode, done.stdout

    def certificates_of(self, device):
        return [os.path.join(d, f) for d, _, files in os.walk(f"{self.folder}/{device['name']}") for f in files if f == "cert.pem"]

    # Each of these returns (what was seen, a list of what is wrong).

    def issued(self, expected, r, device):
        status, text = self.enrol(r, device)
        pems = self.certificates_of(device)
        if status != 0 or len(pems) != 1:
            return f"exit status {status}", [text.strip()]
        cert, wrong = Certificate(pems[0]), []
        asked = {"subject": f"CN={device['name']}", "san": set(), "usage": {"Digital Signature", "Key Encipherment"}, "eku": {CLIENT}, "bits": 2048,
                 "days": (365, 366)}
        if "subject" in r["profile"] and "subject" not in expected.want:
            wrong.append("the row asks for a subject and does not look at it")
        asked.update(expected.want)
        for name, want in asked.items():
            want, got = (want(device) if callable(want) else want), getattr(cert, name)
            low, high = want if isinstance(want, tuple) else (want, want)
            if not (low <= got <= high if name == "days" else got == want):
                wrong.append(f"{name} is {got}, not {want}")
        if cert.ca or cert.signature != "sha256WithRSAEncryption":
            wrong.append(f"CA {cert.ca}, signed with {cert.signature}")
        if output("openssl", "verify", "-x509_strict", "-CAfile", f"{self.folder}/ca/ca/root.pem", "-untrusted", f"{self.folder}/ca/ca/issuing.pem",
                  pems[0]).returncode != 0:
            wrong.append("openssl does not verify it")
        row_of_report, reported = self.report(device)
        if row_of_report["status"] != "installed" or len(reported) != 1:
            wrong.append(f"the report says {row_of_report['status']}, {len(reported)} certificates")
        if wrong == [] and not self.has(device, "--valid") and "subject" not in expected.want:
            wrong.append("the CA does not list it")
        changed = [getattr(cert, n) for n in ("subject", "san", "usage", "eku", "bits") if n in expected.want] or [cert.signature]
        if "days" in expected.want:
            changed.append(f"{cert.days:g} days")
        return "issued " + "; ".join(", ".join(sorted(c)) if isinstance(c, set) else str(c) for c in changed), wrong

    def refused(self, expected, r, device):
        status, text = self.enrol(r, device)
        wrong = []
        try:
            answer = json.loads(text[text.index("{"):text.rindex("}") + 1])
        except ValueError:
            return f"exit status {status}", [text.strip()]
        if status != 3 or answer["status"] != "FAILURE":
            wrong.append(f"exit status {status}, {answer['status']}")
        if not re.search(expected.text, answer["failInfoText"]):
            wrong.append(f"the answer says: {answer['failInfoText']}")
        log = self.log_line(device)
        if not re.search(expected.log, log):
            wrong.append(f"the log says: {log}")
        if self.certificates_of(device):
            wrong.append("the device has a certificate")
        if self.has(device, "--valid"):
            wrong.append("the CA has a good certificate of this device")
        if self.has(device, "--revoked") != expected.revoked:
            wrong.append("what was signed is not revoked" if expected.revoked else "something was signed")
        row_of_report, reported = self.report(device)
        if row_of_report["status"] not in ("failed", "refused") and not row_of_report["status"].startswith(("failed:", "refused:")):
            wrong.append(f"the report says {row_of_report['status']}")
        if reported:
            wrong.append("a certificate was reported")
        reason = re.search(r'reason="([^"]{,90})', log)
        return f"refused: {answer['failInfoText']}; log: {reason.group(1) if reason else 'nothing'}", wrong

    def sync(self, device):
        done = self.ask("POST", f"/sim/tenants/contoso.onmicrosoft.com/devices/{device['name']}/sync")
        return {k: done[k] for k in ("enrolled", "kept", "renewed") if done[k]}, done["error"]

    def renewed(self, expected, r, device):
        wrong = []
        seen = [self.sync(device)]
        first, _ = self.report(device)
        for days in (expected.before, expected.after):
            self.ask("PUT", "/sim/clock", {"offset": f"{days}d"})
            seen.append(self.sync(device))
        self.ask("PUT", "/sim/clock", {"offset": "0"})
        if seen != [({"enrolled": 1}, None), ({"kept": 1}, None), ({"renewed": 1}, None)]:
            wrong.append(f"the syncs came to {seen}")
        row_of_report, reported = self.report(device)
        if row_of_report["status"] != "installed" or row_of_report["thumbprint"] == first["thumbprint"]:
            wrong.append(f"the report says {row_of_report['status']}, {row_of_report['thumbprint']} after {first['thumbprint']}")
        if len({c["serialNumber"] for c in reported}) != 2:
            wrong.append(f"{len(reported)} certificates were reported")
        return f"kept on day {expected.before}, renewed on day {expected.after}, {len(reported)} certificates reported", wrong

    def not_delivered(self, expected, r, device):
        status, text = self.enrol(r, device)
        wrong = []
        row_of_report, reported = self.report(device)
        if status == 0 or reported or self.certificates_of(device):
            wrong.append(f"exit status {status}: {text.strip()}")
        if not re.search(expected.reason, row_of_report["status"]):
            wrong.append("the report gives no reason")
        return f"not delivered: report says {row_of_report['status']}", wrong

    def cell(self, r, platform, device):
        expected = r["outcome"].get(platform, r["outcome"].get(None))
        play = {Issued: self.issued, Refused: self.refused, Renewed: self.renewed, NotDelivered: self.not_delivered}[type(expected)]
        self.ask("PUT", "/sim/faults", {"rules": r["faults"]})
        return play(expected, r, device)


def run(folder, sim, config, table):
    it = Run(folder, sim, config)
    with open(table, "w", encoding="utf-8") as out:
        out.write(f"{'row':50} {'platform':9} outcome\n")
        for r, platform, device in cells():
            seen, wrong = it.cell(r, platform, device)
            print(f"{'not ok' if wrong else 'ok'} matrix: {platform}: {r['title']}: {seen}", flush=True)
            for w in wrong:
                print(f"--- {platform}: {r['title']}: {w}", file=sys.stderr, flush=True)
            out.write(f"{r['title']:50} {platform:9} {'WRONG: ' if wrong else ''}{seen}\n")


def main():
    verbs = {"endpoints": (print_endpoints, 0), "tenant": (print_tenant, 1), "run": (run, 4)}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs or len(sys.argv) - 2 != verbs[sys.argv[1]][1]:
        sys.exit(__doc__)
    verbs[sys.argv[1]][0](*sys.argv[2:])


main()
