// mailbox(8): one user's store, deliveries into it and sessions upon it, under that user's own uid.
//
// usher(8) starts it with a control socket and closes that to end it.  It opens nothing but the
// user's own directory.
#include "imapd/engine/session.h"
#include "libipc/connection.h"
#include "libmail/imap_render.h"
#include "libutil/log.h"
#include "libutil/memory.h"
#include "libutil/sandbox.h"
#include "libutil/sanitizer.h"
#include "mailbox/host.h"
#include "pop3d/engine/session.h"

#include <csignal>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace mailbox {

namespace {

// As usher arranges them.
constexpr int control_descriptor = 3;
constexpr int log_descriptor = 4;

store::Rendered render(std::string_view message)
{
    mail::RenderedMessage made = mail::render_message(message);
    store::Rendered rendered;
    rendered.envelope = std::move(made.envelope);
    rendered.body_structure = std::move(made.body_structure);
    rendered.body = std::move(made.body);
    rendered.header_cache = std::move(made.header_cache);
    rendered.preview = std::move(made.preview);
    rendered.sent_seconds = made.date ? made.date->seconds : 0;
    rendered.header_size = static_cast<std::uint32_t>(made.header_size);
    return rendered;
}

std::unique_ptr<ipc::ProtocolSession> make_session(const ipc::MailboxSettings& settings,
                                                   const ipc::SessionFacts& facts, store::Store& store)
{
    if (facts.service == ipc::Service::Pop3) {
        pop3d::engine::SessionFacts session;
        session.user = settings.account;
        session.peer = facts.client_address;
        session.tls = facts.tls;
        session.login_capabilities = facts.login_capabilities;
        return std::make_unique<pop3d::engine::Session>(store, std::move(session));
    }
    if (facts.service != ipc::Service::Imap)
        return nullptr;
    imapd::engine::SessionFacts session;
    session.user = settings.account;
    session.peer = facts.client_address;
    session.tls = facts.tls;
    if (settings.message_size_limit)
        session.limits.message = settings.message_size_limit;
    return std::make_unique<imapd::engine::Session>(store, std::move(session));
}

store::Options store_options(const ipc::MailboxSettings& settings)
{
    store::Options options;
    options.flag_sync_delay = util::Duration(settings.flag_sync_delay);
    options.undelete_time = util::Duration(settings.undelete_time);
    options.undelete_limit = settings.undelete_limit;
    options.segment_size = settings.segment_size;
    options.quota_bytes = settings.quota_bytes;
    options.quota_messages = settings.quota_messages;
    return options;
}

util::Result<ipc::MailboxSettings> receive_settings()
{
    auto packet = TRY(ipc::receive_packet(control_descriptor));
    if (!packet)
        return util::invalid("usher has closed the control socket");
    return ipc::decode<ipc::MailboxSettings>(*packet);
}

util::Result<void> enter_sandbox(const ipc::MailboxSettings& settings)
{
    if (!util::sanitizer::on)
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    util::Sandbox sandbox;
    sandbox.write(settings.directory).threads();
    util::Sandbox::Mode mode = !settings.sandbox            ? util::Sandbox::Mode::No
                               : settings.sandbox_required ? util::Sandbox::Mode::Require
                                                           : util::Sandbox::Mode::Yes;
    TRY(sandbox.prepare(mode, static_cast<int>(settings.landlock_abi_limit)));
    auto outcome = TRY(sandbox.enter());
    for (const std::string& missing : outcome.missing)
        util::log::verbose("sandbox: ", missing);
    return {};
}

// For usher, who tells it to those that wait: the log is not all that people look at.
void tell_why(const util::Error& error)
{
    std::vector<int> none;
    (void)ipc::send_packet(control_descriptor, ipc::encode(ipc::NotStarted{.reason = error.text}, none), none, MSG_DONTWAIT);
}

util::Result<void> serve(bool has_log)
{
    ipc::MailboxSettings settings = TRY(receive_settings());
    if (has_log)
        util::log::to_socket(settings.log_name, log_descriptor);
    if (settings.verbose)
        util::log::set_level(util::log::Level::Verbose);
    TRY(enter_sandbox(settings));
    auto opened = store::Store::open(settings.directory, store_options(settings), util::Duration(settings.lock_wait));
    if (!opened.ok()) {
        tell_why(opened.error());
        return opened.take_error();
    }
    std::unique_ptr<store::Store> store = opened.take();
    util::EventLoop loop = TRY(util::EventLoop::create());
    Host host(loop, util::UniqueFd(control_descriptor), settings, *store, render,
              [&settings](const ipc::SessionFacts& facts, store::Store& of_user) {
                  return make_session(settings, facts, of_user);
              });
    util::SignalWatch terminate(loop, SIGTERM, [&host] { host.leave("server shutting down"); });
    return host.run();
}

}  // namespace

}  // namespace mailbox

int main()
{
    ::mallopt(M_ARENA_MAX, 1);  // its helper thread allocates little
    util::keep_freed_memory();
    struct stat status {};
    bool has_log = ::fstat(mailbox::log_descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
    if (has_log)
        util::log::to_socket("tern/mailbox", mailbox::log_descriptor);
    else
        util::log::to_stderr("tern/mailbox");
    ::signal(SIGPIPE, SIG_IGN);
    auto served = mailbox::serve(has_log);
    if (!served.ok()) {
        util::log::error(served.error().text);
        return 1;
    }
    return 0;
}
