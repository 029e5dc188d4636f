// tern stats --listen: the numbers for Prometheus, over HTTP on a Unix socket or on loopback.
#pragma once

#include "tools/tern/instance.h"

#include <functional>
#include <string>
#include <string_view>

namespace tern {

// Bytes of a request's header that are read; a longer one is refused.
constexpr std::size_t max_http_request = 8192;

// The answer, head and body, to the header of an HTTP/1 request (RFC 9112 §3): numbers for GET of / and /metrics.
// `numbers`: Temporary when they are not to be had, which is a 503.
std::string answer_http(std::string_view request, const std::function<util::Result<std::string>()>& numbers);

// Serves one client after the other in the foreground, until a signal ends it.  `where`: an absolute path, or
// 127.0.0.1:PORT or [::1]:PORT.  It locks itself in before the first client.  The exit status.
int serve_stats(const Instance& instance, const std::string& where, const std::function<util::Result<std::string>()>& numbers);

}  // namespace tern
