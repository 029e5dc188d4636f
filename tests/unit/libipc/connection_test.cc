// Records with descriptors over a socket pair.
#include "libipc/connection.h"
#include "libipc/offer.h"
#include "tests/unit/suite.h"

#include <cerrno>
#include <sys/resource.h>
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

TEST(lost_descriptors_are_noticed)
{
    auto [here, there] = make_pair();
    ipc::Offer offer;
    offer.message = util::UniqueFd(::dup(0));
    OK(here.send(offer));
    // No descriptor more for this process.
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    int next = ::dup(0);
    rlimit tight{rlim_t(next), limit.rlim_max};
    ::close(next);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    auto got = there.receive();
    setrlimit(RLIMIT_NOFILE, &limit);
    EQ(got.error().kind, util::Kind::Invalid);
}
END_TEST

SUITE(connection, an_offer_arrives_with_its_descriptor, a_closed_peer_is_temporary,
      waiting_ends_at_the_timeout, the_largest_record_passes_and_one_more_byte_does_not,
      lost_descriptors_are_noticed)
