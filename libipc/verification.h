// verify(8): does mail for an address arrive?
//
//   smtpd: VerifyQuery              verify: VerifyAnswer
//   qmgr:  ProbeResult              (no answer)
//
// A client asks one question at a time; verify answers at once what it knows, or when its probe has come
// back, or with Unknown when the client's patience ends.  A probe is a message with Report::Probe, handed
// to cleanup(8) (submission.h): it is never named, and what qmgr(8) found out goes to verify.
#pragma once

#include "libipc/wire.h"

namespace ipc {

// The longest address that is looked up, and what is kept of a text.
constexpr std::size_t max_verified_address = 320;    // RFC 5321 §4.5.3.1: 64 + 1 + 255
constexpr std::size_t max_verification_text = 1000;

enum class Verification : std::uint8_t {
    Unknown,         // there is no result yet
    Deliverable,
    Deferred,        // the probe could not be finished: it may be deliverable
    Undeliverable,
    last_ = Undeliverable
};

struct VerifyQuery {
    static constexpr std::string_view message_name = "verify-query";
    unsigned version = 1;
    std::string address;          // local@domain
    std::int64_t patience = 0;    // microseconds that a probe is waited for

    static void fields(auto& message, auto& visit)
    {
        visit("version", message.version);
        visit("address", message.address);
        visit("patience", message.patience);
    }
};

struct VerifyAnswer {
    static constexpr std::string_view message_name = "verify-answer";
    Verification result = Verification::Unknown;
    std::string text;             // why; of a Deliverable one, too

    static void fields(auto& message, auto& visit)
    {
        visit("result", message.result);
        visit("text", message.text);
    }
};

// One for each probe.
struct ProbeResult {
    static constexpr std::string_view message_name = "probe-result";
    std::string queue_id;         // as cleanup gave it to the probe
    Verification result = Verification::Deferred;
    std::string text;

    static void fields(auto& message, auto& visit)
    {
        visit("queue_id", message.queue_id);
        visit("result", message.result);
        visit("text", message.text);
    }
};

}  // namespace ipc
