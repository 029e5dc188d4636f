// A whole session: any bytes from the client, cut into pieces that the first byte chooses.
#include "libconf/common.h"
#include "libutil/log.h"
#include "smtpd/checked_config.h"
#include "smtpd/restrictions.h"
#include "smtpd/session.h"
#include "smtpd/site.h"
#include "tests/unit/smtpd/fake_names.h"
#include "tests/unit/smtpd/fakes.h"

#include <algorithm>

namespace {

class Pieces final : public net::Transport {
public:
    Pieces(std::string_view input, std::size_t step) : input_(input), step_(step) {}
    util::Result<std::size_t> read(std::span<char> buffer) override
    {
        std::size_t count = std::min({buffer.size(), input_.size(), step_});
        input_.copy(buffer.data(), count);
        input_.remove_prefix(count);
        return count;
    }
    // Replies are lines that end in CRLF and hold no other control byte.
    util::Result<void> write_all(std::string_view bytes) override
    {
        CHECK(bytes.ends_with("\r\n"));
        for (std::size_t i = 0; i < bytes.size(); ++i)
            CHECK(static_cast<unsigned char>(bytes[i]) >= ' ' ||
                  (bytes[i] == '\r' && bytes[i + 1] == '\n') || (bytes[i] == '\n' && bytes[i - 1] == '\r'));
        return {};
    }
    util::Result<void> set_timeout(util::Duration) override { return {}; }
    bool readable() override { return step_ > 64 && !input_.empty(); }

private:
    std::string_view input_;
    std::size_t step_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0)
        return 0;
    util::log::to_nowhere();
    conf::Problems problems;
    auto settings = conf::MainCf::parse(
        "myhostname = mx.example.org\nmydestination =\nvirtual_mailbox_domains = example.org\n"
        "virtual_mailbox_maps = inline:{alice@example.org=1}\nsmtpd_sasl_auth_enable = yes\n"
        "message_size_limit = 2000\nallow_plaintext_login = yes\nmynetworks = 127.0.0.0/8\n"
        "smtpd_hard_error_limit = 1000\nlocal_recipient_maps =\nsmtpd_forbid_unauth_pipelining = no\n",
        "main.cf", "/nonexistent", problems);
    conf::Common common;
    routing::Config routing;
    smtpd::RestrictionLists lists;
    smtpd::CheckedConfig config(lists);
    settings.fill({&common, &config, &routing}, problems);
    CHECK(!problems.any());
    auto site = smtpd::Site::open(common, routing);
    test::FakeNames names;
    CHECK(site.ok());
    auto rules = smtpd::Restrictions::open(config, common, std::move(lists), {**site, names, {}});
    CHECK(rules.ok());
    test::FakeIntake intake;
    test::FakeAuthenticator authenticator;
    test::FakeCounter counter;
    smtpd::Services services{common, config, **rules, intake, &authenticator, nullptr, &counter, "smtp", {}, {}};
    std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    smtpd::Client client{"localhost", "127.0.0.1", 1};
    smtpd::Session(std::move(services), net::Stream(std::make_unique<Pieces>(input, 1U + data[0])), client).run();
    CHECK(!intake.open);
    for (const auto& message : intake.messages) {
        CHECK(!message.recipients.empty());
        CHECK(message.content.size() <= 2 * 2000 + 2);
        CHECK(message.content.empty() || message.content.ends_with("\r\n"));
    }
    return 0;
}
