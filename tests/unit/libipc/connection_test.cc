// Records with descriptors over a socket pair.
#include "libipc/connection.h"
#include "libipc/offer.h"
#include "tests/unit/no_descriptors.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace {

struct Pair {
    ipc::Connection first, second;
};

Pair make_pair()
{
    auto pair = util::sys::socket_pair(SOCK_SEQPACKET);
    ck_assert(pair.ok());
    return {ipc::Connection(std::move(pair->first)), ipc::Connection(std::move(pair->second))};
}

}  // namespace

TEST(an_offer_arrives_with_its_descriptor)
{
    auto [here, there] = make_pair();
    ipc::Offer offer;
    offer.queue_id = "4Xq1";
    offer.message = util::UniqueFd(::dup(0));
    OK(here.send(offer));
    auto got = there.receive_as<ipc::Offer>();
    OK(got);
    EQ(got->queue_id, "4Xq1");
    THAT(got->message.valid());
}
END_TEST

TEST(a_closed_peer_is_temporary)
{
    auto [here, there] = make_pair();
    there.close();
    EQ(here.receive().error().code, ECONNRESET);
    EQ(here.send(ipc::Named{}).error().kind, util::Kind::Temporary);
}
END_TEST

TEST(waiting_ends_at_the_timeout)
{
    auto [here, there] = make_pair();
    OK(here.set_timeout(util::Duration(1000)));
    EQ(here.receive().error().code, EAGAIN);
    THAT(there.valid());
}
END_TEST

TEST(the_largest_record_passes_and_one_more_byte_does_not)
{
    auto [here, there] = make_pair();
    std::string bytes(ipc::max_packet_size, 'x');
    OK(ipc::send_packet(here.fd(), bytes, {}));
    auto got = there.receive();
    OK(got);
    EQ(got->bytes.size(), bytes.size());
    bytes += 'x';
    EQ(ipc::send_packet(here.fd(), bytes, {}).error().kind, util::Kind::Permanent);
}
END_TEST

TEST(a_record_without_room_for_its_descriptor_is_cut_and_the_connection_lives)
{
    auto [here, there] = make_pair();
    ipc::Offer offer;
    offer.queue_id = "4Xq1";
    offer.message = util::UniqueFd(::dup(0));
    OK(here.send(offer));
    OK(here.send(offer));
    OK(here.send(offer));
    {
        test::NoDescriptors shortage;
        auto got = there.receive();
        OK(got);
        THAT(got->cut);
        EQ(got->descriptors.size(), 0U);
        // Never an offer that has no descriptor; what else it says can be read for an answer.
        auto whole = ipc::decode<ipc::Offer>(*got);
        EQ(whole.error().kind, util::Kind::Temporary);
        EQ(whole.error().code, EMFILE);
        THAT(whole.error().text.find("RLIMIT_NOFILE") != std::string::npos);
        auto cut = ipc::decode_cut<ipc::Offer>(*got);
        OK(cut);
        EQ(cut->queue_id, "4Xq1");
        THAT(!cut->message.valid());
        ipc::Packet packets[ipc::max_packets_at_once];
        auto count = ipc::receive_packets(there.fd(), packets);
        OK(count);
        EQ(*count, 2U);
        THAT(packets[0].cut && packets[1].cut);
    }
    OK(here.send(offer));
    OK(there.receive_as<ipc::Offer>());
}
END_TEST

// Sends `count` descriptors with a record, as no peer of ours would.
void send_descriptors(int to, std::size_t count)
{
    char byte = 'x';
    iovec piece{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = {};
    ck_assert(count <= 16);
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int) * count);
    for (std::size_t i = 0; i < count; ++i)
        std::memset(CMSG_DATA(item) + i * sizeof(int), 0, sizeof(int));   // descriptor 0
    ck_assert(::sendmsg(to, &header, 0) == 1);
}

int next_descriptor()
{
    util::UniqueFd probe(::dup(0));
    return probe.get();
}

TEST(of_a_record_that_is_cut_no_descriptor_stays_open)
{
    auto [here, there] = make_pair();
    int before = next_descriptor();
    send_descriptors(here.fd(), 4);
    {
        test::NoDescriptors shortage;
        shortage.leave(rlim_t(before) + 2);
        auto got = there.receive();
        OK(got);
        THAT(got->cut);
    }
    EQ(next_descriptor(), before);
    // Too many are a peer's mistake, at whatever limit.
    send_descriptors(here.fd(), ipc::max_packet_descriptors + 1);
    EQ(there.receive().error().kind, util::Kind::Invalid);
    EQ(next_descriptor(), before);
    send_descriptors(here.fd(), ipc::max_packet_descriptors);
    OK(there.receive());
}
END_TEST

SUITE(connection, an_offer_arrives_with_its_descriptor, a_closed_peer_is_temporary,
      waiting_ends_at_the_timeout, the_largest_record_passes_and_one_more_byte_does_not,
      a_record_without_room_for_its_descriptor_is_cut_and_the_connection_lives,
      of_a_record_that_is_cut_no_descriptor_stays_open)
