// What a session is told about itself when it begins: who, from where, which limits.
#pragma once

#include "libutil/time.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace imapd::engine {

struct SessionLimits {
    std::size_t line = 128U << 10;             // bytes of a command without its literals
    std::size_t literal = 64U << 10;           // bytes of a literal that is no message
    std::uint64_t message = 10'240'000;        // message_size_limit: a message given to APPEND
    util::Duration autologout{std::int64_t(30 * 60) * 1'000'000};  // RFC 3501 §5.4: at least 30 min
};

// Capabilities that an administrator may take away, as bits.
using CapabilityMask = std::uint32_t;
constexpr CapabilityMask Idle = 1;
constexpr CapabilityMask Move = 2;
constexpr CapabilityMask Esearch = 4;
constexpr CapabilityMask AllCapabilities = ~CapabilityMask(0);

struct SessionFacts {
    std::string user;   // for the log; the store is already the user's
    std::string peer;   // client address, for the log
    bool tls = false;
    SessionLimits limits;
    CapabilityMask capabilities = AllCapabilities;
};

// How much output may wait before a command pauses, and how long one slice of work is.
constexpr std::size_t output_high = 128U << 10;
constexpr util::Duration slice_time{10'000};

}  // namespace imapd::engine
