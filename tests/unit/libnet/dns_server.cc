#include "tests/unit/libnet/dns_server.h"

#include "libconf/network.h"
#include "libutil/check.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace test {

namespace {

unsigned number_at(std::string_view bytes, std::size_t at)
{
    return unsigned(std::uint8_t(bytes[at]) << 8 | std::uint8_t(bytes[at + 1]));
}

std::size_t end_of_question(std::string_view query)
{
    std::size_t at = 12;
    while (query[at] != 0)
        at += 1 + std::size_t(std::uint8_t(query[at]));
    return at + 5;
}

std::string wire_record(const RawRecord& record)
{
    return util::concat(wire_name(record.owner), wire_number(record.type), wire_number(1), wire_number(record.ttl >> 16),
                        wire_number(record.ttl & 0xffff), wire_number(unsigned(record.data.size())), record.data);
}

util::UniqueFd bound(int type, unsigned port)
{
    util::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(std::uint16_t(port));
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        fd.reset();
    return fd;
}

unsigned port_of(int fd)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
}

}  // namespace

std::string wire_number(unsigned number)
{
    return {char(number >> 8 & 255), char(number & 255)};
}

std::string wire_name(std::string_view name)
{
    std::string wire;
    if (!name.empty()) {
        for (std::string_view label : util::split(name, '.'))
            util::append(wire, char(label.size()), label);
    }
    return wire + '\0';
}

std::string a_data(std::string_view address)
{
    auto parsed = conf::IpAddress::parse(address).take();
    return {reinterpret_cast<const char*>(parsed.bytes.data()), std::size_t(parsed.length)};
}

std::string mx_data(unsigned preference, std::string_view host)
{
    return wire_number(preference) + wire_name(host);
}

std::string srv_data(unsigned priority, unsigned weight, unsigned port, std::string_view host)
{
    return wire_number(priority) + wire_number(weight) + wire_number(port) + wire_name(host);
}

std::string txt_data(std::initializer_list<std::string_view> strings)
{
    std::string data;
    for (std::string_view each : strings)
        util::append(data, char(each.size()), each);
    return data;
}

std::string tlsa_data(unsigned usage, unsigned selector, unsigned matching, std::string_view data)
{
    return util::concat(char(usage), char(selector), char(matching), data);
}

std::string soa_data(std::string_view zone, unsigned minimum)
{
    std::string numbers(16, '\1');
    return util::concat(wire_name(util::concat("ns.", zone)), wire_name(util::concat("admin.", zone)), numbers,
                        wire_number(minimum >> 16), wire_number(minimum & 0xffff));
}

Reply::Reply(std::string_view query) :
    id_(query.substr(0, 2)), question_(query.substr(12, end_of_question(query) - 12))
{
}

Reply& Reply::code(unsigned code)
{
    flags_ = (flags_ & ~15U) | code;
    return *this;
}

Reply& Reply::authentic()
{
    flags_ |= 0x20;
    return *this;
}

Reply& Reply::truncated()
{
    flags_ |= 0x200;
    return *this;
}

Reply& Reply::without_recursion()
{
    flags_ &= ~0x80U;
    return *this;
}

Reply& Reply::id(unsigned id)
{
    id_ = wire_number(id);
    return *this;
}

Reply& Reply::question(std::string_view name, unsigned type)
{
    question_ = wire_name(name) + wire_number(type) + wire_number(1);
    return *this;
}

Reply& Reply::no_question()
{
    questions_ = 0;
    question_.clear();
    return *this;
}

Reply& Reply::answer(RawRecord record)
{
    return raw_answer(wire_record(record));
}

Reply& Reply::authority(RawRecord record)
{
    return raw_authority(wire_record(record));
}

Reply& Reply::raw_authority(std::string bytes)
{
    authorities_ += bytes;
    ++authority_count_;
    return *this;
}

Reply& Reply::raw_answer(std::string bytes)
{
    answers_ += bytes;
    ++answer_count_;
    return *this;
}

Reply& Reply::count_answers(unsigned count)
{
    answer_count_ = count;
    return *this;
}

std::string Reply::bytes() const
{
    return util::concat(id_, wire_number(flags_), wire_number(questions_), wire_number(answer_count_),
                        wire_number(authority_count_), wire_number(0), question_, answers_, authorities_);
}

std::string asked_name(std::string_view query)
{
    std::string name;
    for (std::size_t at = 12; query[at] != 0; at += 1 + std::size_t(std::uint8_t(query[at])))
        util::append(name, name.empty() ? "" : ".", query.substr(at + 1, std::uint8_t(query[at])));
    return util::lower(name);
}

