#include "libtrust/tls_site.h"
#include "tests/unit/suite.h"

namespace {

using trust::TlsLevel;

TEST(reads_entries)
{
    auto site = trust::parse_tls_entry("secure match=example.com:.example.com  protocols=>=TLSv1.3 ciphers=high "
                                       "exclude=MD5:kRSA servername=hostname connection_reuse=no");
    OK(site);
    EQ(site->level, TlsLevel::Secure);
    THAT(site->from_table);
    THAT(site->match == std::vector<std::string>({"example.com", ".example.com"}));
    EQ(*site->protocols, ">=TLSv1.3");
    EQ(*site->ciphers, trust::CipherGrade::High);
    THAT(site->exclude == std::vector<std::string>({"MD5", "kRSA"}));
    EQ(*site->servername, "hostname");
    EQ(*site->connection_reuse, false);

    site = trust::parse_tls_entry("fingerprint match=AA:BB|CC:DD match=EE");
    OK(site);
    THAT(site->match == std::vector<std::string>({"AA:BB", "CC:DD", "EE"}));
    site = trust::parse_tls_entry("verify tafile=/a tafile=/b");
    OK(site);
    THAT(site->anchor_files == std::vector<std::string>({"/a", "/b"}));
    for (std::string_view level : {"none", "may", "encrypt", "dane", "dane-only", "fingerprint", "verify", "secure"}) {
        site = trust::parse_tls_entry(level);
        OK(site);
        EQ(trust::name_of(site->level), level);
    }
    EQ(trust::parse_tls_entry("MAY, ciphers=null")->level, TlsLevel::May);
}
END_TEST

TEST(refuses_broken_entries)
{
    for (std::string_view text : {"",
                                  " ",
                                  "sure",
                                  "none match=x",
                                  "may match=x",
                                  "encrypt match=x",
                                  "dane match=x",
                                  "secure match",
                                  "secure match=",
                                  "may x=y",
                                  "may protocols=TLSv9",
                                  "may protocols=TLSv1.2 protocols=TLSv1.2",
                                  "may ciphers=strong",
                                  "may ciphers=high ciphers=high",
                                  "dane tafile=/a",
                                  "fingerprint tafile=/a",
                                  "verify tafile=",
                                  "verify tafile=a",
                                  "may exclude=@SECLEVEL=0",
                                  "may exclude=!x",
                                  "may servername=a servername=b",
                                  "may connection_reuse=perhaps"})
        THAT(!trust::parse_tls_entry(text).ok());
    std::string names = "x";
    for (std::size_t i = 1; i < trust::max_tls_match; ++i)
        names += ":x";
    OK(trust::parse_tls_entry("verify match=" + names));
    THAT(!trust::parse_tls_entry("verify match=" + names + ":x").ok());
    std::string files = "secure";
    for (std::size_t i = 0; i < trust::max_anchor_files; ++i)
        files += " tafile=/x";
    OK(trust::parse_tls_entry(files));
    THAT(!trust::parse_tls_entry(files + " tafile=/x").ok());
    std::string entry = "may exclude=";
    OK(trust::parse_tls_entry(entry + std::string(trust::max_tls_entry - entry.size(), 'x')));
    THAT(!trust::parse_tls_entry(entry + std::string(trust::max_tls_entry - entry.size() + 1, 'x')).ok());
}
END_TEST

TEST(looks_for_a_destination_and_its_parents)
{
    using Keys = std::vector<std::string>;
    THAT(trust::tls_policy_keys("Mail.example.com") == Keys({"mail.example.com", ".example.com", ".com"}));
    THAT(trust::tls_policy_keys("com") == Keys({"com"}));
    THAT(trust::tls_policy_keys("[mail.example.com]:587") == Keys({"[mail.example.com]:587"}));
    THAT(trust::tls_policy_keys("example.com:587") == Keys({"example.com:587"}));
    THAT(trust::tls_policy_keys("a.") == Keys({"a."}));
    THAT(trust::tls_policy_keys("") == Keys({""}));
    std::string deep;
    for (int i = 0; i < 1000; ++i)
        deep += "a.";
    EQ(trust::tls_policy_keys(deep).size(), 128);
}
END_TEST

}  // namespace

SUITE(tls_site, reads_entries, refuses_broken_entries, looks_for_a_destination_and_its_parents)
