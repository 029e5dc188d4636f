#include "libnet/tls_sni.h"
#include "libnet/stream.h"
#include "libnet/tls_client.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/suite.h"

#include <csignal>
#include <sys/socket.h>
#include <thread>

namespace {

std::string chain(const char* name)
{
    auto pem = test::make_certificate(name);
    return pem.key + pem.certificate;
}

// Whose certificate a server shows to a client that asks for this name.
std::string shown(const net::TlsContext& server, const std::string& name, const char* protocols)
{
    ::signal(SIGPIPE, SIG_IGN);
    auto pair = util::sys::socket_pair(SOCK_STREAM).take();
    std::thread thread([&] {
        net::Stream stream(std::move(pair.second));
        stream.set_timeout(std::chrono::seconds(10));
        auto facts = stream.start_tls(server);
        if (facts.ok())
            EQ(facts->server_name, util::lower(name));
    });
    auto context = net::TlsContext::client({});
    net::Stream stream(std::move(pair.first));
    stream.set_timeout(std::chrono::seconds(10));
    net::TlsTarget target;
    target.server_name = name;
    target.protocols = protocols;
    auto facts = stream.start_tls_client(*context, target);
    stream.close();
    thread.join();
    OK(facts);
    return facts->common_name;
}

TEST(a_client_gets_the_certificate_of_the_name_it_asks_for)
{
    auto server =
        net::TlsContext::server(chain("everybody") + net::sni_text("mail.example.com", chain("mail")) +
                                    net::sni_text(".example.org", chain("below")) + net::sni_text("a.example.org", chain("a")),
                                {});
    OK(server);
    for (const char* protocols : {"TLSv1.2", "TLSv1.3"}) {
        EQ(shown(*server, "", protocols), "everybody");
        EQ(shown(*server, "mail.example.com", protocols), "mail");
        EQ(shown(*server, "MAIL.Example.com", protocols), "mail");
        EQ(shown(*server, "x.mail.example.com", protocols), "everybody");
        EQ(shown(*server, "example.org", protocols), "everybody");
        EQ(shown(*server, "b.example.org", protocols), "below");
        EQ(shown(*server, "c.b.example.org", protocols), "below");
        EQ(shown(*server, "a.example.org", protocols), "a");
        EQ(shown(*server, "other.example", protocols), "everybody");
    }
}
END_TEST

TEST(a_chain_that_is_no_good_leaves_everybody_s)
{
    auto server = net::TlsContext::server(chain("everybody") + net::sni_text("mail.example.com", "no PEM"), {});
    OK(server);
    EQ(shown(*server, "mail.example.com", "TLSv1.3"), "everybody");
}
END_TEST

TEST(texts_are_split_at_their_marks)
{
    std::string text = "one\nxtern-sni: no\n" + net::sni_text("A.example", "two") + net::sni_text(".b.example", "three\n");
    auto texts = net::split_certificates(text);
    OK(texts);
    EQ(texts->everybody, "one\nxtern-sni: no\n");
    EQ(texts->names.size(), 2);
    EQ(texts->names[0].name, "a.example");
    EQ(texts->names[0].pem, "\ntwo\n");
    EQ(texts->names[1].name, ".b.example");
    EQ(net::split_certificates("")->everybody, "");
    EQ(net::split_certificates("tern-sni: a")->names.size(), 1);
    for (std::string_view broken :
         {"tern-sni: \n", "tern-sni: a..b\n", "tern-sni: *.b\n", "tern-sni: a b\n", "tern-sni: a\ntern-sni: A\n"})
        THAT(!net::split_certificates(broken).ok());
    OK(net::split_certificates(std::string(net::max_certificates_size, 'x')));
    THAT(!net::split_certificates(std::string(net::max_certificates_size + 1, 'x')).ok());
    std::string many;
    for (std::size_t i = 0; i < net::max_sni_names; ++i)
        many += net::sni_text("a" + std::to_string(i), "");
    OK(net::split_certificates(many));
    THAT(!net::split_certificates(many + "tern-sni: b\n").ok());
}
END_TEST

}  // namespace

SUITE(tls_sni, a_client_gets_the_certificate_of_the_name_it_asks_for, a_chain_that_is_no_good_leaves_everybody_s,
      texts_are_split_at_their_marks)
