#include "libtrust/tls_files.h"
#include "libtrust/dns_answers.h"
#include "libutil/sys.h"
#include "tests/unit/suite.h"

#include <cstdlib>

namespace {

TEST(reads_the_files_that_are_named)
{
    char path[] = "/tmp/tern-tls-XXXXXX";
    CHECK(::mkdtemp(path));
    std::string directory = path;
    OK(util::sys::replace_file(directory + "/a", "one"));
    OK(util::sys::replace_file(directory + "/b", "two\n"));
    trust::TlsConfig config;
    config.ca_file.set(directory + "/a");
    config.ca_path.set("/some/where");
    config.chain_files.set({directory + "/a", directory + "/b"});
    config.scert_verifydepth.set(3);
    auto settings = trust::read_tls_files(config);
    OK(settings);
    EQ(settings->authorities, "one");
    EQ(settings->authority_directory, "/some/where");
    EQ(settings->chain, "one\ntwo\n");
    EQ(settings->verify_depth, 3);

    config.ca_file.set(directory + "/c");
    THAT(trust::read_tls_files(config).error().text.starts_with("smtp_tls_CAfile: "));
    config.ca_file.set_default_text(directory + "/c");
    EQ(trust::read_tls_files(config)->authorities, "");
    config.chain_files.set({directory + "/c"});
    THAT(trust::read_tls_files(config).error().text.starts_with("smtp_tls_chain_files: "));
}
END_TEST

TEST(an_answer_that_failed_is_not_one_of_no_records)
{
    using Status = net::dns::Status;
    using Answered = trust::TlsaAnswer::Status;
    net::dns::Answer<net::dns::Tlsa> answer;
    answer.secure = true;
    answer.records = {{3, 1, 1, "x"}};
    answer.text = "why";
    for (auto status :
         {Status::Found, Status::NoData, Status::NoSuchName, Status::TryAgain, Status::Malformed, Status::Bogus}) {
        answer.status = status;
        auto out = trust::tlsa_answer(answer);
        bool none = status == Status::NoData || status == Status::NoSuchName;
        EQ(out.status, status == Status::Found ? Answered::Found : none ? Answered::None : Answered::Failed);
        EQ(out.text, out.status == Answered::Failed ? "why" : "");
        EQ(out.records.size(), status == Status::Found ? 1 : 0);
        THAT(out.secure);
    }
}
END_TEST

}  // namespace

SUITE(tls_files, reads_the_files_that_are_named, an_answer_that_failed_is_not_one_of_no_records)
