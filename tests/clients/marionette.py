"""Marionette, the remote control of Mozilla's programs: `LENGTH:JSON` over TCP, a request [0, ID, NAME, PARAMETERS] and
its answer [1, ID, ERROR, RESULT].  Scripts run with the program's own rights (the context "chrome").
"""
import json
import socket

from clients import check


class Marionette:
    def __init__(self, port, patience):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.received = b""
        self.last = 0
        self.patience = patience
        hello = self.receive()
        check(hello.get("marionetteProtocol") == 3, f"Marionette says {hello}")
        self.call("WebDriver:NewSession", {"capabilities": {}})
        self.call("Marionette:SetContext", {"value": "chrome"})
        self.call("WebDriver:SetTimeouts", {"script": patience * 1000})

    def more(self):
        piece = self.socket.recv(65536)
        check(piece, "Marionette's connection has ended")
        self.received += piece

    def receive(self):
        while b":" not in self.received:
            self.more()
        length, _, self.received = self.received.partition(b":")
        while len(self.received) < int(length):
            self.more()
        packet, self.received = self.received[:int(length)], self.received[int(length):]
        return json.loads(packet)

    def call(self, name, parameters):
        self.last += 1
        packet = json.dumps([0, self.last, name, parameters]).encode()
        self.socket.sendall(str(len(packet)).encode() + b":" + packet)
        kind, number, error, result = self.receive()
        check(kind == 1 and number == self.last, f"{name}: an answer to something else")
        check(error is None, f"{name}: {error}")
        return result

    def run(self, script, *arguments):
        """The body of an asynchronous function: what it returns."""
        body = ("const finished = arguments[arguments.length - 1];"
                "(async (...args) => {" + script + "})(...Array.from(arguments).slice(0, -1))"
                ".then(value => finished({value}), error => finished({error: `${error}\\n${error?.stack ?? ''}`}));")
        result = self.call("WebDriver:ExecuteAsyncScript",
                           {"script": body, "args": arguments, "newSandbox": False, "sandbox": "system"})["value"]
        check("error" not in result, f"{result.get('error')}\nin {script.splitlines()[-1]} {arguments}")
        return result.get("value")
