// Failures, as values: what a recipient's status becomes by them.
#pragma once

#include "libipc/delivery.h"
#include "libmail/reply.h"
#include "libutil/text.h"

#include <string>
#include <string_view>

namespace smtp {

struct Failure {
    ipc::DeliveryStatus status;
    bool site = false;   // the destination as a whole is at fault, no message or recipient
    bool unmet = false;  // this host lacks what REQUIRETLS asks for (RFC 8689): another may have it

    bool permanent() const { return status.disposition == ipc::Disposition::Bounced; }
};

// Of our own finding.
inline Failure failure(ipc::Disposition disposition, std::string_view dsn, std::string text)
{
    Failure failed;
    failed.status.disposition = disposition;
    failed.status.dsn = dsn;
    failed.status.text = std::move(text);
    failed.status.relay = "none";
    return failed;
}

inline Failure deferral(std::string_view dsn, std::string text)
{
    return failure(ipc::Disposition::Deferred, dsn, std::move(text));
}
inline Failure refusal(std::string_view dsn, std::string text)
{
    return failure(ipc::Disposition::Bounced, dsn, std::move(text));
}

// A refusal of TLS policy: for good (5.7.10, 5.7.30) it says that this host is not good enough.
inline Failure unmet_or_deferred(Failure refused)
{
    refused.unmet = refused.status.dsn.starts_with('5');
    refused.site = !refused.unmet;
    return refused;
}

}  // namespace smtp
