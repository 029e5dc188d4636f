// The answer to one HTTPS GET.
#include "libnet/http_answer.h"

#include "libutil/text.h"

#include <algorithm>
#include <optional>

namespace net {

namespace {

struct Header {
    std::string content_type;
    std::optional<std::uint64_t> length;
    bool chunked = false;
};

util::Result<std::string> read_line(Stream& stream)
{
    auto line = TRY(stream.read_line(max_http_line));
    if (line.too_long)
        return util::invalid("a line of the answer is too long");
    return std::string(line.text);
}

// RFC 9112 §4: "HTTP/1.1 200 OK".
util::Result<int> parse_status_line(std::string_view line)
{
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || !util::is_digit(line[7]) || line[8] != ' ' ||
        (line.size() > 12 && line[12] != ' '))
        return util::invalid("no answer of HTTP/1");
    auto status = util::parse_unsigned(line.substr(9, 3));
    if (!status.ok() || *status < 100)
        return util::invalid("no status of HTTP");
    return int(*status);
}

util::Result<void> take_field(Header& header, std::string_view line)
{
    std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || util::is_blank(line.front()) || util::is_blank(line[colon - 1]))
        return util::invalid("a broken header field");
    std::string_view name = line.substr(0, colon), value = util::trim(line.substr(colon + 1));
    if (util::equal_nocase(name, "content-type") && header.content_type.empty()) {
        header.content_type = value;
    } else if (util::equal_nocase(name, "content-length")) {
        auto length = util::parse_unsigned(value);
        if (!length.ok() || (header.length && *header.length != *length))
            return util::invalid("a broken Content-Length");
        header.length = *length;
    } else if (util::equal_nocase(name, "transfer-encoding")) {
        if (!util::equal_nocase(value, "chunked"))
            return util::invalid("an unknown Transfer-Encoding");
        header.chunked = true;
    }
    return {};
}

util::Result<Header> read_header(Stream& stream)
{
    Header header;
    for (std::size_t count = 0;; ++count) {
        std::string line = TRY(read_line(stream));
        if (line.empty())
            return header;
        if (count == max_http_fields)
            return util::invalid("too many header fields");
        TRY(take_field(header, line));
    }
}

util::Result<void> read_bytes(Stream& stream, std::uint64_t count, std::string& body)
{
    while (count > 0) {
        std::string_view have = TRY(stream.fill());
        have = have.substr(0, std::size_t(std::min<std::uint64_t>(count, have.size())));
        body += have;
        count -= have.size();
        stream.consume(have.size());
    }
    return {};
}

util::Result<std::uint64_t> parse_chunk_size(std::string_view line)
{
    std::string_view digits = util::trim(util::split_first(line, ';').first);
    std::uint64_t size = 0;
    constexpr std::size_t most = 8;  // digits: far beyond any limit, far from an overflow
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (digits.empty() || digits.size() > most || error != std::errc() || end != digits.data() + digits.size())
        return util::invalid("a broken chunk");
    return size;
}

util::Result<std::string> read_chunks(Stream& stream, std::size_t limit)
{
    std::string body;
    for (;;) {
        std::string head = TRY(read_line(stream));
        std::uint64_t size = TRY(parse_chunk_size(head));
        if (size == 0) {
            (void)TRY(read_header(stream));
            return body;
        }
        if (size > limit - body.size())
            return util::invalid("the answer is too large");
        TRY(read_bytes(stream, size, body));
        std::string end = TRY(read_line(stream));
        if (!end.empty())
            return util::invalid("a broken chunk");
    }
}

}  // namespace

std::string http_request(std::string_view host, std::string_view path)
{
    return util::concat("GET ", path, " HTTP/1.1\r\nHost: ", host,
                        "\r\nUser-Agent: Tern\r\nAccept: text/plain\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n");
}

util::Result<HttpAnswer> read_http_answer(Stream& stream, std::size_t limit)
{
    HttpAnswer answer;
    Header header;
    for (int interim = 0;; ++interim) {
        std::string line = TRY(read_line(stream));
        answer.status = TRY(parse_status_line(line));
        header = TRY(read_header(stream));
        if (answer.status >= 200)
            break;
        if (interim == max_http_interim)
            return util::invalid("too many interim answers");
    }
    answer.content_type = std::move(header.content_type);
    if (answer.status == 204 || answer.status == 304)
        return answer;  // without a body, whatever the header says
    if (header.chunked && header.length)
        return util::invalid("chunks and a Content-Length");  // RFC 9112 §6.3: perhaps smuggling
    if (header.chunked) {
        answer.body = TRY(read_chunks(stream, limit));
        return answer;
    }
    if (!header.length)
        return util::invalid("an answer without length");
    if (*header.length > limit)
        return util::invalid("the answer is too large");
    TRY(read_bytes(stream, *header.length, answer.body));
    return answer;
}

}  // namespace net
