// sendmail(1), mailq(1): the commands that programs have called for forty years.
//
// A message goes to pickup(8) over its public socket, which knows the caller from the kernel; when
// nobody answers there, terndrop(1) puts it into the drop directory.
#include "libconf/common.h"
#include "libconf/index.h"
#include "libconf/main_cf.h"
#include "libmail/address.h"
#include "libmail/header.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"
#include "librouting/config.h"
#include "tools/sendmail/compose.h"
#include "tools/sendmail/config.h"
#include "tools/sendmail/options.h"
#include "tools/sendmail/smtp_session.h"
#include "tools/sendmail/submit.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

namespace sendmail {
namespace {

constexpr std::size_t read_size = 64 * 1024;

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "sendmail: %.*s\n", int(text.size()), text.data());
    return status;
}

// The code of an error in the words of the command line.
constexpr int usage = -EX_USAGE;

int status_of(const util::Error& error)
{
    if (error.code == usage)
        return EX_USAGE;
    switch (error.kind) {
    case util::Kind::Invalid:
        return EX_DATAERR;
    case util::Kind::Permanent:
        return EX_UNAVAILABLE;
    default:
        return EX_TEMPFAIL;
    }
}

// The directory this program is in: a private instance has its commands beside each other.
std::string own_directory(const conf::Common& config)
{
    char path[PATH_MAX];
    ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || length == PATH_MAX)
        return config.command_directory;
    std::string_view whole(path, std::size_t(length));
    return std::string(whole.substr(0, whole.rfind('/')));
}

// Becomes another command of the suite.
int run_command(const conf::Common& config, std::vector<std::string> words)
{
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = util::concat(own_directory(config), "/", words.front());
    ::execv(path.c_str(), arguments.data());
    return complain(EX_OSFILE, util::system_error(path, errno).text);
}

int make_aliases(const conf::Common& config)
{
    Config tables;
    routing::Config routing;
    conf::Common common;
    conf::Problems problems;
    auto settings = conf::MainCf::load(config.config_directory, problems);
    settings.fill({&common, &routing, &tables}, problems);
    if (problems.any())
        return complain(EX_CONFIG, problems.to_text());
    std::vector<std::string> words = {"ternmap", "-a"};
    for (const std::string& table : *tables.alias_database) {
        if (conf::index_type(util::split_first(table, ':').first))
            words.push_back(table);
    }
    if (words.size() == 2)
        return complain(EX_CONFIG, "alias_database names no table to make (hash:, btree: or lmdb:)");
    return run_command(config, std::move(words));
}

int run_ternqueue(const conf::Common& config, const Options& options)
{
    std::vector<std::string> words = {"ternqueue", "-c", config.config_directory};
    if (options.mode == Mode::ListQueue)
        words.emplace_back("-p");
    else if (!options.flush_id.empty())
        words.insert(words.end(), {"-i", options.flush_id});
    else if (!options.flush_site.empty())
        words.insert(words.end(), {"-s", options.flush_site});
    else
        words.emplace_back("-f");
    return run_command(config, std::move(words));
}

util::Result<std::unique_ptr<Sink>> open_sink(const conf::Common& config)
{
    OpenSink terndrop = [&config] {
        bool built_in = *config.config_directory == conf::built_in_config_directory;
        return open_terndrop(own_directory(config) + "/terndrop", built_in ? "" : *config.config_directory);
    };
    auto pickup = open_pickup(*config.queue_directory + "/public/pickup", terndrop);
    return pickup.ok() ? std::move(pickup) : terndrop();
}

struct Person {
    std::string login;
    std::string full_name;
};

// Who calls, from the passwd file; the full name is the first part of the GECOS field.
Person caller()
{
    Person person;
    if (const passwd* entry = ::getpwuid(::getuid())) {
        person.login = entry->pw_name;
        person.full_name = util::split_first(entry->pw_gecos, ',').first;
    }
    return person;
}

// One message from standard input to a sink.
class Delivery {
public:
    Delivery(const Options& options, const conf::Common& config)
        : options_(options), config_(config), lines_(options.dot_ends)
    {
    }

