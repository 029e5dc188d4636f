// Any request to tern stats --listen: one answer, with as much body as it says.
#include "tools/tern/stats_server.h"

#include "libutil/check.h"
#include "libutil/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view request(reinterpret_cast<const char*>(data), size);
    std::string answer = tern::answer_http(request, [] { return util::Result<std::string>("x 1\n"); });
    std::size_t end = answer.find("\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 ") && end != std::string::npos);
    std::string_view body = std::string_view(answer).substr(end + 4);
    CHECK(body.empty() || answer.find(util::concat("Content-Length: ", body.size(), "\r\n")) < end);
    return 0;
}
