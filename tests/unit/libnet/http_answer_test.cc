#include "libnet/http_answer.h"
#include "tests/unit/suite.h"

#include <cstring>

namespace {

// Gives its bytes a few at a time, and then the end.
class AnswerScript final : public net::Transport {
public:
    AnswerScript(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        std::size_t count = std::min({step_, buffer.size(), bytes_.size() - at_});
        std::memcpy(buffer.data(), bytes_.data() + at_, count);
        at_ += count;
        return count;
    }
    util::Result<void> write_all(std::string_view) override { return {}; }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return true; }

private:
    std::string bytes_;
    std::size_t step_;
    std::size_t at_ = 0;
};

util::Result<net::HttpAnswer> read(std::string bytes, std::size_t limit = 100, std::size_t step = 7)
{
    net::Stream stream(std::make_unique<AnswerScript>(std::move(bytes), step));
    return net::read_http_answer(stream, limit);
}

TEST(reads_bodies_by_length_and_by_chunks)
{
    for (std::size_t step : {1, 3, 1000}) {
        auto answer = read("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello, more", 100, step);
        OK(answer);
        EQ(answer->status, 200);
        EQ(answer->content_type, "text/plain");
        EQ(answer->body, "hello");
        answer =
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n002;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
                 100, step);
        OK(answer);
        EQ(answer->body, "hello");
        EQ(answer->content_type, "");
    }
    EQ(read("HTTP/1.0 404 Not Found\nContent-Length: 0\n\n")->status, 404);
    EQ(read("HTTP/1.1 301\r\nLocation: https://a.example/\r\nContent-Length: 0\r\n\r\n")->status, 301);
    EQ(read("HTTP/1.1 304 x\r\n\r\n")->status, 304);
    EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
           ->body,
       "x");
}
END_TEST

TEST(refuses_what_is_broken)
{
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    for (const std::string& bytes :
         {std::string("220 mail.example.com ESMTP\r\n"), std::string("HTTP/2 200\r\n\r\n"),
          std::string("HTTP/1.1 2000 x\r\n\r\n"), std::string("HTTP/1.1 099 x\r\n\r\n"), std::string("HTTP/1.1 abc x\r\n\r\n"),
          ok + "no colon\r\n\r\n", ok + ": x\r\n\r\n", ok + " folded: x\r\n\r\n", ok + "Content-Length : 1\r\n\r\nx",
          ok + "Content-Length: -1\r\n\r\nx", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
          ok + "Content-Length: 99999999999999999999\r\n\r\n", ok + "Transfer-Encoding: gzip\r\n\r\n",
          ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
          ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n",
          ok + "Transfer-Encoding: chunked\r\n\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n",
          ok + "Transfer-Encoding: chunked\r\n\r\n1 x\r\nx\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
          ok + "Transfer-Encoding: chunked\r\n\r\n000000001\r\nx\r\n0\r\n\r\n",
          // Where it ends cannot be told from where it was cut.
          ok + "\r\nhello"})
        EQ(read(bytes).error().kind, util::Kind::Invalid);
    const std::string whole = ok + "Content-Length: 5\r\n\r\nhello";
    for (std::size_t size = 0; size < whole.size(); ++size)
        EQ(read(whole.substr(0, size)).error().code, net::closed_code);
}
END_TEST

TEST(has_limits)
{
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    OK(read(ok + "Content-Length: 100\r\n\r\n" + std::string(100, 'x')));
    EQ(read(ok + "Content-Length: 101\r\n\r\n" + std::string(101, 'x')).error().text, "the answer is too large");
    OK(read(ok + "Transfer-Encoding: chunked\r\n\r\n32\r\n" + std::string(50, 'x') + "\r\n32\r\n" + std::string(50, 'x') +
            "\r\n0\r\n\r\n"));
    EQ(read(ok + "Transfer-Encoding: chunked\r\n\r\n32\r\n" + std::string(50, 'x') + "\r\n33\r\n" + std::string(51, 'x') +
            "\r\n0\r\n\r\n")
           .error()
           .text,
       "the answer is too large");
    std::string fields;
    for (std::size_t i = 1; i < net::max_http_fields; ++i)
        fields += "X: y\r\n";
    OK(read(ok + fields + "Content-Length: 0\r\n\r\n"));
    THAT(!read(ok + fields + "X: y\r\nContent-Length: 0\r\n\r\n").ok());
    std::string interim;
    for (int i = 0; i < net::max_http_interim; ++i)
        interim += "HTTP/1.1 100 x\r\n\r\n";
    OK(read(interim + ok + "Content-Length: 0\r\n\r\n"));
    THAT(!read(interim + "HTTP/1.1 100 x\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n").ok());
    std::string line = "X: ";
    OK(read(ok + line + std::string(net::max_http_line - line.size(), 'x') + "\r\nContent-Length: 0\r\n\r\n", 100, 5000));
    THAT(!read(ok + line + std::string(net::max_http_line - line.size() + 1, 'x') + "\r\nContent-Length: 0\r\n\r\n", 100, 5000)
              .ok());
}
END_TEST

TEST(asks_once)
{
    EQ(net::http_request("a.example", "/x"), "GET /x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: Tern\r\nAccept: text/plain\r\n"
                                             "Cache-Control: no-cache\r\nConnection: close\r\n\r\n");
}
END_TEST

}  // namespace

SUITE(http_answer, reads_bodies_by_length_and_by_chunks, refuses_what_is_broken, has_limits, asks_once)