    util::Result<void> run()
    {
        if (options_.recipients.empty() && !options_.recipients_from_header)
            return util::Error{util::Kind::Invalid, "no recipients: name them, or use -t to take them from the header", usage};
        TRY(find_sender());
        if (options_.report != ipc::Report::None && sender_.empty())
            return util::Error{util::Kind::Invalid, "there is nobody to send the report to: the sender is <>", usage};
        // Who asks only what would become of a message has none.
        if (options_.report == ipc::Report::Deliverability)
            content_ = "Subject: probe\r\n\r\n";
        else
            TRY(read_header());
        TRY(find_recipients());
        auto sink = TRY(open_sink(config_));
        ipc::Envelope envelope;
        envelope.sender = sender_;
        envelope.arrival = util::wall_now().time_since_epoch().count();
        envelope.envelope_id = options_.envelope_id;
        envelope.return_part = options_.return_part;
        envelope.origin = ipc::Origin::Local;
        envelope.complete_header = options_.complete_header;
        envelope.report = options_.report;
        envelope.smtputf8 = !util::is_ascii(sender_) ||
                            std::ranges::any_of(recipients_, [](const ipc::Recipient& recipient) {
                                return !util::is_ascii(recipient.address);
                            });
        sink->begin(std::move(envelope), recipients_);
        if (options_.complete_header && !mail::find_field(content_, "From"))
            sink->write(from_field(full_name_, sender_.empty() ? login_address_ : sender_));
        while (!content_.empty()) {
            sink->write(content_);
            content_.clear();
            if (options_.report != ipc::Report::Deliverability)
                TRY(read_more());
        }
        TRY(sink->finish());
        if (options_.report != ipc::Report::None)
            util::print_out(
                util::concat("Mail Delivery Status Report will be mailed to <", util::printable(sender_, 320), ">.\n"));
        return {};
    }

private:
    util::Result<void> find_sender()
    {
        Person person = caller();
        if (person.login.empty() && !options_.sender)
            return util::permanent(util::concat("uid ", ::getuid(), " has no name; give a sender with -f"));
        const char* name = std::getenv("NAME");
        full_name_ = !options_.full_name.empty() ? options_.full_name : name ? name : person.full_name;
        if (!person.login.empty())
            login_address_ = util::concat(mail::quote_local_part(person.login), "@", *config_.myorigin);
        if (!options_.sender) {
            sender_ = login_address_;
        } else if (!options_.sender->empty() && *options_.sender != "<>") {
            auto found = TRY(envelope_addresses(*options_.sender, *config_.myorigin));
            if (found.size() != 1)
                return util::invalid("-f takes one address");
            sender_ = found[0];
        }
        return {};
    }

    // Reads until the header is whole, or is too large to be one.
    util::Result<void> read_header()
    {
        TRY(read_more());
        while (!lines_.ended()) {
            mail::HeaderReader reader(content_);
            mail::FieldView field;
            while (reader.next(field))
                continue;
            if (reader.complete() || content_.size() > max_header_size)
                break;
            std::size_t before = content_.size();
            TRY(read_more());
            if (content_.size() == before)
                break;
        }
        return {};
    }

    util::Result<void> find_recipients()
    {
        std::vector<std::string> texts = options_.recipients;
        if (options_.recipients_from_header) {
            if (content_.size() > max_header_size && !lines_.ended())
                return util::invalid(util::concat("the header is larger than ", max_header_size, " bytes"));
            for (auto& text : header_recipients(content_))
                texts.push_back(std::move(text));
        }
        for (const auto& text : texts) {
            auto addresses = TRY(envelope_addresses(text, *config_.myorigin));
            for (auto& address : addresses)
                recipients_.push_back({std::move(address), "", options_.notify});
        }
        if (recipients_.empty())
            return util::invalid(options_.recipients_from_header ? "no recipients: the header names none"
                                                                 : "no recipients: the words name none");
        return {};
    }

    // More lines of the message at the end of content_; none at its end.
    util::Result<void> read_more()
    {
        std::size_t before = content_.size();
        while (!lines_.ended() && content_.size() == before) {
            char buffer[read_size];
            std::size_t got = TRY(util::sys::read(STDIN_FILENO, buffer));
            if (got == 0)
                lines_.end(content_);
            else
                lines_.feed({buffer, got}, content_);
        }
        return {};
    }

    const Options& options_;
    const conf::Common& config_;
    LineReader lines_;
    std::string content_;
    std::string sender_;
    std::string login_address_;
    std::string full_name_;
    std::vector<ipc::Recipient> recipients_;
};

int speak_smtp(const conf::Common& config)
{
    SmtpSession session(config,
                        {.read = [](std::span<char> buffer) { return util::sys::read(STDIN_FILENO, buffer); },
                         .write = [](std::string_view text) { util::print_out(text); }},
                        [&config] { return open_sink(config); });
    bool good = session.run();
    return util::end_output("sendmail", good ? EX_OK : EX_PROTOCOL);
}

int run(int argc, char** argv)
{
    util::open_standard_fds();
    util::log::to_stderr("sendmail");
    std::string_view called = argc > 0 ? argv[0] : "sendmail";
    called.remove_prefix(std::min(called.size(), called.rfind('/') + 1));
    std::span<char* const> words(argv + std::min(argc, 1), argv + argc);
    auto options = parse_options(called, words);
    if (!options.ok())
        return complain(EX_USAGE, options.error().text);
    if (options->config_directory.empty())
        options->config_directory = conf::built_in_config_directory;
    conf::Common config;
    if (auto loaded = conf::load_common(config, options->config_directory); !loaded.ok())
        return complain(EX_CONFIG, loaded.error().text);
    switch (options->mode) {
    case Mode::Deliver:
        break;
    case Mode::Smtp:
        return speak_smtp(config);
    case Mode::Start:
        return run_command(config, {"tern", "-c", *config.config_directory, "start"});
    case Mode::NewAliases:
        return make_aliases(config);
    case Mode::ListQueue:
    case Mode::Flush:
        return run_ternqueue(config, *options);
    }
    auto result = Delivery(*options, config).run();
    if (!result.ok())
        return complain(status_of(result.error()), result.error().text);
    return util::end_output("sendmail", EX_OK);
}

}  // namespace
}  // namespace sendmail

int main(int argc, char** argv) { return sendmail::run(argc, argv); }
