// mailbox(8): one user's store, deliveries into it and sessions upon it, under that user's own uid.
//
// usher(8) starts it with a control socket and closes that to end it.  It opens nothing but the
// user's own directory.
#include "imapd/engine/access.h"
#include "imapd/engine/deflate_session.h"
#include "libipc/connection.h"
#include "libmail/imap_render.h"
#include "libutil/log.h"
#include "libutil/memory.h"
#include "libutil/sandbox.h"
#include "libutil/sanitizer.h"
#include "mailbox/fork_server.h"
#include "mailbox/host.h"
#include "mailbox/search_room.h"
#include "mailbox/transcript.h"
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

// For accounts whose sessions are written down.  Without a transcript, too, there is a session.
std::unique_ptr<Transcript> open_transcript(const ipc::MailboxSettings& settings, const ipc::SessionFacts& facts)
{
    if (!facts.transcript)
        return nullptr;
    auto opened = Transcript::open(settings.directory, facts);
    if (!opened.ok()) {
        util::log::warning(facts.session, ": no transcript: ", opened.error().text);
        return nullptr;
    }
    return opened.take();
}

template <typename S>
std::unique_ptr<S> make_engine(std::unique_ptr<Transcript> transcript, auto&&... arguments)
{
    if (transcript)
        return std::make_unique<Overheard<S>>(std::move(transcript), std::forward<decltype(arguments)>(arguments)...);
    return std::make_unique<S>(std::forward<decltype(arguments)>(arguments)...);
}

