// Answers of HTTP: the same in one piece and byte by byte, never more than the limit.
#include "libnet/http_answer.h"
#include "libutil/check.h"

#include <algorithm>

namespace {

constexpr std::size_t limit = 1000;

class Bytes final : public net::Transport {
public:
    Bytes(std::string_view bytes, std::size_t step) : bytes_(bytes), step_(step) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        std::size_t count = std::min({step_, buffer.size(), bytes_.size()});
        std::copy_n(bytes_.begin(), count, buffer.begin());
        bytes_.remove_prefix(count);
        return count;
    }
    util::Result<void> write_all(std::string_view) override { return {}; }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return true; }

private:
    std::string_view bytes_;
    std::size_t step_;
};

util::Result<net::HttpAnswer> read(std::string_view bytes, std::size_t step)
{
    net::Stream stream(std::make_unique<Bytes>(bytes, step));
    return net::read_http_answer(stream, limit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto whole = read(text, size + 1), pieces = read(text, 1);
    CHECK(whole.ok() == pieces.ok());
    if (!whole.ok())
        return 0;
    CHECK(whole->body == pieces->body && whole->status == pieces->status && whole->content_type == pieces->content_type);
    CHECK(whole->body.size() <= limit && whole->status >= 200 && whole->status <= 999);
    return 0;
}
