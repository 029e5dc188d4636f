// BodyChecks: what smtp_body_checks, smtp_mime_header_checks and smtp_nested_header_checks make of what follows a
// message's header, as it passes.
#pragma once

#include "smtp/header_checks.h"
#include "smtp/queue_source.h"

namespace smtp {

class BodyChecks final : public BodyChange, private mail::MimeLinesSink {
public:
    // `header`: the message's own, which says what follows.
    BodyChecks(const Config& config, HeaderChecks& checks, std::string_view queue_id, std::string_view header);

    util::Result<void> feed(std::string_view bytes, std::string& out) override;
    util::Result<void> finish(std::string& out) override;

    // A field that is longer than this has gone out before its end is known: it stays.
    static constexpr std::size_t max_waiting = 1'000'000;

private:
    void field(mail::FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length) override;
    void line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position) override;
    void fault(mail::MimeFault, std::string_view) override {}
    void apply(util::Result<CheckedLine> change, std::uint64_t offset, std::uint64_t length);
    void pass(std::uint64_t end);
    util::Result<void> end_slice(std::uint64_t settled);

    const Config& config_;
    HeaderChecks& checks_;
    std::string queue_id_;
    mail::MimeLines mime_;
    std::string waiting_;          // read, and neither passed on nor left out
    std::uint64_t begin_ = 0;      // of waiting_
    std::uint64_t passed_ = 0;     // all before it is done with
    std::string* out_ = nullptr;
    std::optional<util::Error> error_;
};

}  // namespace smtp
