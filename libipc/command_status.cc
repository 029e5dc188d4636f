// The table of exit statuses.
#include "libipc/command_status.h"

#include "libmail/dsn_status.h"

#include <sys/wait.h>
#include <sysexits.h>

namespace ipc {

namespace {

struct Meaning {
    int status;
    std::string_view dsn;
    std::string_view text;
};

// As Postfix has them.
constexpr Meaning meanings[] = {
    {EX_USAGE, "5.3.0", "command line usage error"},
    {EX_DATAERR, "5.6.0", "data format error"},
    {EX_NOINPUT, "5.3.0", "cannot open input"},
    {EX_NOUSER, "5.1.1", "user unknown"},
    {EX_NOHOST, "5.1.2", "host name unknown"},
    {EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    {EX_SOFTWARE, "5.3.0", "internal software error"},
    {EX_OSERR, "4.3.0", "system resource problem"},
    {EX_OSFILE, "5.3.0", "critical OS file missing"},
    {EX_CANTCREAT, "5.2.0", "can't create user output file"},
    {EX_IOERR, "5.3.0", "input/output error"},
    {EX_TEMPFAIL, "4.3.0", "temporary failure"},
    {EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    {EX_NOPERM, "5.7.0", "permission denied"},
    {EX_CONFIG, "5.3.5", "local configuration error"},
};

std::string with_output(std::string text, std::string_view output)
{
    if (!output.empty())
        util::append(text, ". Command output: ", output);
    return text;
}

// One line of it.
std::string printed(std::string_view output)
{
    std::string line(util::trim(output.substr(0, max_command_output)));
    for (char& c : line)
        if (util::is_space(c))
            c = ' ';
    return util::printable(line, max_command_output);
}

Disposition disposition_of(std::string_view dsn)
{
    return dsn.starts_with('4') ? Disposition::Deferred : Disposition::Bounced;
}

}  // namespace

DeliveryStatus status_of(Disposition disposition, std::string_view dsn, std::string text)
{
    DeliveryStatus status;
    status.disposition = disposition;
    status.dsn = dsn;
    status.text = std::move(text);
    return status;
}

namespace {

// Of a command that has failed; `said` is for Diagnostic-Code (RFC 3464 §2.3.6) what it printed, or what its end means.
DeliveryStatus failed_as(Disposition disposition, std::string_view dsn, std::string text, std::string_view said)
{
    DeliveryStatus status = status_of(disposition, dsn, std::move(text));
    status.diagnostic = util::concat("x-unix; ", said);
    return status;
}

// The same, where only what it printed says more.
DeliveryStatus failed(Disposition disposition, std::string_view dsn, std::string_view what, const std::string& output)
{
    std::string text = with_output(std::string(what), output);
    return failed_as(disposition, dsn, std::move(text), output.empty() ? what : std::string_view(output));
}

}  // namespace

DeliveryStatus command_status(int wait_status, std::string_view command, std::string success, std::string_view raw_output)
{
    std::string output = printed(raw_output);
    std::string name = util::printable(command, 500);
    if (WIFSIGNALED(wait_status))
        return failed(Disposition::Deferred, "4.3.0",
                      util::concat("Command died with signal ", WTERMSIG(wait_status), ": \"", name, "\""), output);
    int status = WEXITSTATUS(wait_status);
    if (status == EX_OK)
        return status_of(Disposition::Delivered, "2.0.0",
                         output.empty() ? std::move(success) : util::concat(success, " (", output, ")"));
    auto [dsn, text] = util::split_first(output, ' ');
    if (mail::is_dsn_status(dsn) && !dsn.starts_with('2'))
        return failed_as(disposition_of(dsn), dsn, std::string(util::trim(text)), util::trim(text));
    for (const Meaning& meaning : meanings)
        if (meaning.status == status)
            return failed(disposition_of(meaning.dsn), meaning.dsn, meaning.text, output);
    return failed(Disposition::Bounced, "5.3.0", util::concat("Command died with status ", status, ": \"", name, "\""), output);
}

DeliveryStatus command_timeout(std::string_view command, std::string_view output)
{
    return failed(Disposition::Bounced, "5.3.0",
                  util::concat("Command time limit exceeded: \"", util::printable(command, 500), "\""), printed(output));
}

}  // namespace ipc
