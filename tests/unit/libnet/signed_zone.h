// Signed zones for tests, made by LDNS, and a server that has several of them.
#pragma once

#include "tests/unit/libnet/dns_server.h"

#include <functional>
#include <memory>

namespace test {

struct Signing {
    bool nsec3 = false;
    bool opt_out = false;
    unsigned iterations = 1;
    long begins = -3600;  // of the signatures, in seconds from now
    long ends = 86400;
};

struct SignedRecord {
    std::string owner;     // "a.example"
    unsigned type = 0;
    unsigned covered = 0;  // of an RRSIG
    std::string wire;      // the whole record
};

class SignedZone {
public:
    // `origin` "" is the root; `text` is a zone file without SOA.
    SignedZone(std::string origin, const std::string& text, Signing signing = {});
    // DS records of its key, as a zone file's text.
    std::string ds() const { return ds_; }
    const std::string& origin() const { return origin_; }
    const std::vector<SignedRecord>& records() const { return records_; }
    std::vector<SignedRecord>& records() { return records_; }

private:
    std::string origin_, ds_;
    std::vector<SignedRecord> records_;
};

// All zones of a server; unsigned ones are SignedZones whose signatures were taken away.
class World {
public:
    void add(SignedZone zone) { zones_.push_back(std::move(zone)); }
    std::string answer(std::string_view query) const;
    // Takes away all signatures, keys and NSEC records.
    static SignedZone unsign(SignedZone zone);
    // Each answer goes through this, if it is set.
    std::function<std::string(std::string_view query, std::string answer)> change;
    NameServer::Script script() const;

private:
    const SignedZone* zone_for(const std::string& name, unsigned type) const;
    std::vector<SignedZone> zones_;
};

}  // namespace test
