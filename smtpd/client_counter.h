// ClientCounter: who counts what clients do.  AnvilClient asks anvil(8).
#pragma once

#include "libipc/anvil.h"
#include "libipc/connection.h"

#include <functional>
#include <optional>

namespace smtpd {

class ClientCounter {
public:
    virtual ~ClientCounter() = default;

    // Nothing when nobody can tell: then there is no limit.
    virtual std::optional<ipc::Counted> count(const ipc::CountEvent& event) = 0;
    // The client whose Connection was counted is gone.
    virtual void disconnect() = 0;
};

// Over one standing connection.  When anvil(8) is away that is logged, and it is left in peace for a
// while, so that nobody's mail waits for it.
class AnvilClient final : public ClientCounter {
public:
    using Connect = std::function<util::Result<ipc::Connection>(util::Duration timeout)>;

    static constexpr util::Duration timeout{2'000'000};   // of one answer
    static constexpr util::Duration pause{10'000'000};    // after a failure
    static constexpr util::Duration long_pause{600'000'000};  // where master.cf has no anvil

    explicit AnvilClient(Connect connect) : connect_(std::move(connect)) {}

    std::optional<ipc::Counted> count(const ipc::CountEvent& event) override;
    void disconnect() override;

private:
    util::Result<ipc::Counted> ask(const ipc::CountEvent& event);

    Connect connect_;
    ipc::Connection connection_;
    util::Instant next_try_{};
};

}  // namespace smtpd
