#include "libnet/dns_outcome.h"

#include "libutil/text.h"
#include "tests/unit/suite.h"

namespace {

using namespace net::dns;

const Question hosts{"a.example", Type::A};

Record record(std::string owner, Type type, std::string text, std::uint16_t number = 0, std::uint32_t ttl = 300)
{
    return {std::move(owner), type, ttl, false, {number}, std::move(text)};
}

Record alias(std::string owner, std::string target, std::uint32_t ttl = 300)
{
    return record(std::move(owner), Type::Cname, std::move(target), 0, ttl);
}

Message message_of(std::vector<Record> answer, unsigned code = 0, std::optional<std::uint32_t> negative_ttl = {})
{
    Message message;
    message.code = code;
    message.answer = std::move(answer);
    message.negative_ttl = negative_ttl;
    return message;
}

std::string show_outcome(const Outcome& outcome)
{
    std::string text = util::concat(name_of(outcome.status), ' ', outcome.name, " ttl ", outcome.ttl);
    for (const Record& each : outcome.records)
        util::append(text, ' ', each.text);
    if (outcome.incomplete)
        text += " incomplete";
    if (!outcome.why.empty())
        util::append(text, ": ", outcome.why);
    return text;
}

TEST(records_of_the_name_are_found)
{
    EQ(show_outcome(outcome_of(
           hosts, message_of({record("a.example", Type::A, "192.0.2.1"), record("a.example", Type::A, "192.0.2.2", 0, 60)}))),
       "found a.example ttl 60 192.0.2.1 192.0.2.2");
}
END_TEST

TEST(aliases_are_followed_in_any_order)
{
    auto outcome = outcome_of(hosts, message_of({record("c.example", Type::A, "192.0.2.1"), alias("b.example", "c.example", 20),
                                                 alias("a.example", "b.example", 40)}));
    EQ(show_outcome(outcome), "found c.example ttl 20 192.0.2.1");
    EQ(outcome.aliases, 2);
}
END_TEST

TEST(loops_and_long_chains_of_aliases_are_malformed)
{
    EQ(show_outcome(outcome_of(hosts, message_of({alias("a.example", "a.example")}))),
       "malformed a.example ttl 0: a loop or too long a chain of CNAMEs");
    EQ(show_outcome(outcome_of(hosts, message_of({alias("a.example", "b.example"), alias("b.example", "a.example")}))),
       "malformed a.example ttl 0: a loop or too long a chain of CNAMEs");
    auto chain = [](std::size_t links) {
        std::vector<Record> answer{alias("a.example", "1.example")};
        for (std::size_t i = 1; i < links; ++i)
            answer.push_back(alias(util::concat(i, ".example"), util::concat(i + 1, ".example")));
        answer.push_back(record(util::concat(links, ".example"), Type::A, "192.0.2.1"));
        return outcome_of(hosts, message_of(std::move(answer))).status;
    };
    EQ(chain(max_aliases), Status::Found);
    EQ(chain(max_aliases + 1), Status::Malformed);
}
END_TEST

TEST(a_question_for_an_alias_does_not_follow_it)
{
    EQ(show_outcome(outcome_of({"a.example", Type::Cname}, message_of({alias("a.example", "a.example")}))),
       "found a.example ttl 300 a.example");
}
END_TEST

TEST(an_alias_without_target_in_the_answer_is_to_be_asked_on)
{
    EQ(show_outcome(outcome_of(hosts, message_of({alias("a.example", "b.example")}))), "no data b.example ttl 300 incomplete");
    EQ(show_outcome(outcome_of(hosts, message_of({alias("a.example", "b.example")}, 0, 60))), "no data b.example ttl 60");
    EQ(show_outcome(outcome_of(hosts, message_of({alias("a.example", "b.example")}, 3, 60))), "no such name b.example ttl 60");
}
END_TEST

TEST(joined_chains_have_one_limit)
{
    Outcome first = outcome_of(hosts, message_of({alias("a.example", "b.example", 30)}));
    first.aliases = max_aliases - 1;
    first.secure = first.secure_name = true;
    Outcome second = outcome_of({"b.example", Type::A},
                                message_of({alias("b.example", "c.example"), record("c.example", Type::A, "192.0.2.1")}));
    second.secure_name = true;
    auto joined = join(first, second);
    EQ(show_outcome(joined), "found c.example ttl 30 192.0.2.1");
    THAT(!joined.secure && joined.secure_name);
    first.aliases = max_aliases;
    EQ(join(first, second).status, Status::Malformed);
}
END_TEST

TEST(negative_answers_say_how_long_they_hold)
{
    EQ(show_outcome(outcome_of(hosts, message_of({}, 0, 60))), "no data a.example ttl 60");
    EQ(show_outcome(outcome_of(hosts, message_of({}, 3, 60))), "no such name a.example ttl 60");
    EQ(show_outcome(outcome_of(hosts, message_of({}, 3))), "no such name a.example ttl 0");
}
END_TEST

TEST(an_empty_answer_has_no_data_and_one_for_other_names_cannot_be)
{
    EQ(show_outcome(outcome_of(hosts, message_of({}))), "no data a.example ttl 0");
    EQ(show_outcome(outcome_of(hosts, message_of({record("b.example", Type::A, "192.0.2.1")}))),
       "malformed a.example ttl 0: an answer for other names");
    Message message;
    message.other_records = true;
    EQ(show_outcome(outcome_of(hosts, message)), "malformed a.example ttl 0: an answer for other names");
}
END_TEST

TEST(broken_records_are_left_out_and_alone_are_malformed)
{
    Record broken{"a.example", Type::A, 60, true, {}, ""};
    EQ(show_outcome(outcome_of(hosts, message_of({broken, record("a.example", Type::A, "192.0.2.1")}))),
       "found a.example ttl 300 192.0.2.1");
    EQ(show_outcome(outcome_of(hosts, message_of({broken}))), "malformed a.example ttl 0: broken records");
    Record broken_alias{"a.example", Type::Cname, 60, true, {}, ""};
    EQ(show_outcome(outcome_of(hosts, message_of({broken_alias}))), "malformed a.example ttl 0: a broken CNAME");
}
END_TEST

TEST(mx_come_by_preference_and_the_best_hundred_stay)
{
    Question mail{"a.example", Type::Mx};
    EQ(show_outcome(outcome_of(mail, message_of({record("a.example", Type::Mx, "c", 20), record("a.example", Type::Mx, "a", 5),
                                         record("a.example", Type::Mx, "b", 20)}))),
       "found a.example ttl 300 a c b");
    std::vector<Record> many;
    for (std::uint16_t i = 0; i < max_records; ++i)
        many.push_back(record("a.example", Type::Mx, "x", std::uint16_t(1000 - i)));
    auto outcome = outcome_of(mail, message_of(many));
    EQ(outcome.records.size(), max_records);
    EQ(outcome.left_out, 0);
    many.push_back(record("a.example", Type::Mx, "best", 1));
    outcome = outcome_of(mail, message_of(many));
    EQ(outcome.records.size(), max_records);
    EQ(outcome.left_out, 1);
    EQ(outcome.records[0].text, "best");
    EQ(outcome.records[max_records - 1].numbers[0], 999);
}
END_TEST

TEST(a_null_mx_is_alone_or_none)
{
    Question mail{"a.example", Type::Mx};
    EQ(show_outcome(outcome_of(mail, message_of({record("a.example", Type::Mx, "")}))), "found a.example ttl 300 ");
    EQ(show_outcome(outcome_of(mail, message_of({record("a.example", Type::Mx, ""), record("a.example", Type::Mx, "mx", 10)}))),
       "found a.example ttl 300 mx");
    EQ(outcome_of(mail, message_of({record("a.example", Type::Mx, ""), record("a.example", Type::Mx, "")})).status,
       Status::Malformed);
}
END_TEST

TEST(failures_are_told_in_the_words_of_postfix)
{
    auto told = [](Status status, std::string why = "") {
        Outcome outcome;
        outcome.status = status;
        outcome.why = std::move(why);
        return explain({"a.example", Type::Mx}, outcome);
    };
    EQ(told(Status::Found), "");
    EQ(told(Status::NoSuchName),
       "Host or domain name not found. Name service error for name=a.example type=MX: Host not found");
    EQ(told(Status::NoData),
       "Host or domain name not found. Name service error for name=a.example type=MX: Host found but no data record of requested type");
    EQ(told(Status::TryAgain, "timeout from 192.0.2.1"),
       "Host or domain name not found. Name service error for name=a.example type=MX: Host not found, try again (timeout from 192.0.2.1)");
    EQ(told(Status::Malformed), "Name service error for name=a.example type=MX: Malformed or unexpected name server reply");
    EQ(told(Status::Bogus, "no signature"),
       "Name service error for name=a.example type=MX: DNSSEC validation failed (no signature)");
}
END_TEST

}  // namespace

SUITE(dns_outcome, records_of_the_name_are_found, aliases_are_followed_in_any_order,
      loops_and_long_chains_of_aliases_are_malformed, a_question_for_an_alias_does_not_follow_it,
      an_alias_without_target_in_the_answer_is_to_be_asked_on, joined_chains_have_one_limit,
      negative_answers_say_how_long_they_hold, an_empty_answer_has_no_data_and_one_for_other_names_cannot_be,
      broken_records_are_left_out_and_alone_are_malformed, mx_come_by_preference_and_the_best_hundred_stay,
      a_null_mx_is_alone_or_none, failures_are_told_in_the_words_of_postfix)
