// URLFETCH: RFC 4467 §7, RFC 5524 (URLAUTH=BINARY).
#pragma once

#include "imapd/engine/session.h"
#include "imapd/syntax/scanner.h"

#include <memory>
#include <string>
#include <vector>

namespace imapd::engine {

constexpr std::size_t max_urls = 1000;         // of one URLFETCH or GENURLAUTH
constexpr std::size_t max_url_owners = 100;    // other users whose URLs one URLFETCH asks for

// A URL, and what is wanted of it.
struct UrlRequest {
    enum class Content : unsigned char { Plain, None, Body, Binary };   // Plain: as RFC 4467 has it
    std::string url;
    Content content = Content::Plain;
    bool structure = false;
};

// Everything after the command's name.  Invalid: syntax, or a limit.
util::Result<std::vector<UrlRequest>> parse_url_fetch(syntax::Scanner& arguments);
// The same command with this URL alone.
std::string url_fetch_text(const UrlRequest& request);

std::unique_ptr<Task> make_url_task(Session& session, std::vector<UrlRequest> requests);

}  // namespace imapd::engine
