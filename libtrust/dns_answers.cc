// What the DNS says of a destination's hosts.
#include "libtrust/dns_answers.h"

namespace trust {

TlsaAnswer tlsa_answer(const net::dns::Answer<net::dns::Tlsa>& answer)
{
    TlsaAnswer out;
    out.secure = answer.secure;
    switch (answer.status) {
    case net::dns::Status::Found:
        out.status = TlsaAnswer::Status::Found;
        for (const net::dns::Tlsa& record : answer.records)
            out.records.push_back({record.usage, record.selector, record.matching, record.data});
        break;
    case net::dns::Status::NoData:
    case net::dns::Status::NoSuchName:
        out.status = TlsaAnswer::Status::None;
        break;
    case net::dns::Status::TryAgain:
    case net::dns::Status::Malformed:
    case net::dns::Status::Bogus:
    case net::dns::Status::Filtered:
        out.status = TlsaAnswer::Status::Failed;
        out.text = answer.text;
        break;
    }
    return out;
}

void set_mx(TlsHost& host, const net::dns::Answer<net::dns::Mx>& answer)
{
    host.by_mx = true;
    host.mx_secure = answer.secure;
    host.mx_name = answer.name;
}

void set_addresses(TlsHost& host, const net::dns::Answer<std::string>& answer)
{
    host.addresses_secure = answer.secure;
    host.address_name = answer.name;
    host.alias_secure = answer.secure_name;
}

}  // namespace trust
