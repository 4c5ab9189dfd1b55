#!/usr/bin/env python3
"""sim_page.py - what an administrator does on the page of intunesim, and what the simulator says of it.

usage: sim_page.py URL [FOLDER]

FOLDER gets a picture of each step.  Prints "ok CLAIM" and "not ok CLAIM".
"""
import json
import os
import sys
import urllib.request

from browser import Browser, Trouble

LAPTOP = "3e8d5a10-1111-4a4a-9c9c-000000000101"
HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
failed = False


def claim(text, check):
    global failed
    try:
        good = check()
    except Trouble as e:
        print(f"{text}: {e}", file=sys.stderr)
        good = False
    print(("ok " if good else "not ok ") + text, flush=True)
    failed |= not good


class Page:
    def __init__(self, browser, url, shots):
        self.b, self.url, self.shots, self.n = browser, url, shots, 0

    def go(self, view):
        self.b.js(f"location.hash = {json.dumps('#/' + view)}")
        self.b.wait(f"location.hash === {json.dumps('#/' + view)} && !document.body.innerText.includes('Asking the simulator')")

    def shot(self):
        self.n += 1
        if self.shots:
            self.b.shot(os.path.join(self.shots, f"step-{self.n:02}.png"))

    def sees(self, text):
        self.b.sees(text)
        self.shot()
        return True

    def ask(self, path, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def objects(self, kind):
        return self.ask(f"/sim/tenants/contoso.com/{kind}")["value"]

    def modal_is_gone(self):
        return self.b.wait("!document.querySelector('dialog')")


def add_a_user(p):
    p.go("users")
    p.b.click("Add user")
    p.b.fill("f-upn", "nobody")
    p.b.click("Add", "dialog")
    claim("an error of the simulator stands beside the field it is about",
          lambda: p.b.wait("document.getElementById('f-upn-wrong').innerText.includes(\"has no '@'\")"))
    p.shot()
    p.b.fill("f-upn", "ada@contoso.com")
    p.b.fill("f-name", "Ada Lovelace")
    p.b.click("Add", "dialog")
    claim("a user is added", lambda: p.modal_is_gone() and p.sees("ada@contoso.com") and any(u["upn"] == "ada@contoso.com" for u in p.objects("users")))


def delete_and_restore(p):
    row = "[...document.querySelectorAll('tr')].find((r) => r.innerText.includes('ada@contoso.com'))"
    p.b.wait(f"!!{row}")
    p.b.js(f"[...{row}.querySelectorAll('button')].find((b) => b.innerText === 'Delete').click()")
    claim("what cannot be undone is asked about first", lambda: p.sees("Delete ada@contoso.com?") and any(u["upn"] == "ada@contoso.com" for u in p.objects("users")))
    p.b.click("Delete", "dialog")
    claim("a deleted user is in the recycle bin", lambda: p.modal_is_gone() and p.sees("Recycle bin") and len(p.objects("deleted")) == 1)
    p.b.click("Restore")
    claim("and can be restored", lambda: p.b.wait("!document.body.innerText.includes('Recycle bin')") and p.objects("deleted") == [])


def sync(p):
    p.go(f"devices/{LAPTOP}")
    p.b.click("Sync")
    claim("a device syncs, enrols and its certificate is shown", lambda: p.sees("1 enrolled") and p.sees("OU=Managed devices"))
    p.go("certificates")
    claim("the certificate is in the list", lambda: p.sees("LAPTOP-7F3K2"))


def hostile_names(p):
    p.go("devices")
    p.b.click("Add device")
    p.b.fill("f-name", HOSTILE)
    p.b.click("Add", "dialog")
    p.modal_is_gone()
    p.sees(HOSTILE)
    claim("markup in the name of a device is text", lambda: p.b.js("document.querySelectorAll('main img, main script').length === 0 && document.title !== 'run'"))
    p.ask("/sim/tenants/contoso.com/devices/" + next(d["id"] for d in p.objects("devices") if d["name"] == HOSTILE), "DELETE")


def edit_a_profile(p):
    p.go("profiles/c0ffee00-0001-4c4c-8e8e-000000000301")
    p.b.click("Edit")
    p.b.fill("f-subject", "CN={{DeviceName}},O=Contoso")
    claim("it is said that an edit re-issues certificates", lambda: p.sees("those they have are queued for revocation"))
    p.b.click("Save", "dialog")
    claim("and the edit queues the old certificate", lambda: p.modal_is_gone() and p.b.wait(
        "fetch('/sim/revocations').then((r) => r.json()).then((a) => a.value.length === 1 && a.value[0].cause === 'profileChanged')"))
    p.go("revocations")
    claim("the revocation is shown with its cause", lambda: p.sees("the profile was changed"))


def wipe(p):
    p.go(f"devices/{LAPTOP}")
    p.b.click("Wipe")
    p.b.click("Wipe", "dialog")
    claim("a wipe waits for the next sync", lambda: p.modal_is_gone() and p.sees("wipe pending"))
    p.b.click("Sync")
    claim("and is carried out by it", lambda: p.sees("is gone from Intune") and p.sees("not managed"))


def bad_day(p):
    p.go("baddays")
    p.b.click("The secret has expired")
    claim("a bad day is one click away, and a banner says so", lambda: p.sees("A bad day is on.") and p.ask("/sim/faults")["rules"][0]["number"] == 7000222)
    p.b.click("Clear all", "#banner")
    claim("and one click ends it", lambda: p.sees("No rule: all is well.") and p.ask("/sim/faults")["rules"] == [])


def clock(p):
    p.go("overview")
    p.b.click("Move the clock")
    p.b.fill("f-offset", "2h")
    p.b.click("Set", "dialog")
    claim("the clock can be moved", lambda: p.modal_is_gone() and p.sees("clock moved by 2h") and p.ask("/sim/clock")["offset"] == "2h")
    p.ask("/sim/clock", "PUT", {"offset": "0s"})


def everybody_syncs(p):
    p.go("devices")
    p.b.click("Sync all")
    claim("all devices sync at one click", lambda: p.sees("3 devices synced: 3 enrolled."))


def requests(p):
    p.go("requests")
    claim("requests are shown with their step", lambda: p.sees("ScepActions/validateRequest"))
    claim("and without a token or secret", lambda: p.b.js("!/eyJ[A-Za-z0-9_-]{20}|simulated-secret/.test(document.body.textContent)"))


def fits_a_phone(p):
    p.b.size(390, 844)
    wide = []
    for view in ("overview", "devices", f"devices/{LAPTOP}", "users", "groups", "profiles", "apps", "certificates", "revocations", "requests", "baddays"):
        p.go(view)
        p.b.wait("!!document.querySelector('main h1')")
        p.shot()
        if p.b.js("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(view)
    claim("every view fits a phone", lambda: wide == [] or print(wide, file=sys.stderr))


def main(url, shots):
    b = Browser()
    try:
        b.size(1280, 900)
        b.open(url + "/")
        p = Page(b, url, shots)
        claim("the page opens and is live", lambda: p.sees("live") and p.sees("Connect a CA"))
        for part in (add_a_user, delete_and_restore, sync, hostile_names, edit_a_profile, wipe, bad_day, clock, everybody_syncs, requests, fits_a_phone):
            part(p)
        # A browser logs each 4xx that a page provokes; there was one, with the error beside the field.
        wrong = [s for s in b.said if "status of 400" not in s]
        claim("the page's policy stopped nothing, and no script failed", lambda: wrong == [] or print(wrong, file=sys.stderr))
    except Trouble as e:
        print(f"not ok the page can be used: {e}")
        return 1
    finally:
        b.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
