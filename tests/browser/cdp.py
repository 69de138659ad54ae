"""cdp.py - a browser under our control: Chromium without a window, by the DevTools protocol.

Messages are JSON with a zero byte behind each, in two pipes that Chromium finds as file descriptors 3
and 4 (--remote-debugging-pipe): no port is opened, and no library is needed. Used by check.py.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60  # seconds that any one answer may take


class Failure(Exception):
    """The browser did not answer, or said that a command cannot be done."""


class Browser:
    def __init__(self):
        program = next((p for p in map(shutil.which, NAMES) if p), None)
        if program is None:
            raise Failure("there is no chromium")
        self.folder = tempfile.mkdtemp(prefix="hv-browser-")
        in_read, self.to = os.pipe()
        self.of, out_write = os.pipe()
        # In a container, as root, Chromium's own sandbox cannot be set up; it opens our pages only.
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--disable-extensions", "--disable-background-networking",
                   "--remote-debugging-pipe", "--user-data-dir=" + self.folder, "about:blank"]
        self.log = open(os.path.join(self.folder, "log"), "wb")
        shell = 'exec 3<&%d 4>&%d; exec "$@"' % (in_read, out_write)
        self.process = subprocess.Popen(["sh", "-c", shell, "sh"] + command, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log,
                                        pass_fds=(in_read, out_write), close_fds=True)
        os.close(in_read)
        os.close(out_write)
        self.next = 0
        self.session = None
        self.buffer = b""
        self.events = []

    def receive(self, seconds):
        """The next message, or None if none comes in time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.of], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            data = os.read(self.of, 1 << 20)
            if not data:
                raise Failure("the browser has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, **parameters):
        """One command; its result. What else is reported meanwhile is kept in self.events."""
        self.next += 1
        message = {"id": self.next, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.receive(PATIENCE)
            if answer is None:
                raise Failure("%s: no answer in %d s" % (method, PATIENCE))
            if answer.get("id") != self.next:
                self.events.append(answer)
            elif "error" in answer:
                raise Failure("%s: %s" % (method, answer["error"].get("message")))
            else:
                return answer["result"]

    def wait_for(self, method):
        """Until an event of that name has come (it may have come already)."""
        end = time.monotonic() + PATIENCE
        while not any(e.get("method") == method for e in self.events):
            event = self.receive(end - time.monotonic())
            if event is None:
                raise Failure("no %s in %d s" % (method, PATIENCE))
            self.events.append(event)

    def close(self):
        try:
            self.session = None
            self.send("Browser.close")
            self.process.wait(10)
        except (Failure, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """One tab."""

    def __init__(self, browser, width=1440, height=900, dark=False, reduced=False):
        self.browser = browser
        browser.session = None
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.media(dark=dark, reduced=reduced)
        self.size(width, height)

    def send(self, method, **parameters):
        self.browser.session = self.session
        return self.browser.send(method, **parameters)

    def media(self, kind="", dark=False, reduced=False):
        self.send("Emulation.setEmulatedMedia", media=kind, features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"}])

    def size(self, width, height, mobile=False):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=mobile)

    def open(self, path, fragment=""):
        self.url = "file://" + os.path.abspath(path) + fragment
        for url in ("about:blank", self.url):  # a fragment alone that is another would load nothing
            self.browser.events = []
            self.send("Page.navigate", url=url)
            self.browser.wait_for("Page.loadEventFired")

    def run(self, script):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            text = answer["exceptionDetails"].get("exception", {}).get("description", "an exception")
            raise Failure("%s: %s" % (script[:80], text.splitlines()[0]))
        return answer["result"].get("value")

    def key(self, key, text=None, shift=False):
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35,
                 "PageUp": 33, "PageDown": 34, "Enter": 13, "Tab": 9, "Escape": 27, " ": 32}
        if text is None and len(key) == 1:
            text = key
        if key == "Enter":
            text = "\r"
        code = codes.get(key, ord(key.upper()) if len(key) == 1 else 0)
        event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        down = dict(event, type="keyDown", text=text) if text else dict(event, type="rawKeyDown")
        self.send("Input.dispatchKeyEvent", **down)
        self.send("Input.dispatchKeyEvent", **dict(event, type="keyUp"))

    def type(self, text):
        for letter in text:
            self.key(letter)

    def click(self, selector):
        """With the mouse, on the middle of an element."""
        x, y = self.run("(() => { const n = document.querySelector(%s); n.scrollIntoView({ block: 'nearest' });"
                        " const r = n.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
                        % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path):
        data = base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])
        with open(path, "wb") as f:
            f.write(data)
        return len(data)

    def complaints(self):
        """What the page said on the console, threw, was refused, or asked the network for."""
        self.run("new Promise((done) => setTimeout(done, 50))")
        found = []
        for event in self.browser.events:
            method, params = event.get("method"), event.get("params", {})
            if event.get("sessionId") != self.session:
                continue
            if method == "Runtime.consoleAPICalled":
                found.append("console: %s" % [a.get("value") for a in params["args"]])
            elif method == "Runtime.exceptionThrown":
                found.append("exception: %s" % params["exceptionDetails"].get("text"))
            elif method == "Log.entryAdded":
                found.append("log: %s" % params["entry"]["text"])
            elif method == "Page.javascriptDialogOpening":
                found.append("dialog: %s" % params["message"])
            elif method == "Network.requestWillBeSent" and params["request"]["url"] != self.url.split("#")[0]:
                found.append("network: %s" % params["request"]["url"])
        return found

    def close(self):
        self.browser.session = None
        self.browser.send("Target.closeTarget", targetId=self.target)
