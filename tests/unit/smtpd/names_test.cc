#include "smtpd/names.h"

#include "libutil/log.h"
#include "tests/unit/smtpd/fake_names.h"
#include "tests/unit/suite.h"

namespace {

using net::dns::Status;
using smtpd::NameStatus;

smtpd::Client named(net::dns::ClientName answer)
{
    util::log::to_nowhere();
    test::FakeNames names;
    names.client = std::move(answer);
    smtpd::Client client;
    client.address = "192.0.2.1";
    smtpd::find_name(client, names);
    return client;
}

TEST(a_name_that_leads_back_is_the_clients)
{
    auto client = named({"a.example", "a.example", Status::Found, Status::Found, ""});
    EQ(client.name, "a.example");
    EQ(client.reverse_name, "a.example");
    EQ(client.name_status, NameStatus::Ok);
    EQ(client.reverse_status, NameStatus::Ok);
}
END_TEST

TEST(a_name_that_leads_elsewhere_is_forged_and_one_that_cannot_be_asked_for_is_not)
{
    auto client = named({"", "a.example", Status::Found, Status::Found, ""});
    EQ(client.name, "unknown");
    EQ(client.reverse_name, "a.example");
    EQ(client.name_status, NameStatus::Forged);
    EQ(named({"", "a.example", Status::Found, Status::NoSuchName, ""}).name_status, NameStatus::Forged);
    EQ(named({"", "a.example", Status::Found, Status::TryAgain, ""}).name_status, NameStatus::Temporary);
}
END_TEST

TEST(a_client_without_reverse_name_has_none)
{
    for (auto [status, wanted] : {std::pair(Status::NoSuchName, NameStatus::Permanent), {Status::NoData, NameStatus::Permanent},
                                  {Status::Malformed, NameStatus::Permanent}, {Status::TryAgain, NameStatus::Temporary},
                                  {Status::Bogus, NameStatus::Temporary}}) {
        auto client = named({"", "", status, Status::TryAgain, ""});
        EQ(client.name, "unknown");
        EQ(client.reverse_name, "unknown");
        EQ(client.name_status, wanted);
        EQ(client.reverse_status, wanted);
    }
}
END_TEST

TEST(who_has_a_name_is_not_asked_for)
{
    test::FakeNames names;
    names.client.name = names.client.reverse = "other.example";
    smtpd::Client client;
    client.name = "localhost";
    smtpd::find_name(client, names);
    EQ(client.name, "localhost");
}
END_TEST

}  // namespace

SUITE(names, a_name_that_leads_back_is_the_clients,
      a_name_that_leads_elsewhere_is_forged_and_one_that_cannot_be_asked_for_is_not,
      a_client_without_reverse_name_has_none, who_has_a_name_is_not_asked_for)
