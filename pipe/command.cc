#include "pipe/command.h"

#include "libipc/child.h"
#include "libipc/command_status.h"
#include "libipc/connection.h"
#include "libipc/delivery_log.h"
#include "libmail/header.h"
#include "libqueue/reader.h"
#include "libutil/command.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace piping {

using ipc::Disposition;
using util::concat;
using util::Result;

namespace {

constexpr std::size_t piece_size = 64 * 1024;
// Larger headers are not searched to their end for Delivered-To fields.
constexpr std::size_t max_searched_header = 256U << 10;

[[noreturn]] void settle(int result, ipc::DeliveryStatus status)
{
    std::vector<int> none;
    (void)ipc::send_packet(result, ipc::encode(Settled{std::move(status)}, none), none);
    ::_exit(0);
}

// What is looked up or opened as root, and the end of that.
Result<void> become_user(const Service& service)
{
    const std::string& root = service.attributes.chroot;
    if (!root.empty() && (::chroot(root.c_str()) < 0 || ::chdir("/") < 0))
        return util::temporary(concat("cannot change root directory to ", root, ": ", std::strerror(errno)));
    return util::become(service.user, service.rules);
}

Result<void> enter_directory(const Service& service)
{
    const std::string& wanted = service.attributes.directory;
    if (wanted.empty()) {
        if (!service.attributes.chroot.empty() || ::chdir(service.queue_directory.c_str()) < 0)
            (void)!::chdir("/");
        return {};
    }
    if (::chdir(wanted.c_str()) < 0)
        return util::temporary(concat("cannot change to directory ", wanted, ": ", std::strerror(errno)));
    return {};
}

Result<bool> was_delivered_to(const queue::Reader& reader, std::string_view address)
{
    std::string text;
    queue::Content content = reader.content();
    for (;;) {
        std::string_view piece = TRY(content.next());
        text.append(piece.substr(0, max_searched_header - text.size()));
        if (piece.empty() || text.size() >= std::min<std::uint64_t>(reader.body_offset(), max_searched_header))
            break;
    }
    mail::HeaderReader header(text);
    for (mail::FieldView field; header.next(field);)
        if (field.is("Delivered-To") && util::equal_nocase(util::trim(mail::unfold(field.value)), address))
            return true;
    return false;
}

// Of an address that was never seen as one nothing is known but its text.
mail::Address address_of(std::string_view text)
{
    auto parsed = mail::parse_address(text);
    return parsed ? parsed.take() : mail::Address{std::string(text), {}};
}

Values values_of(const Service& service, const ipc::Job& job, const queue::Reader& reader)
{
    const ipc::Envelope& envelope = reader.envelope();
    Values values;
    values.client_address = envelope.client_address;
    values.client_helo = envelope.helo_name;
    values.client_hostname = envelope.client_name;
    values.client_port = envelope.client_port;
    values.client_protocol = envelope.protocol_name;
    values.envelope_id = envelope.envelope_id;
    values.nexthop = job.nexthop;
    values.queue_id = job.queue_id;
    values.sasl_method = envelope.sasl_method;
    values.sasl_sender = envelope.sasl_sender;
    values.sasl_username = envelope.sasl_username;
    values.size = concat(reader.content_size());
    if (!job.sender.empty())
        values.sender = address_of(job.sender);
    values.null_sender = service.attributes.null_sender;
    for (const ipc::JobRecipient& recipient : job.recipients) {
        std::string_view original = ipc::original_address(recipient.recipient);
        mail::Address address = address_of(recipient.recipient.address);
        values.recipients.push_back({address, original.empty() ? address : address_of(original)});
    }
    return values;
}

Result<util::UniqueFd> letter_file(const Service& service, const ipc::Job& job, const queue::Reader& reader)
{
    const mail::LocalForm& form = service.attributes.form;
    const ipc::Recipient& recipient = job.recipients.front().recipient;
    std::string_view original = ipc::original_address(recipient);
    mail::LocalTrace trace{.sender = job.sender.empty() ? service.attributes.null_sender : job.sender,
                           .original = original.empty() ? recipient.address : original,
                           .delivered_to = recipient.address};
    util::UniqueFd file = TRY(util::sys::memfd("message"));
    std::string out = mail::local_head(trace, form, util::unix_seconds(util::wall_now()));
    mail::LocalLines lines(form);
    queue::Content content = reader.content();
    for (;;) {
        std::string_view piece = TRY(content.next());
        if (piece.empty())
            break;
        lines.feed(piece, out);
        if (out.size() < piece_size)
            continue;
        TRY(util::sys::write_all(file.get(), out));
        out.clear();
    }
    lines.finish(out);
    if (form.empty_line)
        out += form.line_end;
    TRY(util::sys::write_all(file.get(), out));
    TRY(util::sys::seal(file.get()));
    if (::lseek(file.get(), 0, SEEK_SET) < 0)
        return util::system_error("lseek", errno);
    return file;
}

// A status where there is nothing to run.
Result<ipc::DeliveryStatus> run(const Service& service, const ipc::Job& job, int& result, int output)
{
    const Attributes& attributes = service.attributes;
    TRY(become_user(service));
    queue::Reader reader = TRY(queue::Reader::open(job.message.get(), queue::Check::Content));
    if (attributes.size_limit > 0 && reader.content_size() > attributes.size_limit)
        return ipc::status_of(Disposition::Bounced, "5.2.3", "message too large");
    if (job.verify)
        return ipc::status_of(Disposition::Delivered, "2.0.0",
                              concat("delivers to command: ", attributes.command.front().pieces().front().text));
    const std::string& recipient = job.recipients.front().recipient.address;
    if (attributes.form.delivered_to && TRY(was_delivered_to(reader, recipient)))
        return ipc::status_of(Disposition::Bounced, "5.4.6", concat("mail forwarding loop for ", recipient));
    auto arguments =
        expand(attributes.command, values_of(service, job, reader), attributes.folding, service.recipient_delimiter);
    if (!arguments && arguments.error().kind == util::Kind::Permanent)
        return ipc::status_of(Disposition::Bounced, "5.1.3", arguments.error().text);
    if (!arguments)
        return arguments.take_error();
    util::UniqueFd letter = TRY(letter_file(service, job, reader));
    TRY(enter_directory(service));
    TRY(util::limit_command(0));
    TRY(util::place_command_descriptors(letter.get(), output, result));
    util::execute_command(arguments.take(), service.environment);
}

}  // namespace

void become_command(const Service& service, const ipc::Job& job, int result, int output)
{
    (void)::setsid();
    util::close_all_but({job.message.get(), result, output}, server::log_descriptor + 1);
    auto status = run(service, job, result, output);
    settle(result, status ? status.take() : ipc::status_of(Disposition::Deferred, "4.3.0", status.error().text));
}

}  // namespace piping
