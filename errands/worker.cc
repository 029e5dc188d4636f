// One errand.
#include "errands/worker.h"

#include "libipc/command_status.h"
#include "libipc/connection.h"
#include "libmail/address.h"
#include "librouting/keys.h"
#include "libutil/command.h"
#include "libutil/log.h"
#include "libutil/sys.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace errands {

using util::concat;
using util::Result;

namespace {

template <typename Message>
void say(int result, const Message& message)
{
    std::vector<int> none;
    (void)ipc::send_packet(result, ipc::encode(message, none), none);
}

[[noreturn]] void end_with(int result, std::uint64_t request, ipc::DeliveryStatus status, bool no_user = false)
{
    ipc::ErrandDone done;
    done.request = request;
    done.no_user = no_user;
    done.status = std::move(status);
    say(result, done);
    ::_exit(0);
}

ipc::DeliveryStatus failure_of(const util::Error& error)
{
    // All else somebody will mend: rights, space, a server that is away, what main.cf says.
    if (error.code == EFBIG)
        return ipc::status_of(ipc::Disposition::Bounced, "5.2.2", error.text);
    if (error.code == EISDIR)
        return ipc::status_of(ipc::Disposition::Bounced, "5.2.0", error.text);
    return ipc::status_of(ipc::Disposition::Deferred, "4.2.0", error.text);
}

}  // namespace

std::vector<ipc::ListPart> parts_of(std::uint64_t request, Search search)
{
    std::vector<ipc::ListPart> parts(1);
    auto& destinations = search.list.destinations;
    std::uint64_t version = ipc::version_of(destinations);
    std::size_t size = 0;
    for (mail::Destination& one : destinations) {
        std::size_t room = one.text.size() + 64;
        if (size + room > ipc::list_part_size && !parts.back().destinations.empty()) {
            parts.emplace_back();
            size = 0;
        }
        size += room;
        parts.back().destinations.push_back(std::move(one));
    }
    for (ipc::ListPart& part : parts) {
        part.request = request;
        part.result = search.result;
        part.version = version;
        part.last = false;
    }
    parts.back().last = true;
    return parts;
}

void read_list(const ipc::ReadList& order, const Rules& rules, int result)
{
    auto search = find_list(order.place, order.recipient, rules.lists);
    if (!search.ok()) {
        ipc::ListPart failed;
        failed.request = order.request;
        failed.status = ipc::status_of(ipc::Disposition::Deferred, "4.3.0", search.error().text);
        say(result, failed);
        ::_exit(0);
    }
    for (const ipc::ListPart& part : parts_of(order.request, search.take()))
        say(result, part);
    ::_exit(0);
}

// --- commands ----------------------------------------------------------------------------------------

std::vector<std::string> command_environment(const ipc::RunEntry& order, const User& user, const Rules& rules)
{
    auto [local, domain] = util::split_first(order.recipient, '@');
    auto [name, extension] = mail::split_extension(local, rules.recipient_delimiter);
    std::vector<std::string> variables = rules.environment;
    // What came from outside may end up in a shell.
    auto filtered = [&](std::string_view value) {
        std::string out(value);
        for (char& c : out)
            if (rules.command_filter.find(c) == std::string::npos)
                c = '_';
        return out;
    };
    auto set = [&](std::string_view variable, std::string_view value) {
        if (!value.empty())
            variables.push_back(concat(variable, "=", filtered(value)));
    };
    variables.push_back(concat("PATH=", util::command_path));
    // Of the user database, not of the message.
    for (auto [variable, value] : {std::pair("HOME=", &user.home), std::pair("SHELL=", &user.shell)})
        if (!value->empty())
            variables.push_back(concat(variable, *value));
    // Nobody in particular is whom the mail is for.
    set("LOGNAME", user.home.empty() ? name : std::string_view(user.name));
    set("USER", name);
    set("LOCAL", local);
    set("DOMAIN", domain);
    set("EXTENSION", extension);
    set("RECIPIENT", order.recipient);
    set("ORIGINAL_RECIPIENT", order.original_recipient);
    variables.push_back(concat("SENDER=", filtered(order.sender)));
    set("CLIENT_ADDRESS", order.client_address);
    set("CLIENT_HOSTNAME", order.client_name);
    set("CLIENT_HELO", order.helo_name);
    set("CLIENT_PROTOCOL", order.protocol_name);
    set("SASL_METHOD", order.sasl_method);
    set("SASL_USERNAME", order.sasl_username);
    return variables;
}

