// Messages between programs.
#include "libipc/delivery.h"
#include "libipc/submission.h"
#include "libutil/time.h"
#include "tests/unit/lingering_socket.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>

namespace {

ipc::Packet packet_of(const auto& message)
{
    std::vector<int> descriptors;
    ipc::Packet packet;
    packet.bytes = ipc::encode(message, descriptors);
    for (int fd : descriptors)
        packet.descriptors.emplace_back(::dup(fd));
    return packet;
}

ipc::Begin sample()
{
    ipc::Begin begin;
    begin.envelope.queue_id = "4Xq1";
    begin.envelope.sender = "a@example.org";
    begin.envelope.arrival = -5;
    begin.envelope.smtputf8 = true;
    begin.recipients = {{"b@example.org", "rfc822;b", ipc::NotifyNever}, {"c@example.org", "", 0}};
    begin.content = std::string("x\0y\r\n", 5);
    begin.last = true;
    return begin;
}

// One sample's encoding with one piece of text replaced.
ipc::Packet packet_with(std::string_view from, std::string_view to)
{
    auto packet = packet_of(sample());
    std::size_t at = packet.bytes.find(from);
    ck_assert(at != std::string::npos);
    packet.bytes.replace(at, from.size(), to);
    return packet;
}

}  // namespace

TEST(what_was_encoded_is_decoded)
{
    auto packet = packet_of(sample());
    EQ(packet.name(), "begin");
    auto begin = ipc::decode<ipc::Begin>(packet);
    OK(begin);
    EQ(begin->envelope.queue_id, "4Xq1");
    EQ(begin->envelope.arrival, -5);
    THAT(begin->envelope.smtputf8 && begin->last);
    EQ(begin->recipients.size(), 2U);
    EQ(begin->recipients[0].original, "rfc822;b");
    EQ(begin->recipients[0].notify, ipc::NotifyNever);
    EQ(begin->recipients[1].address, "c@example.org");
    EQ(begin->content, std::string("x\0y\r\n", 5));
}
END_TEST

TEST(a_descriptor_travels_by_index)
{
    ipc::Job job;
    job.job = 7;
    job.message = util::UniqueFd(::dup(0));
    auto packet = packet_of(job);
    EQ(packet.descriptors.size(), 1U);
    auto decoded = ipc::decode<ipc::Job>(packet);
    OK(decoded);
    THAT(decoded->message.valid());
    EQ(decoded->job, 7U);
}
END_TEST

TEST(a_descriptor_that_did_not_come_is_invalid)
{
    ipc::Job job;
    job.message = util::UniqueFd(::dup(0));
    auto packet = packet_of(job);
    packet.descriptors.clear();
    EQ(ipc::decode<ipc::Job>(packet).error().kind, util::Kind::Invalid);
}
END_TEST

TEST(a_descriptor_that_nobody_takes_keeps_nobody)
{
    util::UniqueFd client;
    util::UniqueFd server = test::lingering_socket(client);
    std::string much(16U << 20, 'x');
    while (::send(server.get(), much.data(), much.size(), MSG_DONTWAIT) > 0)
        continue;
    auto began = util::now();
    {
        ipc::Packet packet, other;
        packet.descriptors.push_back(std::move(server));
        other = std::move(packet);
        other = ipc::Packet();
    }
    THAT(util::now() - began < std::chrono::seconds(60));
}
END_TEST

TEST(unknown_fields_are_passed_over_and_missing_ones_default)
{
    ipc::Packet packet;
    packet.bytes = std::string("more\0future\0" "3:abc", 17);
    auto more = ipc::decode<ipc::More>(packet);
    OK(more);
    EQ(more->recipients.size(), 0U);
}
END_TEST

TEST(malformed_records_are_invalid)
{
    // Number with letters, enum beyond its last value, lengths that lie, a field twice.
    const std::pair<std::string_view, std::string_view> changes[] = {
        {std::string_view("arrival\0" "2:-5", 12), std::string_view("arrival\0" "2:x5", 12)},
        {std::string_view("origin\0" "1:0", 10), std::string_view("origin\0" "1:9", 10)},
        {std::string_view("last\0" "1:1", 8), std::string_view("last\0" "1:2", 8)},
        {std::string_view("last\0" "1:1", 8), std::string_view("last\0" "2:1", 8)},
        {std::string_view("last\0" "1:1", 8), std::string_view("last\0" ":1", 7)},
        {std::string_view("last\0" "1:1", 8), std::string_view("last\0" "99999999:1", 15)},
        {std::string_view("last\0" "1:1", 8), std::string_view("\0" "1:1", 4)},
        {std::string_view("last\0" "1:1", 8), std::string_view("last\0" "1:1last\0" "1:1", 16)},
        {"begin", "begim"},
    };
    for (const auto& [from, to] : changes) {
        auto packet = packet_with(from, to);
        auto begin = ipc::decode<ipc::Begin>(packet);
        ck_assert_msg(!begin.ok(), "%s", util::printable(to).c_str());
        EQ(begin.error().kind, util::Kind::Invalid);
    }
}
END_TEST

TEST(every_truncation_is_invalid_or_shorter)
{
    auto whole = packet_of(sample()).bytes;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        ipc::Packet packet;
        packet.bytes = whole.substr(0, length);
        auto begin = ipc::decode<ipc::Begin>(packet);
        if (begin.ok())
            THAT(!begin->last);
    }
}
END_TEST

TEST(describe_shows_no_control_bytes)
{
    auto text = ipc::describe(sample());
    THAT(text.find('\0') == std::string::npos);
    THAT(text.find("queue_id=4Xq1") != std::string::npos);
}
END_TEST

SUITE(wire, what_was_encoded_is_decoded, a_descriptor_travels_by_index,
      a_descriptor_that_did_not_come_is_invalid, a_descriptor_that_nobody_takes_keeps_nobody,
      unknown_fields_are_passed_over_and_missing_ones_default, malformed_records_are_invalid,
      every_truncation_is_invalid_or_shorter, describe_shows_no_control_bytes)
