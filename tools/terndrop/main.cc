// terndrop(1): puts a message into the drop directory, where pickup(8) finds it.
//
// The one set-gid program of the suite: sendmail(1) starts it when no daemon answers.  It trusts
// nothing of its caller: neither environment nor descriptors nor limits, and it gives up its group
// before it reads any configuration but the built-in one.
#include "libconf/common.h"
#include "libipc/submission_check.h"
#include "libqueue/maildrop.h"
#include "libutil/log.h"
#include "libutil/standard_fds.h"
#include "libutil/sys.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

namespace {

int complain(int status, std::string_view text)
{
    std::fprintf(stderr, "terndrop: %.*s\n", int(text.size()), text.data());
    return status;
}

// What a caller could have prepared for a set-gid program.
void clean_surroundings()
{
    util::open_standard_fds();
    (void)util::sys::close_from(STDERR_FILENO + 1);
    ::clearenv();
    ::umask(077);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGCHLD})
        ::signal(signal, signal == SIGPIPE || signal == SIGXFSZ ? SIG_IGN : SIG_DFL);
    sigset_t nothing;
    ::sigemptyset(&nothing);
    ::sigprocmask(SIG_SETMASK, &nothing, nullptr);
    if (::chdir("/") < 0)
        std::abort();
}

int status_of(const util::Error& error)
{
    switch (error.kind) {
    case util::Kind::Invalid:
        return EX_DATAERR;
    case util::Kind::Permanent:
        return EX_CANTCREAT;
    default:
        return EX_TEMPFAIL;
    }
}

util::Result<void> drop(const std::string& directory, std::uint64_t size_limit)
{
    auto writer = TRY(queue::DropWriter::create(directory));
    ipc::SubmissionCheck check;
    const auto take = [&](std::string_view record) -> util::Result<void> {
        ipc::Packet packet;
        packet.bytes = record;
        TRY(check.record(packet));
        if (size_limit > 0 && check.size() > size_limit)
            return util::invalid(util::concat("the message is larger than message_size_limit = ", size_limit));
        return writer.add(record);
    };
    TRY(queue::read_drop(STDIN_FILENO, take));
    if (!check.complete())
        return util::invalid("the message is not complete");
    TRY(writer.commit());
    return {};
}

}  // namespace

int main(int argc, char** argv)
{
    clean_surroundings();
    util::log::to_stderr("terndrop");
    std::string directory(conf::built_in_config_directory);
    for (int option; (option = ::getopt(argc, argv, "c:")) != -1;) {
        if (option != 'c')
            return complain(EX_USAGE, "usage: terndrop [-c DIRECTORY] < submission");
        directory = optarg;
    }
    if (directory != conf::built_in_config_directory && ::setresgid(::getgid(), ::getgid(), ::getgid()) < 0)
        return complain(EX_OSERR, "cannot give up the group");
    conf::Common config;
    if (auto loaded = conf::load_common(config, directory); !loaded.ok())
        return complain(EX_CONFIG, loaded.error().text);
    auto result = drop(*config.queue_directory + "/maildrop", config.message_size_limit);
    if (!result.ok())
        return complain(status_of(result.error()), result.error().text);
    return EX_OK;
}
