"""SRS addresses, made and read by a second implementation of what libmail/srs.h says."""
import base64
import hashlib
import hmac
import time

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def stamp(day=None):
    day = (int(time.time()) // 86400 if day is None else day) % 1024
    return BASE32[day // 32] + BASE32[day % 32]


def signature(secret, *parts, length=4):
    digest = hmac.new(secret.encode(), "".join(parts).lower().encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()[:length]


def srs0(secret, sender, domain, day=None, length=4):
    user, host = sender.rsplit("@", 1)
    when = stamp(day)
    return f"SRS0={signature(secret, when, host, user, length=length)}={when}={host}={user}@{domain}"


def srs1(secret, sender, domain):
    """Of a sender SRS0=..."""
    user, host = sender.rsplit("@", 1)
    return f"SRS1={signature(secret, host, user[4:])}={host}={user[4:]}@{domain}"
