// Inspector: looks at one message for header_checks(5) and for addresses in its header, and notes
// what is to become of it.
//
// HeaderScan shows it the fields of the header; feed() the body, for which it reads MIME as bytes
// pass.  Nothing is kept but one line or field, and the changes.
#pragma once

#include "cleanup/address_rules.h"
#include "cleanup/content_checks.h"
#include "cleanup/failure.h"
#include "cleanup/header_scan.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cleanup {

class Inspector final : public FieldEditor, public mail::MimeLinesSink {
public:
    // Either may be null: then that is not done.
    Inspector(const Config& config, const ipc::Envelope& envelope, ContentChecks* checks, AddressRules* addresses);

    // Is there anything to do for this message's header, or for what follows it?
    bool wants_header() const { return checks_ || edits_addresses_; }
    bool wants_body() const { return checks_ && checks_->of_mime(); }

    // A recipient, for log lines.
    void note_recipient(const std::string& address) { recipient_ = address; }
    // All content, before the header is looked at: takes out and refuses characters.
    void filter_characters(std::string& bytes);
    // What follows the header.
    void begin_body(std::uint64_t offset);
    void feed_body(std::string_view bytes);
    void finish();

    // Why the message is not taken; the first reason counts.
    const std::optional<Failure>& failed() const { return failure_; }
    const PatchList& body_changes() const { return body_changes_; }
    bool hold() const { return hold_; }
    bool discard() const { return discard_; }
    const std::string& content_filter() const { return content_filter_; }
    const std::string& redirect() const { return redirect_; }
    const std::vector<std::string>& copies() const { return copies_; }

    LineChange check(const mail::FieldView& field) override;
    std::vector<mail::Edit> edit(std::string_view name, const mail::FieldView& field) override;
    void field(mail::FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length) override;
    void line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position) override;
    void fault(mail::MimeFault fault, std::string_view text) override;

    // How many addresses BCC actions may add; more are an error in the tables.
    static constexpr std::size_t max_copies = 1000;

private:
    LineChange check_field(mail::FieldClass field_class, const mail::FieldView& field, std::string_view text);
    LineChange look_up(conf::Tables& tables, std::string_view table_name, ActionContext context, std::string_view text);
    LineChange act(const Action& action, ActionContext context, std::string_view text);
    void reject(ActionContext context, std::string_view text, std::string_view reason);
    void log(std::string_view action, std::string_view context, std::string_view text, std::string_view comment) const;
    std::string origin() const;
    void fail(Failure failure);

    const Config& config_;
    const ipc::Envelope& envelope_;
    ContentChecks* checks_;
    AddressRules* addresses_;
    bool edits_addresses_ = false;
    bool remote_ = false;         // its header is that of somebody else
    bool inspecting_ = true;      // until REJECT, DISCARD or PASS
    std::string recipient_;
    std::string content_type_, transfer_encoding_;
    std::optional<mail::MimeLines> mime_;
    PatchList body_changes_;
    std::optional<Failure> failure_;
    bool hold_ = false;
    bool discard_ = false;
    std::string content_filter_;
    std::string redirect_;
    std::vector<std::string> copies_;
};

}  // namespace cleanup