std::unique_ptr<ipc::ProtocolSession> make_session(const ipc::MailboxSettings& settings,
                                                   const ipc::SessionFacts& facts, store::Store& store,
                                                   imapd::engine::Remotes& remotes, SearchRoom& search, std::string_view state)
{
    if (facts.service == ipc::Service::Pop3) {
        pop3d::engine::SessionFacts session;
        session.user = settings.account;
        session.peer = facts.client_address;
        session.tls = facts.tls;
        session.login_capabilities = facts.login_capabilities;
        session.utf8 = facts.utf8;
        // usher has checked it.
        if (auto format = mail::UidlFormat::parse(settings.uidl_format); format.ok())
            session.uidl_format = format.take();
        return make_engine<pop3d::engine::Session>(open_transcript(settings, facts), store, std::move(session));
    }
    if (facts.service != ipc::Service::Imap)
        return nullptr;
    imapd::engine::SessionFacts session;
    session.user = settings.account;
    session.peer = facts.client_address;
    session.tls = facts.tls;
    session.returnable = facts.returnable && facts.guest.empty();
    session.search_aids = &search;
    session.strict_append = settings.strict_append;
    session.limits.messages = static_cast<std::size_t>(settings.message_limit);
    if (!facts.owner_disabled)
        session.url_hosts = settings.url_hosts;
    session.client = facts.client_name;
    session.discard_capabilities = settings.discard_capabilities;
    session.guest = facts.guest;
    session.guest_prefix = facts.guest_prefix;
    session.groups = facts.groups;
    if (facts.guest.empty())
        session.remotes = &remotes;
    session.namespaces = {.others = settings.other_users_prefix, .shared = settings.public_prefix,
                          .shared_owner = settings.public_account};
    session.server_comment = settings.server_comment;
    session.server_admin = settings.server_admin;
    if (settings.message_size_limit)
        session.limits.message = settings.message_size_limit;
    auto inner = make_engine<imapd::engine::Session>(open_transcript(settings, facts), store, std::move(session));
    if (state.empty())
        return std::make_unique<imapd::engine::DeflateSession>(std::move(inner));
    return std::make_unique<imapd::engine::DeflateSession>(std::move(inner), state);
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

util::Result<ipc::Packet> receive_first()
{
    auto packet = TRY(ipc::receive_packet(control_descriptor));
    if (!packet)
        return util::invalid("usher has closed the control socket");
    return std::move(*packet);
}

// Nothing: the process was a fork server, and is not needed any more.
util::Result<std::optional<ipc::MailboxSettings>> receive_settings(bool has_log, const Title& title)
{
    ipc::Packet packet = TRY(receive_first());
    bool forked = packet.name() == ipc::ForkServer::message_name;
    if (forked) {
        auto server = TRY(ipc::decode<ipc::ForkServer>(packet));
        if (has_log)
            util::log::to_socket(server.log_name, log_descriptor);
        if (!TRY(fork_for_usher(server, control_descriptor)))
            return std::nullopt;
        packet = TRY(receive_first());
    }
    auto settings = TRY(ipc::decode<ipc::MailboxSettings>(packet));
    if (forked)
        title.set(settings.account);
    return std::optional(std::move(settings));
}

// Those of copies of the process (copy_process.h), which are prepared while that is possible.
util::Result<util::Sandbox> enter_sandbox(const ipc::MailboxSettings& settings)
{
    if (!util::sanitizer::on)
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    util::Sandbox sandbox;
    sandbox.write(settings.directory).threads().forks().never_lingers();
    util::Sandbox copies;
    copies.read(settings.directory).never_lingers();
    util::Sandbox::Mode mode = !settings.sandbox            ? util::Sandbox::Mode::No
                               : settings.sandbox_required ? util::Sandbox::Mode::Require
                                                           : util::Sandbox::Mode::Yes;
    TRY(sandbox.prepare(mode, static_cast<int>(settings.landlock_abi_limit)));
    TRY(copies.prepare(mode, static_cast<int>(settings.landlock_abi_limit)));
    auto outcome = TRY(sandbox.enter());
    for (const std::string& missing : outcome.missing)
        util::log::verbose("sandbox: ", missing);
    return copies;   // moved: with what prepare() opened
}

// For usher, who tells it to those that wait: the log is not all that people look at.
void tell_why(const util::Error& error)
{
    std::vector<int> none;
    (void)ipc::send_packet(control_descriptor, ipc::encode(ipc::NotStarted{.reason = error.text}, none), none, MSG_DONTWAIT);
}

// The exit status.
util::Result<int> serve(bool has_log, const Title& title)
{
    auto received = TRY(receive_settings(has_log, title));
    if (!received)
        return 0;
    ipc::MailboxSettings& settings = *received;
    if (has_log)
        util::log::to_socket(settings.log_name, log_descriptor);
    if (settings.verbose)
        util::log::set_level(util::log::Level::Verbose);
    auto copies = TRY(enter_sandbox(settings));
    auto opened = store::Store::open(settings.directory, store_options(settings), util::Duration(settings.lock_wait));
    if (!opened.ok()) {
        tell_why(opened.error());
        return opened.take_error();
    }
    std::unique_ptr<store::Store> store = opened.take();
    util::EventLoop loop = TRY(util::EventLoop::create());
    SearchRoom search(loop, settings, *store, std::move(copies));
    Host* self = nullptr;
    Host host(loop, util::UniqueFd(control_descriptor), settings, *store, render,
              [&settings, &self, &search](const ipc::SessionFacts& facts, store::Store& of_user, std::string_view state) {
                  return make_session(settings, facts, of_user, self->remotes(), search, state);
              },
              &search);
    self = &host;
    if (!settings.other_users_prefix.empty() || !settings.public_prefix.empty())
        host.on_sharing([&settings, &store] { return imapd::engine::sharers_of(*store, settings.account); });
    util::SignalWatch terminate(loop, SIGTERM, [&host] { host.leave("server shutting down"); });
    TRY(host.run());
    return host.has_untold_news() ? ipc::untold_news_status : 0;
}

}  // namespace

}  // namespace mailbox

int main(int count, char** arguments)
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
    auto served = mailbox::serve(has_log, mailbox::Title(arguments[count - 1]));
    if (!served.ok()) {
        util::log::error(served.error().text);
        return 1;
    }
    return *served;
}
