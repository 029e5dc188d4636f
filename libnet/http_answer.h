// The answer to one HTTPS GET (RFC 9112), for small files at known places; not a browser.
//
// Redirects, caches, compression, authentication: nothing of that.  The connection is used once.
#pragma once

#include "libnet/stream.h"

namespace net {

struct HttpAnswer {
    int status = 0;            // 200
    std::string content_type;  // as it came; empty if there was none
    std::string body;
};

constexpr std::size_t max_http_line = 8192;   // bytes of a status line, a field, the head of a chunk
constexpr std::size_t max_http_fields = 100;  // of the header, and as many behind the last chunk
constexpr int max_http_interim = 5;           // answers of 1xx before the real one

// "GET /path HTTP/1.1" with what must stand behind it; host and path are the caller's word.
std::string http_request(std::string_view host, std::string_view path);

// Reads one answer whose body has at most `limit` bytes.  Invalid: it is broken, larger, or its end cannot be told
// from a lost connection (neither Content-Length nor chunks): a body that an attacker can cut short is none.
// Temporary: as Stream's errors.
util::Result<HttpAnswer> read_http_answer(Stream& stream, std::size_t limit);

}  // namespace net
