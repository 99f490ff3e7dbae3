# SPDX-License-Identifier: Apache-2.0
"""Drives a headless Chromium over two pipes, by its DevTools protocol."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import supervise

NAMES = ("chromium", "chromium-browser", "google-chrome")
LOADED = "Page.loadEventFired"
ASKED_SECONDS, READ_BYTES = 60, 1 << 20
WORDS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


def program():
    """The browser's file, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser did not answer, or answered with an error."""


class Browser:
    """One browser with one page; a context manager."""

    def __init__(self, path):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self.ours_out = os.pipe()
        self.ours_in, theirs_out = os.pipe()
        words = [path, *WORDS, f"--user-data-dir={self.folder.name}", "about:blank"]
        # Chromium reads descriptor 3 and writes to 4. A shell moves ours there.
        move = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["bash", "-c", move, "bash", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            preexec_fn=supervise.tied(),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.rest, self.session = 0, b"", None
        self.loaded = 0  # pages that were loaded while another answer was awaited
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.ours_out)
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.ours_in)
        self.folder.cleanup()

    def message(self, end):
        """The next message of the browser."""
        while b"\0" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.ours_in], [], [], left)[0]:
                raise BrowserError("the browser does not answer")
            chunk = os.read(self.ours_in, READ_BYTES)
            if not chunk:
                raise BrowserError("the browser has ended")
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)

    def until(self, is_it):
        """The next message of a kind; drops those before it."""
        end = time.monotonic() + ASKED_SECONDS
        while not is_it(message := self.message(end)):
            self.loaded += message.get("method") == LOADED
        return message

    def ask(self, method, **params):
        """-> the answer's result"""
        self.number += 1
        asked = {"id": self.number, "method": method, "params": params}
        if self.session:
            asked["sessionId"] = self.session
        data = json.dumps(asked).encode() + b"\0"
        while data:
            data = data[os.write(self.ours_out, data) :]
        answer = self.until(lambda message: message.get("id") == self.number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, path, width, scheme, is_print=False):
        """Shows a file at a width, light or dark, as on a screen or on paper."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask(
            "Emulation.setEmulatedMedia", media="print" if is_print else "screen", features=features
        )
        address, self.loaded = path.absolute().as_uri(), 0
        self.ask("Page.navigate", url=address)
        while not self.loaded or self.run("document.URL") != address:
            self.until(lambda message: message.get("method") == LOADED)
            self.loaded = 1

    def run(self, script):
        """The value of a script in the page."""
        result = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            raise BrowserError(
                result["exceptionDetails"]["exception"].get("description", "the script failed")
            )
        return result["result"].get("value")

    def picture(self, path):
        """Writes the whole page as a PNG file."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )["data"]
        path.write_bytes(base64.b64decode(data))

    def paper(self, path):
        """Writes the page as a PDF file, as a printer gets it."""
        data = self.ask(
            "Page.printToPDF",
            printBackground=True,
            preferCSSPageSize=True,
            paperWidth=8.27,
            paperHeight=11.69,
        )["data"]
        path.write_bytes(base64.b64decode(data))
