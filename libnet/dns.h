// Dns: questions to the site's resolvers, over LDNS, for programs that serve one client at a time.
//
//   net::dns::Resolver dns = TRY(net::dns::Resolver::open(settings));
//   auto hosts = dns.mx("example.org");
//   if (hosts.status == net::dns::Status::Found) ...
//
// A Resolver asks recursive servers, several questions at a time, by UDP with EDNS (RFC 6891) and by TCP
// where an answer does not fit; it follows CNAMEs, keeps answers as long as their TTL says, and can
// validate DNSSEC itself.  A call blocks; what bounds it is timeout * attempts * servers for each link of a chain
// of CNAMEs (twice that where TCP is needed), and set_deadline().
//
// What a jail needs: Sandbox::network(), Sandbox::read() of each of jail_directories(settings), and
// descriptors for max_parallel questions.  open() before the jail, since it reads the trust anchor; the
// list of servers is read again when resolv.conf changes, from inside.
#pragma once

#include "libutil/result.h"
#include "libutil/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace net::dns {

enum class Type : std::uint16_t {
    A = 1,
    Ns = 2,
    Cname = 5,
    Soa = 6,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Tlsa = 52,
};

std::string_view name_of(Type type);  // "MX"

class ReplyFilter;

// Every end that a question can have; none is an Error: mail asks of each what it means.
enum class Status : std::uint8_t {
    Found,
    NoData,      // the name exists, without such records
    NoSuchName,  // NXDOMAIN, or a text that is no name
    TryAgain,    // no answer in time; SERVFAIL, REFUSED and so on from all servers
    Malformed,   // an answer that cannot be: a loop of CNAMEs, broken records only, garbage from all servers
    Bogus,       // our own validation says: forged, or signed wrongly
    Filtered,    // there are records, and set_filter() has left none
};

std::string_view name_of(Status status);

// What is more than this is cut off (the rest of a question's records) or an end (all others).
constexpr std::size_t max_records = 100;      // of one answer, as in Postfix; of MX the best preferences
constexpr std::size_t max_aliases = 10;       // CNAMEs between a question's name and its records
constexpr std::size_t max_parallel = 32;      // questions under way at once
constexpr std::size_t max_reverse_names = 10;  // PTR records that confirm() looks at

struct Mx {
    std::uint16_t preference = 0;
    std::string host;  // empty: null MX (RFC 7505), then it is the only record
    bool operator==(const Mx&) const = default;
};

struct Srv {
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
    std::uint16_t port = 0;
    std::string host;  // empty: the service is decidedly not there (RFC 2782)
    bool operator==(const Srv&) const = default;
};

struct Tlsa {
    std::uint8_t usage = 0;
    std::uint8_t selector = 0;
    std::uint8_t matching = 0;
    std::string data;  // bytes, at least one
    // May it be used for SMTP (RFC 7672 §3.1): DANE-TA or DANE-EE, a known selector and matching type, and data as
    // long as its digest?  Records that may not be used still say that there must be TLS.
    bool usable() const;
    bool operator==(const Tlsa&) const = default;
};

// The records of one name and type.  Names are in lower case, A-labels, without the final dot; a name in a
// record that cannot be a host's (other bytes than letters, digits, '-', '_') makes that record broken, and broken
// records are left out.
template <typename Record>
struct Answer {
    Status status = Status::TryAgain;
    bool secure = false;       // validated, records and CNAMEs: by a resolver that we trust to say so, or by us
    std::string name;          // after CNAMEs: the name that has the records
    bool secure_name = false;  // each CNAME on the way was validated (true without any if secure; RFC 7672 §2.2.2)
    std::vector<Record> records;
    util::Duration ttl{};      // how long it may be kept, negative answers too (RFC 2308)
    // Of all but Found, for replies and logs, in Postfix's words: "Host or domain name not found. Name service error
    // for name=x type=MX: Host not found".  Printable.
    std::string text;

    bool found() const { return status == Status::Found; }
    // Is it worth asking again later?
    bool temporary() const { return status == Status::TryAgain || status == Status::Bogus || status == Status::Filtered; }
};

inline bool is_null_mx(const Answer<Mx>& answer)
{
    return answer.found() && answer.records.size() == 1 && answer.records[0].host.empty();
}

enum class Families : std::uint8_t { V4 = 1, V6 = 2, Both = 3 };

