"""Chromium without a window, driven by its DevTools protocol over a pair of pipes (descriptors 3 and 4 there): JSON,
each message ended by NUL.
"""
import base64
import fcntl
import json
import os
import select
import time

from clients import Program, check, wait_for


class Browser(Program):
    """A browser with one page."""

    def __init__(self, scratch):
        super().__init__(scratch, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--disable-background-networking", "--disable-component-update", "--no-first-run",
                         "--disable-extensions", "--window-size=1200,800", "--remote-debugging-pipe",
                         f"--user-data-dir={scratch}/chromium", "about:blank")
        self.last, self.received, self.events = 0, b"", []
        self.session = None

    def __enter__(self):
        # Away from 3 and 4 first, which one of them may be.
        theirs, ours = os.pipe(), os.pipe()
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (*theirs, *ours)]
        for fd in (*theirs, *ours):
            os.close(fd)
        read_there, self.to, self.out, write_there = ends
        self.options["pass_fds"] = (3, 4)

        def place():
            os.dup2(read_there, 3)
            os.dup2(write_there, 4)
        self.options["preexec_fn"] = place
        self.theirs = read_there, write_there
        return super().__enter__()

    def greet(self):
        for end in self.theirs:
            os.close(end)
        pages = wait_for("a page", lambda: [t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"])
        self.session = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Log"):
            self.call(f"{domain}.enable")

    def __exit__(self, *how):
        os.close(self.to)
        os.close(self.out)
        super().__exit__(*how)

    def receive(self, deadline):
        while b"\0" not in self.received:
            ready = select.select([self.out], [], [], max(0, deadline - time.monotonic()))[0]
            check(ready, f"Chromium does not answer\n{self.said()[-2000:]}")
            piece = os.read(self.out, 1 << 20)
            check(piece, f"Chromium has ended\n{self.said()[-2000:]}")
            self.received += piece
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)

    def send(self, method, parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        return self.last

    def call(self, method, **parameters):
        number = self.send(method, parameters)
        deadline = time.monotonic() + 60
        while True:
            message = self.receive(deadline)
            if message.get("id") == number:
                check("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]
            if message.get("method") == "Page.javascriptDialogOpening":   # "Really?": yes
                self.send("Page.handleJavaScriptDialog", {"accept": True})
            if "method" in message:
                self.events.append(message)

    def run(self, expression):
        """The value of an expression in the page; of a promise, what it becomes."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        check("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def wait(self, expression, deadline=30):
        """Until the expression is true.  While a page is on its way it has no values."""
        def value():
            result = self.call("Runtime.evaluate", expression=f"!!({expression})", returnByValue=True)
            return "exceptionDetails" not in result and result["result"].get("value")
        return wait_for(f"{expression} at {self.call('Runtime.evaluate', expression='location.href')['result'].get('value')}",
                        value, deadline)

    def open(self, address):
        self.call("Page.navigate", url=address)

    def choose_file(self, selector, *paths):
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        check(node, f"there is no {selector}")
        self.call("DOM.setFileInputFiles", nodeId=node, files=list(paths))

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))

    def complaints(self):
        """What the page has written to the console as an error, or thrown."""
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                found.append(f"{details.get('text')} {details.get('exception', {}).get('description', '')}")
            elif event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        return found
