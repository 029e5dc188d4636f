// terncat(1): shows a queue file: envelope, recipients, content, changes, and the story of what has
// become of it so far.
#include "libconf/common.h"
#include "libqueue/directory.h"
#include "libqueue/queue_id.h"
#include "libqueue/reader.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"

#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

namespace terncat {
namespace {

constexpr std::string_view usage = "usage: terncat [-behs] [-c config_directory] queue_id | file ...\n";

struct Options {
    std::string config_directory{conf::built_in_config_directory};
    bool envelope = false;
    bool header = false;
    bool body = false;
    bool story = false;
};

using util::print_out;

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "terncat: %.*s\n", static_cast<int>(text.size()), text.data());
    return status;
}

std::string time_text(std::int64_t microseconds)
{
    std::time_t seconds = microseconds / 1'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    char text[60];
    std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    std::string digits = util::concat(microseconds % 1'000'000);
    return util::concat(std::string_view(text, size), '.', std::string(6 - std::min<std::size_t>(6, digits.size()), '0'),
                        digits);
}

std::string_view name_of(ipc::Origin origin)
{
    constexpr std::string_view names[] = {"smtp", "local", "bounce", "mailbox"};
    return names[static_cast<std::size_t>(origin)];
}

void put_field(std::string_view name, std::string_view value)
{
    if (!value.empty())
        print_out(util::concat(name, ": ", util::printable(value), "\n"));
}

std::string notify_text(std::uint8_t notify)
{
    std::string text;
    constexpr std::pair<std::uint8_t, std::string_view> names[] = {{ipc::NotifyNever, "never"},
                                                                   {ipc::NotifySuccess, "success"},
                                                                   {ipc::NotifyFailure, "failure"},
                                                                   {ipc::NotifyDelay, "delay"}};
    for (const auto& [bit, name] : names)
        if (notify & bit)
            util::append(text, text.empty() ? "" : ",", name);
    return text;
}

void show_envelope(const queue::Reader& reader)
{
    const ipc::Envelope& envelope = reader.envelope();
    print_out("*** ENVELOPE ***\n");
    put_field("queue_id", envelope.queue_id);
    put_field("arrival", time_text(envelope.arrival));
    print_out(util::concat("size: ", reader.content_size(), "\n"));
    print_out(util::concat("sender: <", util::printable(envelope.sender), ">\n"));
    put_field("envelope_id", envelope.envelope_id);
    if (envelope.return_part != ipc::ReturnPart::Default)
        put_field("return", envelope.return_part == ipc::ReturnPart::Full ? "full" : "headers");
    put_field("origin", name_of(envelope.origin));
    put_field("client_name", envelope.client_name);
    put_field("client_address", envelope.client_address);
    put_field("helo_name", envelope.helo_name);
    put_field("protocol_name", envelope.protocol_name);
    put_field("sasl_method", envelope.sasl_method);
    put_field("sasl_username", envelope.sasl_username);
    put_field("message_id", reader.summary().message_id);
    print_out(util::concat("eight_bit: ", envelope.eight_bit || reader.summary().eight_bit, ", smtputf8: ", envelope.smtputf8,
                     ", expanded: ", reader.summary().expanded, "\n"));
    if (envelope.requiretls || reader.summary().tls_optional)
        put_field("tls", envelope.requiretls ? "required" : "optional");
    std::size_t index = 0;
    for (const queue::RecipientEntry& entry : reader.recipients()) {
        std::string line = util::concat("recipient ", index++, entry.done ? " (done)" : "", ": <",
                                        util::printable(entry.recipient.address), ">");
        if (!entry.recipient.original.empty())
            util::append(line, ", original=", util::printable(entry.recipient.original));
        if (entry.recipient.notify != ipc::NotifyDefault)
            util::append(line, ", notify=", notify_text(entry.recipient.notify));
        print_out(line + "\n");
    }
    for (const ipc::Recipient& alias : reader.aliases())
        print_out(util::concat("expanded: <", util::printable(alias.address), ">\n"));
    for (const queue::Patch& patch : reader.patches())
        print_out(util::concat("patch at ", patch.offset, ": ", patch.length, " bytes become \"",
                               util::printable(patch.replacement, 2000), "\"\n"));
}

