// A server that says whatever it likes: each recipient has a status, and none is delivered without a 2xx for it.
#include "libutil/check.h"
#include "smtp/session.h"

#include <algorithm>

namespace {

// Gives what a server says in pieces, then closes; takes all that is written.
class Talker final : public net::Transport {
public:
    explicit Talker(std::string_view words) : words_(words) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        std::size_t count = std::min({buffer.size(), words_.size(), std::size_t(100)});
        words_.copy(buffer.data(), count);
        words_.remove_prefix(count);
        return count;
    }
    util::Result<void> write_all(std::string_view) override { return {}; }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return false; }

private:
    std::string_view words_;
};

class Text final : public smtp::Source {
public:
    util::Result<std::string_view> next() override { return std::exchange(text_, {}); }

private:
    std::string_view text_ = "Subject: x\r\n\r\n.\r\n";
};

void fill(smtp::Config& config)
{
    for (conf::Parameter* parameter : config.parameters()) {
        std::string text = parameter->default_text();
        CHECK(parameter->read(text == "$myhostname" ? "client.example" : text.starts_with('$') ? "" : text).ok());
    }
}

void converse(smtp::Protocol protocol, std::string_view words)
{
    smtp::Config config(protocol);
    fill(config);
    smtp::SessionSite site{.config = config, .myhostname = "client.example"};
    smtp::Letter letter;
    letter.queue_id = "3Cbn4n0000z1234";
    letter.sender = "<a@b>";
    letter.eight_bit = true;
    letter.open = [](bool) -> util::Result<std::unique_ptr<smtp::Source>> {
        return std::unique_ptr<smtp::Source>(std::make_unique<Text>());
    };
    std::vector<ipc::JobRecipient> recipients(3);
    std::vector<smtp::Target> targets(3);
    std::vector<smtp::Target*> all;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i].recipient = &recipients[i];
        targets[i].path = "<r@b>";
        all.push_back(&targets[i]);
    }
    smtp::Session session(site, {.name = "mx", .address = "192.0.2.1", .port = 25},
                          net::Stream(std::make_unique<Talker>(words)));
    auto failed = session.begin({"b", "b", "a@b"});
    if (failed) {
        CHECK(failed->status.disposition != ipc::Disposition::Delivered);
        return;
    }
    session.deliver(letter, all);
    bool positive = words.find('2') != std::string_view::npos;
    for (const smtp::Target& target : targets) {
        CHECK(target.status.has_value());
        CHECK(positive || target.status->disposition != ipc::Disposition::Delivered);
        CHECK(target.status->text.size() < 2 * smtp::max_said);
        CHECK(!target.status->dsn.empty());
    }
    session.quit();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    std::string_view words(reinterpret_cast<const char*>(data), size);
    converse(smtp::Protocol::Smtp, words);
    converse(smtp::Protocol::Lmtp, words);
    return 0;
}