namespace {

Result<util::UniqueFd> letter_file(const ipc::RunEntry& order, LetterForm form)
{
    util::UniqueFd file = TRY(util::sys::memfd("message"));
    TRY(write_letter(order, form, util::unix_seconds(util::wall_now()),
                     [&](std::string_view piece) { return util::sys::write_all(file.get(), piece); }));
    TRY(util::sys::seal(file.get()));
    if (::lseek(file.get(), 0, SEEK_SET) < 0)
        return util::system_error("lseek", errno);
    return file;
}

// Only when the command does not start does this return.
Result<void> exec_command(const ipc::RunEntry& order, const std::string& command, const User& user, const Rules& rules,
                          int result, int output)
{
    util::UniqueFd letter =
        TRY(letter_file(order, {.from_line = true, .mailbox_file = false, .delivered_to = rules.delivered_to_command}));
    std::vector<std::string> variables = command_environment(order, user, rules);
    TRY(util::limit_command(rules.files.size_limit, rules.process_limit));
    if (::chdir(user.home.empty() || user.name.empty() ? "/" : user.home.c_str()) < 0)
        return util::temporary(concat("cannot change to directory ", user.home, ": ", std::strerror(errno)));
    TRY(util::place_command_descriptors(letter.get(), output, result));
    say(result, Running{command});
    util::execute_command({rules.shell.empty() ? "/bin/sh" : rules.shell, "-c", command}, std::move(variables));
}

// --- what an entry says ------------------------------------------------------------------------------

Result<ipc::DeliveryStatus> deliver_file(const ipc::RunEntry& order, const std::string& path, const Rules& rules,
                                         std::string_view success, FileRules files)
{
    files.delivered_to = rules.delivered_to_file;
    if (path.ends_with('/')) {
        TRY(put_into_maildir(path, order, files, rules.hostname));
        return ipc::status_of(ipc::Disposition::Delivered, "2.0.0", "delivered to maildir");
    }
    TRY(append_to_file(path, order, files));
    return ipc::status_of(ipc::Disposition::Delivered, "2.0.0",
                          success.empty() ? "delivered to mailbox" : std::string(success));
}

Result<ipc::DeliveryStatus> run_list_entry(const ipc::RunEntry& order, const Rules& rules, int result, int output)
{
    Search search = TRY(find_list(order.place, order.recipient, rules.lists));
    List& list = search.list;
    if (search.result != ipc::ListPart::Result::Found || ipc::version_of(list.destinations) != order.version ||
        order.entry >= list.destinations.size())
        return util::temporary("the list was changed meanwhile");
    const mail::Destination& entry = list.destinations[order.entry];
    bool is_command = entry.kind == mail::Destination::Kind::Command;
    if (!is_command && entry.kind != mail::Destination::Kind::File)
        return util::temporary("the list was changed meanwhile");
    if (!(is_command ? rules.commands_in : rules.files_in)[std::size_t(list.where)])
        return ipc::status_of(ipc::Disposition::Bounced, "5.7.1",
                              is_command ? "mail to command is restricted" : "mail to file is restricted");
    const User& user = list.owner ? *list.owner : rules.lists.default_user;
    TRY(become(user, rules.lists.users));
    if (is_command) {
        TRY(exec_command(order, entry.text, user, rules, result, output));
        return util::temporary("the command did not start");
    }
    FileRules files = rules.files;
    files.dot_lock_may_fail = true;
    files.owner.reset();
    return deliver_file(order, entry.text, rules, concat("delivered to file: ", entry.text), files);
}

// Where the spool may be written by its group only, mail comes with that group; root's is nobody's.
Result<std::optional<gid_t>> spool_group(const std::string& directory)
{
    struct stat status = TRY(util::sys::stat(directory));
    bool group_only = (status.st_mode & S_IWGRP) && !(status.st_mode & S_IWOTH) && status.st_gid != 0;
    return group_only ? std::optional<gid_t>(status.st_gid) : std::nullopt;
}

// mailbox_command and its tables; empty: none.
Result<std::string> mailbox_command_of(const std::string& user, const Rules& rules)
{
    auto found = TRY(rules.mailbox_commands->lookup(std::vector<conf::Key>{{user}}));
    return found ? std::move(found->value) : rules.mailbox_command;
}

Result<ipc::DeliveryStatus> deliver_mailbox(const ipc::RunEntry& order, const Rules& rules, int result, int output)
{
    auto user = TRY(find_user(order.place.name));
    if (!user)
        end_with(result, order.request, {}, true);
    // Root's mail waits for the alias that root must have: it is the machine's own. Others' will not get there by waiting.
    if (auto may = may_become(*user, rules.lists.users); !may.ok())
        return user->uid == 0 ? ipc::status_of(ipc::Disposition::Deferred, "4.3.5",
                                               concat("mail for ", user->name, " needs an alias: ", may.error().text))
                              : ipc::status_of(ipc::Disposition::Bounced, "5.1.1",
                                               concat("user ", user->name, " takes no mail here: ", may.error().text));
    std::string command = TRY(mailbox_command_of(user->name, rules));
    if (!command.empty()) {
        TRY(become(*user, rules.lists.users));
        TRY(exec_command(order, command, *user, rules, result, output));
        return util::temporary("the command did not start");
    }
    FileRules files = rules.files;
    if (rules.strict_ownership)
        files.owner = user->uid;
    if (!rules.home_mailbox.empty()) {
        TRY(become(*user, rules.lists.users));
        return deliver_file(order, concat(user->home, "/", rules.home_mailbox), rules, {}, files);
    }
    std::string path = concat(rules.spool_directory, rules.spool_directory.ends_with('/') ? "" : "/", user->name);
    bool maildir = rules.spool_directory.ends_with('/');
    auto group = TRY(spool_group(rules.spool_directory));
    TRY(become(*user, rules.lists.users, maildir ? std::nullopt : group));
    return deliver_file(order, maildir ? path + "/" : path, rules, {}, files);
}

// The first answer for the address, as virtual(8) asks: whole, without extension, the domain.
Result<std::optional<std::string>> by_address(conf::Tables& tables, const mail::Address& address, std::string_view delimiter)
{
    auto found = TRY(tables.lookup(routing::alias_keys(address, delimiter, false).keys));
    return found ? std::optional(std::move(found->value)) : std::nullopt;
}

Result<std::uint32_t> number_of(conf::Tables& tables, const mail::Address& address, std::string_view delimiter,
                                std::string_view what)
{
    auto value = TRY(by_address(tables, address, delimiter));
    if (!value)
        return util::temporary(concat("recipient ", mail::to_text(address), ": ", what, " not found"));
    auto number = util::parse_unsigned(util::trim(*value), UINT32_MAX - 1);
    if (!number.ok())
        return util::temporary(
            concat("recipient ", mail::to_text(address), ": bad ", what, " \"", util::printable(*value, 60), "\""));
    return static_cast<std::uint32_t>(*number);
}

Result<ipc::DeliveryStatus> deliver_virtual(const ipc::RunEntry& order, const Rules& rules, int result)
{
    const auto& ours = rules.virtual_mailboxes;
    mail::Address address = TRY(mail::parse_address(order.place.name));
    auto path = TRY(by_address(*ours.mailboxes, address, rules.recipient_delimiter));
    if (!path)
        end_with(result, order.request, {}, true);
    User user;
    user.uid = TRY(number_of(*ours.uids, address, rules.recipient_delimiter, "uid"));
    user.gid = TRY(number_of(*ours.gids, address, rules.recipient_delimiter, "gid"));
    UserRules users = rules.lists.users;
    users.minimum_uid = ours.minimum_uid;
    users.minimum_name = "virtual_minimum_uid";
    if (auto may = may_become(user, users); !may.ok())
        return ipc::status_of(ipc::Disposition::Deferred, "4.3.5",
                              concat("mailbox of ", order.place.name, ": ", may.error().text));
    std::string whole = concat(ours.base, "/", *path);
    if (ours.base.empty() || concat("/", *path, "/").find("/../") != std::string::npos)
        return ipc::status_of(ipc::Disposition::Deferred, "4.3.5", concat("mailbox of ", order.place.name, ": bad path"));
    TRY(become(user, users));
    FileRules files = ours.files;
    if (rules.strict_ownership)
        files.owner = user.uid;
    return deliver_file(order, whole, rules, {}, files);
}

}  // namespace

void run_entry(const ipc::RunEntry& order, const Rules& rules, int result, int output)
{
    auto serve = [&]() -> Result<ipc::DeliveryStatus> {
        switch (order.place.kind) {
        case ipc::Place::Kind::Mailbox: return deliver_mailbox(order, rules, result, output);
        case ipc::Place::Kind::Virtual: return deliver_virtual(order, rules, result);
        case ipc::Place::Kind::Alias:
        case ipc::Place::Kind::Forward: break;
        }
        return run_list_entry(order, rules, result, output);
    };
    auto status = serve();
    end_with(result, order.request, status.ok() ? status.take() : failure_of(status.error()));
}

}  // namespace errands
