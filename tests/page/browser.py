"""browser.py - Chromium, driven over the two pipes of its DevTools protocol.

Nothing but Python's standard library and the package `chromium`.
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

ANSWER_S = 30  # for one command; a page on loopback needs far less
WAIT_S = 30    # for something to appear
QUIET = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps"]


class Trouble(Exception):
    pass


class Browser:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="scepd-page.")
        self.number, self.left, self.said = 0, b"", []
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        # In a container and as root Chromium has no sandbox of its own; the only page it sees is ours.
        box = ["--no-sandbox"] if os.getuid() == 0 else []
        words = ["chromium", *QUIET, *box, f"--user-data-dir={self.home}", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *words],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(theirs_in)
        os.close(theirs_out)
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.command(domain + ".enable")

    session = None

    def close(self):
        os.close(self.out)
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.into)
        shutil.rmtree(self.home, ignore_errors=True)

    def message(self, until):
        while b"\0" not in self.left:
            if not select.select([self.into], [], [], max(0, until - time.monotonic()))[0]:
                raise Trouble("the browser does not answer")
            more = os.read(self.into, 1 << 20)
            if not more:
                raise Trouble("the browser is gone")
            self.left += more
        one, self.left = self.left.split(b"\0", 1)
        return json.loads(one)

    def command(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session is not None:
            call["sessionId"] = self.session
        os.write(self.out, json.dumps(call).encode() + b"\0")
        until = time.monotonic() + ANSWER_S
        while True:
            answer = self.message(until)
            if answer.get("id") == self.number:
                break
            self.note(answer)
        if "error" in answer:
            raise Trouble(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def note(self, event):
        """What the page complains of: exceptions, and what the policy has stopped."""
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"])[:800])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.said.append(f'{params["entry"]["source"]}: {params["entry"]["text"]} {params["entry"].get("url", "")}')

    def js(self, text):
        answer = self.command("Runtime.evaluate", expression=text, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Trouble(f"{text}: {json.dumps(answer['exceptionDetails'])[:800]}")
        return answer["result"].get("value")

    def wait(self, text):
        """Until the expression is true; its value."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            value = self.js(text)
            if value:
                return value
            time.sleep(0.1)
        raise Trouble(f"never true: {text}; the page says: {self.js('document.body.innerText')[:1500]}")

    def open(self, url):
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def sees(self, text):
        self.wait(f"document.body.innerText.includes({json.dumps(text)})")

    def click(self, text, within="body"):
        """A button or link, by what stands on it."""
        found = (f"[...document.querySelectorAll({json.dumps(within)})].flatMap((e) => [...e.querySelectorAll('button, a')])"
                 f".find((e) => e.innerText.trim().startsWith({json.dumps(text)}) && e.getClientRects().length && !e.disabled)")
        self.wait(f"!!({found})")
        self.js(f"({found}).click()")

    def fill(self, field, value):
        self.wait(f"!!document.getElementById({json.dumps(field)})")
        self.js(f"(() => {{ const e = document.getElementById({json.dumps(field)}); e.value = {json.dumps(value)};"
                " e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true})); })()")

    def size(self, width, height, dark=False):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def shot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))
