"""Chromium through chromedriver, by the WebDriver protocol, with Python's standard library."""

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

SECONDS = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for the id of an element


def is_installed():
    return bool(shutil.which("chromedriver") and shutil.which("chromium"))


class Browser:
    """A window of Chromium without a display."""

    def __init__(self, profile, dark=False, size=(1280, 900)):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        started = next(found for line in self.driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
        self.address = f"http://127.0.0.1:{started[1]}"
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
        if dark:
            arguments += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
        options = {"binary": shutil.which("chromium"), "args": arguments}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = "/session/" + answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()

    def call(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def open(self, address):
        self.call("POST", self.session + "/url", {"url": address})

    def run(self, script, *arguments):
        """Runs JavaScript, the body of a function, and returns its value."""
        return self.call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.call("POST", self.session + "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"{self.session}/element/{self.find(selector)}/click")

    def type(self, selector, text):
        """Types into a field what a user would, after selecting all of it."""
        self.call("POST", f"{self.session}/element/{self.find(selector)}/clear")
        self.call("POST", f"{self.session}/element/{self.find(selector)}/value", {"text": text})

    def press(self, *keys):
        """Presses keys of the keyboard, one after another, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", self.session + "/actions",
                  {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def wait(self, condition):
        """Waits until a JavaScript expression holds."""
        end = time.monotonic() + SECONDS
        while not self.run(f"return {condition}"):
            assert time.monotonic() < end, f"never {condition}: {self.run('return document.body.innerText')}"
            time.sleep(0.05)

    def name_of(self, selector):
        """Returns what a screen reader calls an element."""
        return self.call("GET", f"{self.session}/element/{self.find(selector)}/computedlabel")

    def errors(self):
        """Returns what the page wrote to the console since the last call."""
        return self.call("POST", self.session + "/se/log", {"type": "browser"})

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("GET", self.session + "/screenshot")))
