// Inspector: lookups, actions, log lines.
#include "cleanup/inspector.h"

#include "libmail/dsn_status.h"
#include "libutil/log.h"

#include <algorithm>

namespace cleanup {

using Kind = ipc::Verdict::Kind;

namespace {

// How much of a line the log shows.
constexpr std::size_t logged_text = 200;
constexpr std::size_t logged_fault = 100;

// A field as tables see it: line ends within are LF, the last one is not there.
std::string as_key(std::string_view text)
{
    std::string key;
    key.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 >= text.size() || text[i + 1] != '\n')
            key += text[i];
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r'))
        key.pop_back();
    return key;
}

// A table's text as a field or as one line in front of it: lines of CRLF, those after the first
// begin with a blank.
std::string as_field(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = end + 1;
        if (line.empty())
            continue;
        if (!out.empty() && !util::is_blank(line.front()))
            out += ' ';
        util::append(out, line, "\r\n");
    }
    return out;
}

std::string as_line(std::string_view text)
{
    std::string out(text);
    std::replace_if(out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
    return out;
}

constexpr std::string_view name_of(ActionContext context) { return context == ActionContext::Header ? "header" : "body"; }

}  // namespace

Inspector::Inspector(const Config& config, const ipc::Envelope& envelope, ContentChecks* checks, AddressRules* addresses) :
    config_(config), envelope_(envelope), checks_(checks), addresses_(addresses), hold_(envelope.hold),
    content_filter_(envelope.content_filter), redirect_(envelope.redirect)
{
    // header_checks(5): what this system writes itself is not checked.
    bool from_outside = envelope.origin == ipc::Origin::Smtp || envelope.origin == ipc::Origin::Local;
    if (!from_outside || (envelope.overrides & ipc::NoContentChecks))
        checks_ = nullptr;
    remote_ = envelope.origin == ipc::Origin::Smtp && !envelope.local_header;
    edits_addresses_ = addresses_ && (!remote_ || addresses_->edits_remote());
}

// --- the log ---------------------------------------------------------------------------------------

std::string Inspector::origin() const
{
    if (envelope_.client_address.empty())
        return "local";
    return util::concat(envelope_.client_name.empty() ? "unknown" : util::printable(envelope_.client_name, 255), '[',
                        envelope_.client_address, ']');
}

void Inspector::log(std::string_view action, std::string_view context, std::string_view text, std::string_view comment) const
{
    std::string line = util::concat(envelope_.queue_id, ": ", action, ": ", context, ' ');
    util::append(line, util::printable(text.substr(0, logged_text), logged_text), " from ", origin(), "; from=<",
                 util::printable(envelope_.sender), '>');
    if (!recipient_.empty())
        util::append(line, " to=<", util::printable(recipient_), '>');
    if (!envelope_.protocol_name.empty())
        util::append(line, " proto=", envelope_.protocol_name);
    if (!envelope_.helo_name.empty())
        util::append(line, " helo=<", util::printable(envelope_.helo_name, 255), '>');
    if (!comment.empty())
        util::append(line, ": ", util::printable(comment));
    util::log::info(line);
}

void Inspector::fail(Failure failure)
{
    inspecting_ = false;
    if (!failure_)
        failure_ = std::move(failure);
}

// --- actions ---------------------------------------------------------------------------------------

void Inspector::reject(ActionContext context, std::string_view text, std::string_view reason)
{
    // A status of its own decides between 4xx and 5xx.
    std::string_view dsn = mail::leading_dsn_status(reason);
    if (!dsn.empty() && dsn[0] == '2')
        dsn = {};
    std::string status(dsn.empty() ? "5.7.1" : dsn);
    std::string rest = as_line(util::trim(reason.substr(dsn.size())));
    if (rest.empty())
        rest = "message content rejected";
    log("reject", name_of(context), text, util::concat(status, ' ', rest));
    bool temporary = status[0] == '4';
    fail(failure(temporary ? Kind::Failed : Kind::Refused, temporary ? 451 : 550, status, util::printable(rest, 400)));
}

