// Name servers that live in the test.
#pragma once

#include "libutil/text.h"
#include "smtpd/names.h"

#include <map>

namespace test {

class FakeNames final : public smtpd::NameService {
public:
    // "mail.example A 192.0.2.1", "example MX 10 mail.example", "example MX 0 .", "example NS ns.example",
    // "list.example TXT any words", "1.2.0.192.in-addr.arpa PTR host"; "slow.example LATER": no answer to anything;
    // "hidden.example FILTERED MX": smtpd_dns_reply_filter has left none of the MX records.
    bool add(std::string_view line)
    {
        auto [name, rest] = util::split_first(line, ' ');
        auto [type, data] = util::split_first(rest, ' ');
        records_[std::string(name)].emplace_back(type, data);
        return type == "LATER" || type == "FILTERED" ||
               (!data.empty() && (type == "A" || type == "MX" || type == "NS" || type == "TXT" || type == "PTR"));
    }

    net::dns::Answer<net::dns::Mx> mx(std::string_view domain) override
    {
        auto texts = find(domain, "MX");
        net::dns::Answer<net::dns::Mx> answer;
        answer.status = texts.status;
        answer.text = texts.text;
        for (const std::string& record : texts.records) {
            auto [preference, host] = util::split_first(record, ' ');
            answer.records.push_back({std::uint16_t(*util::parse_unsigned(preference)), host == "." ? "" : std::string(host)});
        }
        return answer;
    }
    net::dns::Answer<std::string> ns(std::string_view domain) override { return find(domain, "NS"); }
    net::dns::Answer<std::string> txt(std::string_view name) override { return find(name, "TXT"); }
    std::vector<net::dns::Answer<std::string>> addresses(std::span<const std::string> hosts, net::dns::Families) override
    {
        std::vector<net::dns::Answer<std::string>> answers;
        std::string& all = together.emplace_back();
        for (const std::string& host : hosts)
            util::append(all, all.empty() ? "" : " ", host);
        for (const std::string& host : hosts)
            answers.push_back(find(host, "A"));
        return answers;
    }
    net::dns::ClientName confirm(std::string_view) override { return client; }

    net::dns::ClientName client;
    std::vector<std::string> asked;  // "MX example"
    std::vector<std::string> together;  // hosts whose addresses were asked for in one call

private:
    net::dns::Answer<std::string> find(std::string_view name, std::string_view type)
    {
        using net::dns::Status;
        asked.push_back(util::concat(type, ' ', name));
        net::dns::Answer<std::string> answer;
        auto found = records_.find(util::lower(name));
        answer.status = found == records_.end() ? Status::NoSuchName : Status::NoData;
        if (found != records_.end()) {
            for (const auto& record : found->second) {
                if (record.first == type)
                    answer.records.push_back(record.second);
                if (record.first == "LATER")
                    answer.status = Status::TryAgain;
                if (record.first == "FILTERED" && record.second == type)
                    answer.status = Status::Filtered;
            }
        }
        if (!answer.records.empty())
            answer.status = Status::Found;
        else
            answer.text = util::concat("no ", type, " of ", name);
        return answer;
    }

    std::map<std::string, std::vector<std::pair<std::string, std::string>>, std::less<>> records_;
};

}  // namespace test
