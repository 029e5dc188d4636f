// A name server for tests, in this process: it answers by UDP and TCP on one port of 127.0.0.1 with what a
// function says, and messages made by hand, so that they can be wrong.
#pragma once

#include "libnet/dns_message.h"
#include "libutil/unique_fd.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace test {

// Data of records in wire form.
std::string wire_name(std::string_view name);  // "a.example", "" for the root
std::string wire_number(unsigned number);      // two bytes
std::string a_data(std::string_view address);  // IPv4 or IPv6
std::string mx_data(unsigned preference, std::string_view host);
std::string srv_data(unsigned priority, unsigned weight, unsigned port, std::string_view host);
std::string txt_data(std::initializer_list<std::string_view> strings);
std::string tlsa_data(unsigned usage, unsigned selector, unsigned matching, std::string_view data);
std::string soa_data(std::string_view zone, unsigned minimum);

struct RawRecord {
    std::string owner;  // as text
    unsigned type = 0;
    unsigned ttl = 0;
    std::string data;
};

// An answer to a query's bytes; without(): nothing of the question.
class Reply {
public:
    explicit Reply(std::string_view query);
    Reply& code(unsigned code);
    Reply& authentic();
    Reply& truncated();
    Reply& without_recursion();
    Reply& id(unsigned id);
    Reply& question(std::string_view name, unsigned type);
    Reply& no_question();
    Reply& answer(RawRecord record);
    Reply& authority(RawRecord record);
    Reply& raw_answer(std::string bytes);  // a record's bytes as they are
    Reply& raw_authority(std::string bytes);
    Reply& count_answers(unsigned count);  // the header's number, whatever there is
    std::string bytes() const;

private:
    std::string id_, question_;
    unsigned questions_ = 1, flags_ = 0x8180;  // QR, RD, RA
    std::string answers_, authorities_;
    unsigned answer_count_ = 0, authority_count_ = 0;
};

// What a query asks for.
std::string asked_name(std::string_view query);  // lower case
unsigned asked_type(std::string_view query);
unsigned id_of(std::string_view message);
bool has_edns(std::string_view query);

class NameServer {
public:
    // Each query and whether it came by TCP; the packets to send back, none for silence.
    using Script = std::function<std::vector<std::string>(std::string_view query, bool tcp)>;
    explicit NameServer(Script script);
    NameServer(const NameServer&) = delete;
    ~NameServer();

    std::string text() const;  // "127.0.0.1:port"
    // Answers by UDP come from a socket that nobody asked.
    void answer_from_another_port() { other_port_ = true; }
    // Answers by TCP come byte by byte, with a pause before each.
    void drip(std::chrono::milliseconds pause) { pause_ = pause; }
    int udp_queries() const { return udp_queries_; }
    int tcp_queries() const { return tcp_queries_; }

private:
    void serve();
    void answer_packet();
    void answer_stream();

    Script script_;
    util::UniqueFd udp_, tcp_, stop_reader_, stop_writer_;
    unsigned port_ = 0;
    std::atomic<bool> other_port_ = false;
    std::atomic<std::chrono::milliseconds> pause_{};
    std::atomic<int> udp_queries_ = 0, tcp_queries_ = 0;
    std::thread thread_;
};

// Records by name and type; CNAMEs are followed, what is not there is denied with a SOA of `negative_ttl`.
class Zone {
public:
    Zone& add(std::string name, net::dns::Type type, std::string data, unsigned ttl = 300);
    std::string answer(std::string_view query) const;
    NameServer::Script script() const;
    unsigned negative_ttl = 60;
    bool authentic = false;

private:
    std::map<std::string, std::vector<RawRecord>> names_;
};

}  // namespace test
