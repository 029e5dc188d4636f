"""SCRAM-SHA-256 (RFC 7677), the client's side."""
import base64
import hashlib
import hmac
import os

from tern import check


def scram(account, password):
    """SCRAM-SHA-256 (RFC 7677) for imaplib.authenticate."""
    state = {}

    def step(challenge):
        challenge = challenge.decode()
        if "first" not in state:
            state["first"] = f"n={account},r={base64.b64encode(os.urandom(12)).decode()}"
            return "n,," + state["first"]
        if "salted" not in state:
            parts = dict(part.split("=", 1) for part in challenge.split(","))
            salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
            key = hmac.new(salted, b"Client Key", "sha256").digest()
            final = f"c=biws,r={parts['r']}"
            signed = f"{state['first']},{challenge},{final}".encode()
            signature = hmac.new(hashlib.sha256(key).digest(), signed, "sha256").digest()
            state["salted"] = salted
            state["signed"] = signed
            return final + ",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        server = hmac.new(state["salted"], b"Server Key", "sha256").digest()
        proof = base64.b64encode(hmac.new(server, state["signed"], "sha256").digest()).decode()
        check(challenge == "v=" + proof, "the server does not know the password")
        return ""
    return step
