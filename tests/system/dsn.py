"""Reads a delivery status notification as other programs do, and holds it to RFC 3464.

    dsn = Dsn(bytes_of_the_message)
    dsn.recipients["user@example.com"]["Action"]
"""
import email
import email.policy
import email.utils
import re

ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
TYPED = re.compile(r"[A-Za-z0-9-]+ *; *\S.*", re.DOTALL)   # RFC 3464 §2.1.2: type; value
PER_MESSAGE = {"Reporting-MTA", "Original-Envelope-Id", "DSN-Gateway", "Received-From-MTA", "Arrival-Date"}
PER_RECIPIENT = {"Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code",
                 "Last-Attempt-Date", "Final-Log-ID", "Will-Retry-Until"}


class Wrong(Exception):
    pass


def want(condition, text):
    if not condition:
        raise Wrong(text)


def value(text):
    return text.split(";", 1)[1].strip()


def known(group, names):
    for name in group.keys():
        want(name.lower().startswith("x-") or name.lower() in {n.lower() for n in names}, f"a field {name} in this group")
    for name in names:
        want(len(group.get_all(name, [])) <= 1, f"{name} comes twice")


class Dsn:
    def __init__(self, raw):
        self.message = email.message_from_bytes(raw, policy=email.policy.compat32)
        top = self.message
        want(top.get_content_type() == "multipart/report", f"a message of type {top.get_content_type()}")
        want((top.get_param("report-type") or "").lower() == "delivery-status", "report-type")
        want(not top.defects and top.is_multipart(), f"defects {top.defects}")
        parts = top.get_payload()
        want(2 <= len(parts) <= 3, f"{len(parts)} parts")
        want(parts[0].get_content_maintype() in ("text", "multipart"), "no text for people")
        self.notice = "" if parts[0].is_multipart() else parts[0].get_payload(decode=True).decode("utf-8", "replace")
        want(parts[1].get_content_type() in ("message/delivery-status", "message/global-delivery-status"), "no report")
        groups = parts[1].get_payload()
        want(isinstance(groups, list), "a report without groups of fields")
        groups = [group for group in groups if group.keys()]
        want(len(groups) >= 2, "a report without recipients")
        self.fields, self.recipients = groups[0], {}
        known(self.fields, PER_MESSAGE)
        want(TYPED.fullmatch(self.fields["Reporting-MTA"] or ""), "Reporting-MTA")
        for group in groups[1:]:
            known(group, PER_RECIPIENT)
            for name in ("Final-Recipient", "Original-Recipient", "Remote-MTA", "Diagnostic-Code"):
                want(TYPED.fullmatch(group.get(name, "x;y")), f"{name}: {group.get(name)}")
            for name in ("Last-Attempt-Date", "Will-Retry-Until"):
                want(name not in group or email.utils.parsedate_to_datetime(group[name]), name)
            want((group["Action"] or "").lower() in ACTIONS, f"Action: {group['Action']}")
            status = (group["Status"] or "").split("(")[0].strip()
            want(re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status), f"Status: {group['Status']}")
            want("Final-Recipient" in group, "no Final-Recipient")
            self.recipients[value(group["Final-Recipient"])] = group
        self.returned = parts[2] if len(parts) == 3 else None