// The content, or a part of it.
util::Result<void> show_content(const queue::Reader& reader, bool header, bool body)
{
    queue::Content content = reader.content();
    std::uint64_t at = 0;
    std::uint64_t body_offset = reader.body_offset();
    for (;;) {
        std::string_view piece = TRY(content.next());
        if (piece.empty())
            return {};
        std::uint64_t in_header = at >= body_offset ? 0 : std::min<std::uint64_t>(piece.size(), body_offset - at);
        at += piece.size();
        if (header)
            print_out(piece.substr(0, in_header));
        if (body)
            print_out(piece.substr(in_header));
    }
}

util::Result<void> show_story(const queue::Reader& reader)
{
    auto story = TRY(reader.story());
    print_out("*** STORY ***\n");
    print_out(util::concat(time_text(reader.envelope().arrival), " arrived\n"));
    for (const queue::StoryEntry& entry : story.entries) {
        std::string line = util::concat(time_text(entry.time), " ", queue::name_of(entry.kind));
        if (entry.recipient && *entry.recipient < reader.recipients().size())
            util::append(line, " to=<", util::printable(reader.recipients()[*entry.recipient].recipient.address), ">");
        if (entry.status) {
            constexpr std::string_view words[] = {"sent", "deferred", "bounced"};
            util::append(line, ", relay=", util::printable(entry.status->relay), ", dsn=", util::printable(entry.status->dsn),
                         ", status=", words[static_cast<std::size_t>(entry.status->disposition)], " (",
                         util::printable(entry.status->text), ")");
            if (!entry.status->diagnostic.empty())
                util::append(line, ", diagnostic=", util::printable(entry.status->diagnostic));
        }
        if (!entry.text.empty())
            util::append(line, " (", util::printable(entry.text), ")");
        print_out(line + "\n");
    }
    if (story.damaged > 0)
        print_out(util::concat(story.damaged, " lines are damaged\n"));
    return {};
}

struct Found {
    util::UniqueFd file;
    std::string_view place;   // empty: a file that was named
};

util::Result<Found> find(const Options& options, const std::string& name)
{
    if (!queue::is_queue_id(name))
        return Found{TRY(util::sys::open(name, O_RDONLY)), {}};
    conf::Common common;
    TRY(conf::load_common(common, options.config_directory));
    auto directory = TRY(queue::Directory::open(*common.queue_directory));
    for (queue::Place place : queue::all_places) {
        auto file = directory.open_file(place, name, O_RDONLY);
        if (file)
            return Found{file.take(), queue::name_of(place)};
    }
    return util::not_found("no such message (one that is delivered at once never has a file)");
}

util::Result<void> show(const Options& options, const std::string& name)
{
    Found found = TRY(find(options, name));
    // Damaged content is shown as far as it goes, after the complaint.
    auto reader = queue::Reader::open(found.file.get());
    if (!reader && reader.error().kind == util::Kind::Invalid) {
        complain(0, util::concat(name, ": ", reader.error().text));
        reader = queue::Reader::open(found.file.get(), queue::Check::Envelope);
    }
    if (!reader)
        return reader.take_error();
    if (options.envelope) {
        if (!found.place.empty())
            print_out(util::concat("*** ", found.place, "/", name, " ***\n"));
        show_envelope(*reader);
    }
    if (options.envelope && (options.header || options.body))
        print_out("*** MESSAGE ***\n");
    if (options.header || options.body)
        TRY(show_content(*reader, options.header, options.body));
    if (options.story)
        return show_story(*reader);
    return {};
}

}  // namespace
}  // namespace terncat

int main(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("terncat");
    terncat::Options options;
    int letter;
    while ((letter = ::getopt(argc, argv, "behsc:")) != -1) {
        switch (letter) {
        case 'b': options.body = true; break;
        case 'e': options.envelope = true; break;
        case 'h': options.header = true; break;
        case 's': options.story = true; break;
        case 'c': options.config_directory = ::optarg; break;
        default: std::fputs(terncat::usage.data(), stderr); return EX_USAGE;
        }
    }
    if (::optind == argc) {
        std::fputs(terncat::usage.data(), stderr);
        return EX_USAGE;
    }
    if (!options.body && !options.envelope && !options.header && !options.story)
        options.body = options.envelope = options.header = options.story = true;
    int status = EX_OK;
    for (int i = ::optind; i < argc; ++i)
        if (auto shown = terncat::show(options, argv[i]); !shown)
            status = terncat::complain(EX_NOINPUT, util::concat(util::printable(argv[i]), ": ", shown.error().text));
    return util::end_output("terncat", status);
}
