// Certificates by name: what a server shows depends on which name the client asks for (RFC 6066 §3).
//
// All certificates travel as one text (libipc/server.h, Process::certificates()): the chains for everybody, and
// behind them, for each name, a line "tern-sni: NAME" with the chains for it.  NAME is a host name, or ".domain"
// for all names below it that have no entry of their own.
#pragma once

#include "libutil/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace net {

constexpr std::size_t max_certificates_size = 8 * 1024 * 1024;  // bytes of the whole text
constexpr std::size_t max_sni_names = 10'000;

struct SniEntry {
    std::string name;  // lower case
    std::string pem;
};

struct CertificateTexts {
    std::string_view everybody;  // a view into the text
    std::vector<SniEntry> names;
};

// Can it be a NAME?
bool is_sni_name(std::string_view name);
// The text of one name's chains, to be put behind the others.
std::string sni_text(std::string_view name, std::string_view pem);
// Invalid: too large, too many names, a broken one, one that is there twice.
util::Result<CertificateTexts> split_certificates(std::string_view text);

}  // namespace net
