#include "libtrust/sts_fetch.h"
#include "libnet/stream.h"
#include "libtrust/sts_client.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <sys/socket.h>
#include <thread>

namespace {

using trust::StsFailure;
using DnsStatus = net::dns::Status;

const std::string policy_text = "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mail.example.com\n";

std::string http(std::string_view body, std::string_view status = "200 OK", std::string_view type = "text/plain")
{
    return util::concat("HTTP/1.1 ", status, "\r\nContent-Type: ", type, "\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

net::dns::Answer<std::string> found(std::vector<std::string> records)
{
    net::dns::Answer<std::string> answer;
    answer.status = DnsStatus::Found;
    answer.records = std::move(records);
    return answer;
}

// A web server of one connection for each address, and the DNS that leads to it.
struct Web {
    Web() { ::signal(SIGPIPE, SIG_IGN); }
    ~Web() { join(); }
    void join()
    {
        for (std::thread& thread : threads)
            thread.join();
        threads.clear();
    }

    trust::StsWorld world()
    {
        trust::StsWorld out;
        out.txt = [this](std::string_view name) {
            EQ(name, "_mta-sts.example.com");
            return txt;
        };
        out.addresses = [this](std::string_view host) {
            EQ(host, "mta-sts.example.com");
            return addresses;
        };
        out.connect = [this](const net::Endpoint& server, util::Duration) -> util::Result<util::UniqueFd> {
            EQ(server.port, 443);
            connections.push_back(server.address);
            if (server.address == "192.0.2.99")
                return util::temporary("Connection refused");
            auto pair = util::sys::socket_pair(SOCK_STREAM).take();
            threads.emplace_back([this, fd = pair.second.release()] { serve(util::UniqueFd(fd)); });
            return std::move(pair.first);
        };
        out.tls = &tls;
        out.timeout = std::chrono::seconds(10);
        return out;
    }

    void serve(util::UniqueFd socket)
    {
        net::Stream stream(std::move(socket));
        stream.set_timeout(std::chrono::seconds(10));
        auto context = net::TlsContext::server(certificate.key + certificate.certificate, {});
        auto facts = stream.start_tls(*context);
        if (!facts.ok())
            return;
        server_name = facts->server_name;
        for (;;) {
            auto line = stream.read_line(1000);
            if (!line.ok() || line->text.empty())
                break;
            request += line->text;
            request += '\n';
        }
        stream.write(answer);
        stream.close();
    }

    trust::StsFetched fetch()
    {
        auto out = trust::fetch_sts_policy(world(), "example.com");
        join();
        return out;
    }

    test::CertificatePem root = test::make_certificate({.common_name = "Root", .authority = true});
    test::CertificatePem certificate =
        test::make_certificate({.common_name = "x", .names = {"mta-sts.example.com"}, .issuer = &root});
    net::TlsContext tls = net::TlsContext::client({.authorities = root.certificate}).take();
    net::dns::Answer<std::string> txt, addresses = found({"192.0.2.1"});
    std::string answer = http(policy_text), request, server_name;
    std::vector<std::string> connections;
    std::vector<std::thread> threads;
};

TEST(fetches_a_policy)
{
    Web web;
    auto fetched = web.fetch();
    EQ(fetched.text, "");
    EQ(fetched.failure, StsFailure::None);
    THAT(fetched.policy.mx == std::vector<std::string>({"mail.example.com"}));
    EQ(web.server_name, "mta-sts.example.com");
    THAT(web.request.starts_with("GET /.well-known/mta-sts.txt HTTP/1.1\nHost: mta-sts.example.com\n"));
}
END_TEST

TEST(takes_the_next_address_where_one_does_not_answer)
{
    Web web;
    web.addresses = found({"192.0.2.99", "192.0.2.1", "192.0.2.2"});
    EQ(web.fetch().failure, StsFailure::None);
    THAT(web.connections == std::vector<std::string>({"192.0.2.99", "192.0.2.1"}));
    web.connections.clear();
    web.addresses = found(std::vector<std::string>(10, "192.0.2.99"));
    EQ(web.fetch().text, "Connection refused");
    EQ(web.connections.size(), 4);
    web.addresses = {};
    web.addresses.text = "no host";
    EQ(web.fetch().text, "no host");
}
END_TEST

TEST(refuses_other_answers)
{
    struct Case {
        std::string answer;
        StsFailure failure;
        const char* text;
    };
    for (const Case& c :
         {Case{http(policy_text, "301 Moved"), StsFailure::Fetch, "HTTP status 301"},
          Case{http(policy_text, "404 Not Found"), StsFailure::Fetch, "HTTP status 404"},
          Case{http(policy_text, "200 OK", "text/html"), StsFailure::Invalid, "the media type is text/html"},
          Case{http("<html>"), StsFailure::Invalid, "line 1: a colon is missing"},
          Case{http(policy_text + "x: " + std::string(trust::max_sts_policy, 'x')), StsFailure::Fetch,
               "the answer is too large"},
          Case{"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy_text, StsFailure::Fetch,
               "an answer without length"},
          Case{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + policy_text, StsFailure::Fetch, "lost connection"},
          Case{"", StsFailure::Fetch, "lost connection"}}) {
        Web web;
        web.answer = c.answer;
        auto fetched = web.fetch();
        EQ(fetched.failure, c.failure);
        EQ(fetched.text, c.text);
    }
}
END_TEST

TEST(refuses_other_certificates)
{
    Web wrong;
    wrong.certificate =
        test::make_certificate({.common_name = "mta-sts.example.com", .names = {"www.example.com"}, .issuer = &wrong.root});
    auto fetched = wrong.fetch();
    EQ(fetched.failure, StsFailure::Webpki);
    EQ(fetched.text, "the certificate is for www.example.com, not for mta-sts.example.com");
    EQ(wrong.request, "");
    Web common;  // the CN does not count
    common.certificate = test::make_certificate({.common_name = "mta-sts.example.com", .issuer = &common.root});
    EQ(common.fetch().failure, StsFailure::Webpki);
    Web expired;
    expired.certificate =
        test::make_certificate({.common_name = "x", .names = {"mta-sts.example.com"}, .issuer = &expired.root, .ends = -60});
    EQ(expired.fetch().text, "certificate has expired");
    Web own;
    own.certificate = test::make_certificate({.common_name = "x", .names = {"mta-sts.example.com"}});
    EQ(own.fetch().failure, StsFailure::Webpki);
}
END_TEST

TEST(looks_up_records)
{
    using Found = trust::StsRecordAnswer::Status;
    Web web;
    auto look = [&] { return trust::look_up_sts_record(web.world(), "example.com"); };
    web.txt = found({"v=spf1 -all", "v=STSv1; id=a"});
    EQ(look().status, Found::Found);
    EQ(look().id, "a");
    web.txt = found({"v=STSv1; id=a", "v=STSv1; id=b"});
    EQ(look().status, Found::Broken);
    web.txt = found({"v=spf1 -all"});
    EQ(look().status, Found::None);
    for (auto status :
         {DnsStatus::TryAgain, DnsStatus::Bogus, DnsStatus::Malformed, DnsStatus::NoData, DnsStatus::NoSuchName}) {
        web.txt = {};
        web.txt.status = status;
        EQ(look().status, status == DnsStatus::NoData || status == DnsStatus::NoSuchName ? Found::None : Found::Failed);
    }
}
END_TEST

TEST(understands_replies)
{
    using Answered = trust::StsAnswer::Status;
    ipc::StsReply reply;
    EQ(trust::sts_answer(reply).status, Answered::None);
    reply.result = ipc::StsReply::Result::Found;
    reply.policy = policy_text;
    reply.id = "a";
    EQ(trust::sts_answer(reply).status, Answered::Found);
    EQ(trust::sts_answer(reply).id, "a");
    reply.policy = "x";
    EQ(trust::sts_answer(reply).status, Answered::Failed);
}
END_TEST

}  // namespace

SUITE(sts_fetch, fetches_a_policy, takes_the_next_address_where_one_does_not_answer, refuses_other_answers,
      refuses_other_certificates, looks_up_records, understands_replies)