LineChange Inspector::look_up(conf::Tables& tables, std::string_view table_name, ActionContext context, std::string_view text)
{
    auto answer = tables.lookup(text);
    if (!answer) {
        util::log::warning(envelope_.queue_id, ": ", table_name, " lookup problem -- message not accepted, try again later: ",
                           answer.error().text);
        fail(lookup_failure(answer.error()));
        return {};
    }
    if (!*answer)
        return {};
    Action action = parse_action(**answer, context);
    if (action.kind == Action::Kind::Invalid) {
        util::log::warning(envelope_.queue_id, ": ", table_name, ": ", action.text);
        return {};
    }
    return act(action, context, text);
}

LineChange Inspector::act(const Action& action, ActionContext context, std::string_view text)
{
    using Is = Action::Kind;
    LineChange change;
    auto logged = [&](std::string_view word) { log(word, name_of(context), text, action.text); };
    bool header = context == ActionContext::Header;
    switch (action.kind) {
    case Is::Dunno:
    case Is::Invalid:
        break;
    case Is::Reject:
        reject(context, text, action.text);
        break;
    case Is::Warn:
        logged("warning");
        break;
    case Is::Info:
        logged("info");
        break;
    case Is::Pass:
        logged("pass");
        inspecting_ = false;
        break;
    case Is::Discard:
        logged("discard");
        discard_ = true;
        inspecting_ = false;
        break;
    case Is::Hold:
        if (!hold_)
            logged("hold");
        hold_ = true;
        break;
    case Is::Filter:
        logged("filter");
        content_filter_ = action.text;
        break;
    case Is::Redirect:
        logged("redirect");
        redirect_ = action.text;
        break;
    case Is::Bcc:
        logged("bcc");
        if (std::find(copies_.begin(), copies_.end(), action.text) == copies_.end() && copies_.size() < max_copies)
            copies_.push_back(action.text);
        break;
    case Is::Prepend:
        logged("prepend");
        change.before = header ? as_field(action.text) : util::concat(as_line(action.text), "\r\n");
        break;
    case Is::Replace:
        logged("replace");
        change.replacement = header ? as_field(action.text) : as_line(action.text);
        break;
    case Is::Strip:
        logged("strip");
        change.drop = true;
        break;
    case Is::Ignore:
        change.drop = true;
        break;
    }
    return change;
}

// --- the header ------------------------------------------------------------------------------------

LineChange Inspector::check(const mail::FieldView& field)
{
    if (!checks_ || !inspecting_)
        return {};
    if (checks_->strict() && !util::is_ascii(field.text))
        fault(mail::MimeFault::EightBitInHeader, field.text);
    if (!checks_->of_header())
        return {};
    return check_field(mail::FieldClass::Primary, field, field.text);
}

LineChange Inspector::check_field(mail::FieldClass field_class, const mail::FieldView& field, std::string_view text)
{
    std::string name = util::lower(field.name);
    conf::Tables& tables = checks_->tables_for(field_class, name);
    if (tables.empty() || !inspecting_)
        return {};
    return look_up(tables, checks_->name_for(field_class, name), ActionContext::Header, as_key(text));
}

std::vector<mail::Edit> Inspector::edit(std::string_view name, const mail::FieldView& field)
{
    if (checks_) {
        if (name == "content-type" && content_type_.empty())
            content_type_ = field.value;
        else if (name == "content-transfer-encoding" && transfer_encoding_.empty())
            transfer_encoding_ = field.value;
    }
    if (!edits_addresses_)
        return {};
    auto place = AddressRules::place_of_field(name);
    if (!place)
        return {};
    auto edits = addresses_->edit_field(*place, field.value, remote_);
    if (!edits) {
        util::log::warning(envelope_.queue_id, ": address lookup problem -- message not accepted, try again later: ",
                           edits.error().text);
        fail(lookup_failure(edits.error()));
        return {};
    }
    std::size_t start = std::size_t(field.value.data() - field.text.data());
    for (mail::Edit& edit : *edits)
        edit.offset += start;
    return edits.take();
}

// --- the body --------------------------------------------------------------------------------------

