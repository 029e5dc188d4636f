// Questions to servers and their answers: several at a time over UDP, TCP where an answer does not fit.
//
// Each try has a socket of its own with a port that the kernel chose, connected, so that packets from others
// do not arrive, and an id of its own.  Servers are asked in turn; one that was silent is asked last for a while.
#pragma once

#include "libnet/dns_message.h"
#include "libnet/dns_servers.h"

namespace net::dns {

constexpr std::size_t max_udp_answer = 4096;  // bytes; for one that is larger TCP is asked, as for a truncated one
constexpr unsigned max_stray_packets = 10;    // on one socket; then somebody is guessing ids: TCP is asked
constexpr util::Duration silence_time = std::chrono::seconds(60);  // how long a silent server is asked last

// The end of one question's exchange.
struct Exchanged {
    enum class End : std::uint8_t {
        Answered,   // `message` is NOERROR or NXDOMAIN
        NoAnswer,   // no server had one: silence, refused connections, SERVFAIL, REFUSED
        Malformed,  // all servers that sent anything sent what is no DNS message
    } end = End::NoAnswer;
    Message message;
    std::string wire;      // the message's bytes
    bool trusted = false;  // the AD bit of this server counts
    std::string why;       // of the last failure: "SERVFAIL from 192.0.2.1"
};

class Exchange {
public:
    // `wants_stop` as in Settings.
    Exchange(ServerList servers, std::function<util::Instant()> now, std::function<bool()> wants_stop);
    Exchange(Exchange&&) = default;
    Exchange& operator=(Exchange&&) = default;

    // All answers, in the order of the questions; at most max_parallel are under way at once.
    std::vector<Exchanged> ask(std::span<const Question> questions, bool dnssec, util::Deadline deadline);

    // Takes up a changed resolv.conf; true if it had.
    bool refresh();

private:
    class Asking;
    std::vector<std::size_t> order() const;

    ServerList servers_;
    std::vector<util::Instant> silent_until_;  // of each server
    std::function<util::Instant()> now_;
    std::function<bool()> wants_stop_;
};

}  // namespace net::dns
