// ternqueue --shape: how much mail for which destination is how old, as Postfix's qshape shows it.
#pragma once

#include "libipc/queue_control.h"
#include "libutil/text.h"

#include <array>
#include <string>
#include <unordered_map>

namespace ternqueue {

class Shape {
public:
    // Columns of ages: below 5 minutes, 10, 20 .. 1280, and above.
    static constexpr std::size_t columns = 10;
    // More domains than this are counted together, as "(others)".
    static constexpr std::size_t max_domains = 100'000;

    // `now` in microseconds since 1970; `by_sender`: domains of senders, not of recipients.
    Shape(std::int64_t now, bool by_sender) : now_(now), by_sender_(by_sender) {}

    // Counts each recipient that waits (or, by sender, each message).
    void add(const ipc::QueueItem& item);

    // The busiest domains first, after a line of their sum.
    std::string to_text() const;
    std::string to_json() const;

private:
    struct Row {
        std::uint64_t total = 0;
        std::array<std::uint64_t, columns> ages{};
    };
    using Rows = std::vector<std::pair<std::string_view, const Row*>>;
    void count(std::string_view address, std::size_t column);
    Rows sorted() const;

    std::int64_t now_;
    bool by_sender_;
    std::size_t column_ = 0;  // of the message whose recipients go on
    Row sum_;
    std::unordered_map<std::string, Row, util::HashText, std::equal_to<>> domains_;
};

}  // namespace ternqueue