void Inspector::filter_characters(std::string& bytes)
{
    if (!checks_ || !inspecting_)
        return;
    auto in = [](const std::bitset<256>& set) {
        return [&set](char c) { return set.test(static_cast<unsigned char>(c)); };
    };
    if (checks_->rejected_characters().any()) {
        auto found = std::find_if(bytes.begin(), bytes.end(), in(checks_->rejected_characters()));
        if (found != bytes.end()) {
            std::size_t at = std::size_t(found - bytes.begin());
            std::size_t start = bytes.rfind('\n', at);
            start = start == std::string::npos ? 0 : start + 1;
            std::string_view line = std::string_view(bytes).substr(std::max(start, at > 100 ? at - 100 : 0), logged_text);
            log("reject", "content", line.substr(0, line.find('\r')), "5.7.1 disallowed character");
            return fail(failure(Kind::Refused, 550, "5.7.1", "disallowed character"));
        }
    }
    if (checks_->stripped_characters().any())
        std::erase_if(bytes, in(checks_->stripped_characters()));
}

void Inspector::begin_body(std::uint64_t offset)
{
    if (!wants_body() || !inspecting_)
        return;
    mail::MimeLimits limits;
    limits.nesting = std::size_t(*config_.mime_nesting_limit);
    limits.boundary_length = std::size_t(*config_.mime_boundary_length_limit);
    limits.field_length = std::size_t(*config_.header_size_limit);
    limits.line_length = std::size_t(*config_.line_length_limit);
    mime_.emplace(limits, *this);
    bool opaque = config_.disable_mime_input_processing;
    mime_->begin(opaque ? std::string_view() : std::string_view(content_type_), transfer_encoding_, offset);
}

void Inspector::feed_body(std::string_view bytes)
{
    if (mime_ && inspecting_)
        mime_->feed(bytes);
}

void Inspector::finish()
{
    if (mime_ && inspecting_)
        mime_->finish();
    mime_.reset();
}

void Inspector::field(mail::FieldClass field_class, std::string_view text, std::uint64_t offset, std::uint64_t length)
{
    if (!inspecting_ || !checks_->of_fields())
        return;
    mail::FieldView view;
    if (!mail::HeaderReader(text).next(view))
        return;
    LineChange change = check_field(field_class, view, text);
    body_changes_.add(offset, 0, std::move(change.before));
    if (change.drop)
        body_changes_.add(offset, length, {});
    else if (change.replacement)
        body_changes_.add(offset, length, std::move(*change.replacement));
}

void Inspector::line(std::string_view text, std::uint64_t offset, std::uint64_t length, std::uint64_t position)
{
    std::uint64_t limit = *config_.body_checks_size_limit;
    if (!inspecting_ || !checks_->of_body() || (limit > 0 && position >= limit))
        return;
    LineChange change = look_up(checks_->body(), "body_checks", ActionContext::Body, text);
    body_changes_.add(offset, 0, std::move(change.before));
    if (change.drop)
        body_changes_.add(offset, length, {});
    else if (change.replacement)
        body_changes_.add(offset, text.size(), std::move(*change.replacement));
}

void Inspector::fault(mail::MimeFault fault, std::string_view text)
{
    using Fault = mail::MimeFault;
    if (!inspecting_ || config_.disable_mime_input_processing)
        return;
    bool strict = config_.strict_8bitmime;
    bool matters = fault == Fault::Nesting ||
                   (fault == Fault::EightBitInHeader && (strict || config_.strict_7bit_headers) && !envelope_.smtputf8) ||
                   (fault == Fault::EightBitInBody && (strict || config_.strict_8bitmime_body)) ||
                   (fault == Fault::EncodingDomain && config_.strict_mime_encoding_domain);
    if (!matters)
        return;
    std::string_view reason = mail::describe(fault);
    util::log::info(envelope_.queue_id, ": reject: mime-error ", reason, ": ",
                    util::printable(text.substr(0, logged_fault), logged_fault), " from ", origin(), "; from=<",
                    util::printable(envelope_.sender), "> to=<",
                    recipient_.empty() ? "unknown" : util::printable(recipient_), '>');
    fail(failure(Kind::Refused, 550, "5.6.0", reason));
}

}  // namespace cleanup
