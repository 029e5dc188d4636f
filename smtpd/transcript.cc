// The transcript of a session, and the mail that it becomes.
#include "smtpd/transcript.h"

#include "libmail/date.h"
#include "libutil/log.h"
#include "smtpd/session.h"

namespace smtpd {

namespace log = util::log;

ipc::NoticeClasses class_of(const mail::Reply& reply)
{
    if (reply.code < 400 || reply.code == 421 || reply.code == 530 || reply.code == 535)
        return 0;
    if ((reply.code >= 500 && reply.code <= 504) || reply.code == 521 || reply.code == 555)
        return ipc::NoticeProtocol;
    std::string_view detail = reply.dsn.size() > 2 ? std::string_view(reply.dsn).substr(2) : std::string_view();
    if (detail == "3.1")
        return ipc::NoticeResource;
    if (detail == "3.0" || detail == "3.5")
        return ipc::NoticeSoftware;
    if (detail.starts_with("1.") || detail.starts_with("2.") || detail == "3.4")
        return ipc::NoticeBounce;
    if (detail.starts_with("5."))
        return reply.is_permanent() ? ipc::NoticeProtocol : ipc::NoticeClasses(0);
    return ipc::NoticePolicy;
}

void Transcript::add(std::string_view who, std::string_view line)
{
    if (text_.size() > max_size) {
        std::size_t cut = text_.find('\n', max_size / 2);
        text_.erase(0, cut == std::string::npos ? text_.size() : cut + 1);
        text_.insert(0, " ...\r\n");
    }
    util::append(text_, who, util::printable(line, max_line), "\r\n");
}

void Transcript::command(std::string_view line)
{
    // RFC 4954 §4: an initial response may be a password.
    bool secret = util::starts_with_nocase(util::trim(line), "AUTH");
    add(" In:  ", secret ? "AUTH ..." : line);
}

void Transcript::reply(const mail::Reply& reply, ipc::NoticeClasses classes)
{
    classes_ |= classes;
    add(" Out: ", mail::to_line(reply));
}

// To the postmaster, if notify_classes says so.
void Session::report()
{
    ipc::NoticeClasses classes = transcript_.classes() & config_.classes();
    if (classes == 0)
        return;
    bool returned = classes == ipc::NoticeBounce;
    std::string reader = ipc::notice_address(returned ? *config_.bounce_notice_recipient : *config_.error_notice_recipient,
                                             *common_.myorigin);
    auto next = services_.intake.next_queue_id();
    if (!next) {
        log::warning("no notice to the postmaster of errors from ", client_.log_name(), ": ", next.error().text);
        return;
    }
    std::int64_t now = util::unix_seconds(util::wall_now());
    std::string date = mail::format_date({.seconds = now, .zone_minutes = 0});
    ipc::Envelope envelope;
    envelope.sender = ipc::notice_address(*config_.double_bounce_sender, *common_.myorigin);
    envelope.arrival = util::wall_now().time_since_epoch().count();
    envelope.origin = ipc::Origin::Bounce;
    services_.intake.begin(
        std::move(envelope), {{.address = reader, .original = {}, .notify = ipc::NotifyNever}}, [&](const std::string& id) {
            return util::concat("Received: by ", *common_.myhostname, " (", *common_.mail_name, ")\r\n\tid ", id, "; ", date,
                                "\r\nMessage-ID: <", now, '.', id, '@', *common_.myhostname, ">\r\n");
        });
    util::append(services_.intake.buffer(), "Date: ", date, "\r\nFrom: MAILER-DAEMON@", *common_.myorigin,
                 " (Mail Delivery System)\r\nTo: ", reader, "\r\nSubject: ", *common_.mail_name, " SMTP server: errors from ",
                 client_.log_name(),
                 "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
                 "What was said in this session:\r\n\r\n",
                 transcript_.text());
    (void)services_.intake.flow();
    auto verdict = services_.intake.finish();
    bool kept = verdict && (verdict->kind == ipc::Verdict::Kind::Kept || verdict->kind == ipc::Verdict::Kind::Delivered);
    if (kept)
        log::info("postmaster notice of errors from ", client_.log_name(), ": ", services_.intake.queue_id());
    else
        log::warning("no notice to the postmaster of errors from ", client_.log_name(), ": ",
                     verdict ? verdict->text : verdict.error().text);
}

}  // namespace smtpd