// A name for a client's address: that of its PTR record, if the name has the address in turn.
struct ClientName {
    std::string name;     // confirmed; else empty
    std::string reverse;  // what the PTR record says, confirmed or not; else empty
    Status reverse_status = Status::TryAgain;
    // Of the question for the reverse name's addresses; Found with an empty `name` means that none of them is the
    // client's.
    Status forward_status = Status::TryAgain;
    std::string text;  // why there is no name
};

// Whose AD bit counts (RFC 4035 §3.2.3: only of a server behind a secure channel).
enum class TrustAd : std::uint8_t {
    Auto,  // of servers with a loopback address, and of all if resolv.conf says `options trust-ad`
    Yes,   // of all
    No,    // of none
};

struct Clocks {
    std::function<util::Instant()> now = util::now;         // ages in the cache, servers that were silent
    std::function<util::WallTime()> wall = util::wall_now;  // signatures
};

struct Settings {
    // "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:5353", "fe80::1%eth0"; empty: those of resolv.conf.
    std::vector<std::string> servers;
    std::string resolv_conf = "/etc/resolv.conf";
    util::Duration timeout{};   // of one try; 0: what resolv.conf says, else 5 s
    unsigned attempts = 0;      // rounds through all servers; 0: what resolv.conf says, else 2
    TrustAd trust_ad = TrustAd::Auto;
    std::string trust_anchor_file;  // DS or DNSKEY records of the root, as in a zone file; empty: no validation of our own
    std::size_t cache_bytes = 1'000'000;  // 0: nothing is kept
    // Asked when a signal interrupts the wait: if it says yes, all questions end with TryAgain.
    std::function<bool()> wants_stop;
    Clocks clocks;
};

// The directories that a Resolver reads later: of resolv.conf, and of the file that it is a symbolic link to.
std::vector<std::string> jail_directories(const Settings& settings);

class Resolver {
public:
    // Invalid: a server's text, the trust anchor.  A resolv.conf that is not there is none: the server is then
    // on the loopback address, as resolv.conf(5) says.
    static util::Result<Resolver> open(Settings settings);
    Resolver(Resolver&&) noexcept;
    Resolver& operator=(Resolver&&) noexcept;
    ~Resolver();

    // No call waits beyond this: what has no answer then is TryAgain.  Deadline::never() takes it back.
    void set_deadline(util::Deadline deadline);

    // Which records of answers are passed over.  reverse() and confirm() ask for the name of a client, not for where mail
    // goes: for these there is none, as in Postfix, which has that name from the system's name service.
    void set_filter(ReplyFilter filter);

    // By preference; order among equals is the caller's.
    Answer<Mx> mx(std::string_view domain);
    // A and AAAA at once; records are addresses as text, IPv4 first.  Found if one of them is found; secure and
    // secure_name hold for all that were found.
    Answer<std::string> addresses(std::string_view host, Families families = Families::Both);
    // All at once, in the order of `hosts`.
    std::vector<Answer<std::string>> addresses(std::span<const std::string> hosts, Families families = Families::Both);
    // PTR records of an address as text; NoSuchName if it is none.
    Answer<std::string> reverse(std::string_view address);
    // The name of a client: PTR, then addresses of the first max_reverse_names of them.
    ClientName confirm(std::string_view address);
    // Strings of a record joined.
    Answer<std::string> txt(std::string_view name);
    std::vector<Answer<std::string>> txt(std::span<const std::string> names);
    // _port._tcp.host.  Malformed here must not be taken for "there are none".
    Answer<Tlsa> tlsa(std::string_view host, std::uint16_t port);
    Answer<Srv> srv(std::string_view name);  // by priority
    Answer<std::string> ns(std::string_view name);
    // Where the name itself is an alias: its target, not followed.
    Answer<std::string> cname(std::string_view name);
    // Is there a zone cut: the SOA record's primary server.
    Answer<std::string> soa(std::string_view name);

private:
    class State;
    explicit Resolver(std::unique_ptr<State> state);
    enum class Pass : std::uint8_t { Filtered, All };
    Answer<std::string> text(std::string_view name, Type type, Pass pass = Pass::Filtered);
    // All types of all names; the types of one name are merged.
    std::vector<Answer<std::string>> texts(std::span<const std::string> names, std::span<const Type> types,
                                           Pass pass = Pass::Filtered);
    std::unique_ptr<State> state_;
};

}  // namespace net::dns