unsigned asked_type(std::string_view query)
{
    return number_at(query, end_of_question(query) - 4);
}

unsigned id_of(std::string_view message)
{
    return number_at(message, 0);
}

bool has_edns(std::string_view query)
{
    return number_at(query, 10) == 1;
}

NameServer::NameServer(Script script) : script_(std::move(script))
{
    // A port that is free for both.
    while (!tcp_) {
        udp_ = bound(SOCK_DGRAM, 0);
        CHECK(udp_.valid());
        port_ = port_of(udp_.get());
        tcp_ = bound(SOCK_STREAM, port_);
    }
    CHECK(::listen(tcp_.get(), 10) == 0);
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    stop_reader_ = std::move(pair.first);
    stop_writer_ = std::move(pair.second);
    thread_ = std::thread([this] { serve(); });
}

NameServer::~NameServer()
{
    stop_writer_.reset();
    thread_.join();
}

std::string NameServer::text() const
{
    return util::concat("127.0.0.1:", port_);
}

void NameServer::serve()
{
    for (;;) {
        pollfd polled[] = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}, {stop_reader_.get(), POLLIN, 0}};
        if (::poll(polled, 3, -1) < 0)
            continue;
        if (polled[2].revents != 0)
            return;
        if (polled[0].revents != 0)
            answer_packet();
        if (polled[1].revents != 0)
            answer_stream();
    }
}

void NameServer::answer_packet()
{
    char bytes[4096];
    sockaddr_in client{};
    socklen_t client_size = sizeof client;
    ssize_t size = ::recvfrom(udp_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&client), &client_size);
    if (size < 12)
        return;
    ++udp_queries_;
    util::UniqueFd other = bound(SOCK_DGRAM, 0);
    int from = other_port_ ? other.get() : udp_.get();
    for (const std::string& packet : script_({bytes, std::size_t(size)}, false))
        ::sendto(from, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&client), client_size);
}

void NameServer::answer_stream()
{
    util::UniqueFd connection(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    char bytes[4096];
    std::size_t have = 0;
    while (have < 2 || have < 2 + number_at({bytes, 2}, 0)) {
        ssize_t size = ::recv(connection.get(), bytes + have, sizeof bytes - have, 0);
        if (size <= 0)
            return;
        have += std::size_t(size);
    }
    ++tcp_queries_;
    for (const std::string& packet : script_({bytes + 2, have - 2}, true)) {
        // In two pieces, so that the reader has to collect.
        std::string whole = wire_number(unsigned(packet.size())) + packet;
        std::chrono::milliseconds pause = pause_;
        std::size_t piece = pause.count() > 0 ? 1 : whole.size() / 2 + 1;
        for (std::size_t at = 0; at < whole.size(); at += piece) {
            if (pause.count() > 0)
                std::this_thread::sleep_for(pause);
            if (::send(connection.get(), whole.data() + at, std::min(piece, whole.size() - at), MSG_NOSIGNAL) < 0)
                return;
        }
    }
}

Zone& Zone::add(std::string name, net::dns::Type type, std::string data, unsigned ttl)
{
    names_[name].push_back({name, unsigned(type), ttl, std::move(data)});
    return *this;
}

std::string Zone::answer(std::string_view query) const
{
    Reply reply(query);
    if (authentic)
        reply.authentic();
    std::string name = asked_name(query);
    constexpr auto cname = unsigned(net::dns::Type::Cname);
    for (int i = 0; i < 20; ++i) {
        auto records = names_.find(name);
        if (records == names_.end()) {
            reply.code(3).authority({"example", 6, negative_ttl, soa_data("example", negative_ttl)});
            break;
        }
        bool any = false;
        const RawRecord* alias = nullptr;
        for (const RawRecord& record : records->second) {
            if (record.type == asked_type(query)) {
                reply.answer(record);
                any = true;
            } else if (record.type == cname) {
                alias = &record;
            }
        }
        if (any)
            break;
        if (alias == nullptr) {
            reply.authority({"example", 6, negative_ttl, soa_data("example", negative_ttl)});
            break;
        }
        reply.answer(*alias);
        // The target's text, from its wire form.
        name = asked_name(std::string(12, '\0') + alias->data);
    }
    return reply.bytes();
}

NameServer::Script Zone::script() const
{
    return [zone = *this](std::string_view query, bool) { return std::vector<std::string>{zone.answer(query)}; };
}

}  // namespace test
