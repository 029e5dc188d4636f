// tools/tern/tracer.h, tools/tern/trace_report.h
#include "tools/tern/trace_report.h"

#include "tests/unit/suite.h"

using namespace tern;

namespace {

const std::string a = "3Cbn4n0000z1234", b = "3Cbn4n0001z1234", c = "3Cbn4n0002z1234";

// The log as it is written: cleanup says of a notice what bounce has not yet told.
std::vector<std::string> log_of_a_bounce()
{
    std::vector<std::string> lines = {
        "smtpd[1]: connect from h[192.0.2.1]",
        "smtpd[1]: " + a + ": client=h[192.0.2.1]",
        "cleanup[2]: " + a + ": message-id=<1@h>",
        "qmgr[3]: " + a + ": from=<me@example.test>, size=10, nrcpt=1 (queue active)",
        "local[4]: " + a +
            ": to=<you@example.test>, orig_to=<u@example.test>, relay=local, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (full)",
        "local[4]: " + a +
            ": to=<you@example.test>, orig_to=<u@example.test>, relay=local, delay=9, delays=0/0/0/9, dsn=5.2.0, status=bounced (gone, and away)",
        "cleanup[2]: " + b + ": message-id=<n@h>",
        "bounce[5]: " + a + ": sender non-delivery notification: " + b,
        "qmgr[3]: " + b + ": from=<>, size=20, nrcpt=1 (queue active)",
        "qmgr[3]: " + a + ": removed",
        "local[4]: " + b + ": to=<me@example.test>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (stored)",
        "qmgr[3]: " + b + ": removed",
        "smtpd[1]: NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.1.1 no such user; from=<me@example.test> to=<nobody@example.test> proto=SMTP",
        "cleanup[2]: " + c + ": message-id=<other@h>",
        "qmgr[3]: " + c + ": from=<other@example.test>, size=20, nrcpt=1 (queue active)",
    };
    for (std::size_t i = 0; i < lines.size(); ++i)
        lines[i] = util::concat("2026-11-23T20:00:", i < 10 ? "0" : "", i, ".000000+00:00 mx tern/", lines[i]);
    return lines;
}

// How often the log was read.
unsigned run(Tracer& tracer, const std::vector<std::string>& lines)
{
    unsigned passes = 0;
    do {
        std::string storage;
        tools::LogLine parsed;
        for (const std::string& line : lines) {
            THAT(tools::parse_log_line(line, parsed, storage));
            tracer.line(parsed);
        }
        ++passes;
    } while (tracer.end_pass());
    return passes;
}

std::string ids(const Tracer& tracer)
{
    std::string out;
    for (const TracedMessage* message : tracer.messages())
        util::append(out, out.empty() ? "" : " ", message->id);
    return out;
}

TEST(a_message_leads_to_its_notice_and_back)
{
    for (const std::string& id : {a, b}) {
        TraceQuestion question;
        question.queue_id = id;
        Tracer tracer(question);
        run(tracer, log_of_a_bounce());
        EQ(ids(tracer), a + " " + b);
        const TracedMessage& first = *tracer.messages()[0];
        EQ(first.sender, "me@example.test");
        EQ(first.message_id, "<1@h>");
        EQ(first.events.size(), 7u);
        THAT(first.removed && first.related.contains(b));
        EQ(first.recipients.size(), 1u);
        EQ(first.recipients[0].address, "you@example.test");
        EQ(first.recipients[0].original, "u@example.test");
        EQ(first.recipients[0].status, "bounced");
        EQ(first.recipients[0].text, "gone, and away");
        const TracedMessage& notice = *tracer.messages()[1];
        THAT(notice.has_sender && notice.sender.empty() && notice.related.contains(a));
        EQ(notice.events.size(), 4u);   // also the one from before it was known to belong here
    }
}
END_TEST

TEST(addresses_and_times_find_messages_and_refusals)
{
    auto asked = [](std::string address, std::optional<tools::TimeSpan> time = {}) {
        TraceQuestion question;
        question.address = std::move(address);
        question.time = time;
        Tracer tracer(question);
        run(tracer, log_of_a_bounce());
        return util::concat(ids(tracer), " ", tracer.refusals().size());
    };
    EQ(asked("YOU@example.test"), util::concat(a, " ", b, " 0"));
    EQ(asked("me@example.test"), util::concat(a, " ", b, " 1"));
    EQ(asked("nobody@example.test"), " 1");
    EQ(asked("1@h"), util::concat(a, " ", b, " 0"));
    EQ(asked("none@h"), " 0");
    std::int64_t start = *tools::parse_log_time("2026-11-23T20:00:12.000000+00:00");
    EQ(asked("", tools::TimeSpan{start, start + 2'000'000}), util::concat(c, " 1"));
    EQ(asked("", tools::TimeSpan{start + 60'000'000, start + 61'000'000}), " 0");
}
END_TEST

TEST(an_equal_message_id_ties_messages_together)
{
    std::vector<std::string> lines = {
        "t h tern/cleanup[1]: " + a + ": message-id=<1@h>", "t h tern/cleanup[1]: " + b + ": message-id=<1@h>",
        "t h tern/cleanup[1]: " + c + ": message-id=<>",    "t h tern/cleanup[1]: 3Cbn4n0003z1234: message-id=<>"};
    TraceQuestion question;
    question.queue_id = b;
    Tracer tracer(question);
    EQ(run(tracer, lines), 3u);   // learns the message-id, finds the other, reads its lines
    EQ(ids(tracer), a + " " + b);
    question.queue_id = c;
    Tracer nameless(question);
    EQ(run(nameless, lines), 1u);
    EQ(ids(nameless), c);
}
END_TEST

TEST(of_many_messages_the_last_are_taken)
{
    std::vector<std::string> lines;
    for (int i = 10; i < 30; ++i)
        lines.push_back(util::concat("t h tern/qmgr[1]: 3Cbn4n00", i, "z1234: from=<me@h>, size=1"));
    TraceQuestion question;
    question.address = "me@h";
    question.limit = 3;
    Tracer tracer(question);
    run(tracer, lines);
    EQ(ids(tracer), "3Cbn4n0027z1234 3Cbn4n0028z1234 3Cbn4n0029z1234");
    EQ(tracer.left_out(), 17u);
}
END_TEST

TEST(events_beyond_the_limit_are_counted)
{
    std::vector<std::string> lines(Tracer::max_events + 3, "t h tern/qmgr[1]: " + a + ": something");
    TraceQuestion question;
    question.queue_id = a;
    Tracer tracer(question);
    run(tracer, lines);
    EQ(tracer.messages()[0]->events.size(), Tracer::max_events);
    EQ(tracer.messages()[0]->left_out, 3u);
}
END_TEST

TEST(what_is_printed_cannot_carry_control_bytes)
{
    TracedMessage message;
    message.id = a;
    message.events.push_back({"2026-11-23T20:00:00.000000+00:00", "smtpd", 1, "warning", "a\033[2Jb"});
    message.recipients.push_back({"x\n@y", "", "local", "1", "2.0.0", "sent", "ok", "t"});
    std::string text = trace_to_text(message, nullptr, false);
    EQ(text, a + "\n    2026-11-23 20:00:00.000  smtpd     warning: a\\033[2Jb\n  <x\\012@y>: sent: ok\n\n");
    QueuedState queued;
    queued.item.queue = "deferred";
    queued.recipients.push_back({"x@y", "full"});
    text = trace_to_text(message, &queued, true);
    THAT(text.find("now: in the deferred queue\n    <x@y>: full\n") != std::string::npos);
    std::string json = trace_to_json(message, &queued, true);
    THAT(json.find("\"queue\": {\"queue_name\": \"deferred\"") != std::string::npos &&
         json.find("\\u001b") != std::string::npos);
}
END_TEST

}  // namespace

SUITE(trace, a_message_leads_to_its_notice_and_back, addresses_and_times_find_messages_and_refusals,
      an_equal_message_id_ties_messages_together, of_many_messages_the_last_are_taken, events_beyond_the_limit_are_counted,
      what_is_printed_cannot_carry_control_bytes)
