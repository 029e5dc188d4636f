#include "master/certificate_files.h"
#include "libnet/tls_sni.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"
#include "master/certificates.h"
#include "tests/unit/libnet/certificate.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

struct Files {
    Files()
    {
        char name[] = "/tmp/tern-certificates-XXXXXX";
        CHECK(::mkdtemp(name));
        path = name;
        util::log::to_nowhere();
        chain("all", "everybody");
    }
    std::string file(const std::string& name, std::string_view text)
    {
        OK(util::sys::replace_file(path + "/" + name, text));
        return path + "/" + name;
    }
    std::string chain(const std::string& name, const char* host)
    {
        auto pem = test::make_certificate(host);
        return file(name, pem.key + pem.certificate);
    }
    util::Result<master::CertificateText> read(std::string_view table)
    {
        file("sni", table);
        return master::read_certificates({{path + "/all"}, {"texthash:" + path + "/sni"}});
    }

    std::string path;
};

TEST(reads_tables_of_names)
{
    Files files;
    std::string one = files.chain("one", "one"), two = files.chain("two", "two");
    auto read = files.read(util::concat("Mail.example.com ", one, "\n.example.org ", two, "\n"));
    OK(read);
    auto texts = net::split_certificates(read->text);
    OK(texts);
    EQ(texts->names.size(), 2);
    EQ(texts->names[0].name, "mail.example.com");
    EQ(texts->names[1].name, ".example.org");
    THAT(texts->everybody == *util::sys::read_file(files.path + "/all", 100'000));
    THAT(read->files == std::vector<std::string>({files.path + "/all", files.path + "/sni", one, two}));
    // Key and certificate in two files; of a name that is there twice the first.
    auto pem = test::make_certificate("x");
    read = files.read(util::concat("a.example ", files.file("k", pem.key), ", ", files.file("c", pem.certificate),
                                   "\nA.example ", one, "\n"));
    OK(read);
    EQ(net::split_certificates(read->text)->names.size(), 1);
}
END_TEST

TEST(tells_which_entry_is_wrong)
{
    Files files;
    std::string one = files.chain("one", "one");
    auto pem = test::make_certificate("x"), other = test::make_certificate("y");
    files.file("pair", pem.key + other.certificate);
    files.file("mark", net::sni_text("b.example", pem.key + pem.certificate));
    for (const std::string& entry :
         {"a.example " + files.path + "/pair", "a.example " + files.path + "/nothing", "a.example " + files.path + "/mark"}) {
        auto read = files.read(entry + "\n");
        THAT(!read.ok());
        THAT(read.error().text.starts_with("texthash:" + files.path + "/sni: a.example: "));
    }
    for (const std::string& table : {"a..example " + one + "\n", "*.example " + one + "\n", std::string("a\n")})
        THAT(!files.read(table).ok());
    EQ(master::read_certificates({{files.path + "/all"}, {"regexp:/x"}}).error().text,
       "regexp:/x: regexp: tables cannot be read whole");
    THAT(!master::read_certificates({{}, {"texthash:" + files.path + "/sni"}}).ok());
}
END_TEST

TEST(a_name_that_is_new_is_noticed)
{
    Files files;
    std::string one = files.chain("one", "one");
    master::CertificateSources sources{{files.path + "/all"}, {"texthash:" + files.path + "/sni"}};
    master::Certificates certificates;
    OK(certificates.set(sources, files.read("").take()));
    THAT(!certificates.refresh());
    files.file("sni", "a.example " + one + "\n");
    THAT(certificates.refresh());
    auto text = util::sys::read_file(util::concat("/proc/self/fd/", certificates.fd()), 1'000'000);
    OK(text);
    EQ(net::split_certificates(*text)->names.size(), 1);
    THAT(!certificates.refresh());
    // From now on its file is looked at, too.
    files.chain("one", "another");
    THAT(certificates.refresh());
    files.file("one", "half a file");
    THAT(!certificates.refresh());
}
END_TEST

}  // namespace

SUITE(certificate_files, reads_tables_of_names, tells_which_entry_is_wrong, a_name_that_is_new_is_noticed)
