// Questions to the site's resolvers.
#include "libnet/dns.h"

#include "libnet/dns_cache.h"
#include "libnet/dns_exchange.h"
#include "libnet/dns_name.h"
#include "libnet/dns_reply_filter.h"
#include "libnet/dns_validator.h"
#include "libutil/log.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <algorithm>

namespace net::dns {

namespace {

constexpr std::size_t max_trust_anchor = 64 * 1024;  // bytes of its file

// A question that is not asked: its name is none.
Outcome no_name()
{
    Outcome outcome;
    outcome.status = Status::NoSuchName;
    return outcome;
}

template <typename T, typename Convert>
Answer<T> answer_of(const Question& question, Outcome outcome, Convert convert)
{
    Answer<T> answer;
    answer.status = outcome.status;
    answer.secure = outcome.secure;
    answer.name = outcome.name;
    answer.secure_name = outcome.secure_name;
    for (Record& record : outcome.records)
        answer.records.push_back(convert(std::move(record)));
    answer.ttl = std::chrono::seconds(time_to_keep(outcome));
    answer.text = explain(question, outcome);
    return answer;
}

std::string text_of(Record record)
{
    return std::move(record.text);
}

// Which of two failures is told: what may be better later, then what the other does not make up for.
int weight(Status status)
{
    constexpr Status by_weight[] = {Status::NoSuchName, Status::NoData, Status::Malformed, Status::TryAgain,
                                    Status::Bogus, Status::Filtered, Status::Found};
    return int(std::ranges::find(by_weight, status) - by_weight);
}

// Both families in one answer.
Answer<std::string> merge(Answer<std::string> first, Answer<std::string> second)
{
    if (!first.found() || !second.found())
        return weight(first.status) >= weight(second.status) ? std::move(first) : std::move(second);
    first.secure = first.secure && second.secure;
    first.secure_name = first.secure_name && second.secure_name;
    first.ttl = std::min(first.ttl, second.ttl);
    first.records.insert(first.records.end(), second.records.begin(), second.records.end());
    return first;
}

}  // namespace

std::string_view name_of(Type type)
{
    switch (type) {
    case Type::A:
        return "A";
    case Type::Ns:
        return "NS";
    case Type::Cname:
        return "CNAME";
    case Type::Soa:
        return "SOA";
    case Type::Ptr:
        return "PTR";
    case Type::Mx:
        return "MX";
    case Type::Txt:
        return "TXT";
    case Type::Aaaa:
        return "AAAA";
    case Type::Srv:
        return "SRV";
    case Type::Tlsa:
        return "TLSA";
    }
    return "unknown";
}

std::string_view name_of(Status status)
{
    switch (status) {
    case Status::Found:
        return "found";
    case Status::NoData:
        return "no data";
    case Status::NoSuchName:
        return "no such name";
    case Status::TryAgain:
        return "try again";
    case Status::Malformed:
        return "malformed";
    case Status::Bogus:
        return "bogus";
    case Status::Filtered:
        return "filtered";
    }
    return "unknown";
}

bool Tlsa::usable() const
{
    constexpr std::uint8_t dane_ta = 2, dane_ee = 3, full = 0, sha256 = 1, sha512 = 2;
    if ((usage != dane_ta && usage != dane_ee) || selector > 1)
        return false;
    return matching == full || (matching == sha256 && data.size() == 32) || (matching == sha512 && data.size() == 64);
}

class Resolver::State {
public:
    State(const Settings& settings, ServerList servers, std::optional<Validator> validator)
        : now_(settings.clocks.now), exchange_(std::move(servers), settings.clocks.now, settings.wants_stop),
          cache_(settings.cache_bytes), validator_(std::move(validator))
    {
    }

    void set_deadline(util::Deadline deadline) { deadline_ = deadline; }
    void set_filter(ReplyFilter filter) { filter_ = std::move(filter); }

    // All at once; a question's name is "" if its text was no name.
    std::vector<Outcome> resolve(std::span<const Question> questions, Pass pass = Pass::Filtered);
    Outcome resolve(const Question& question, Pass pass = Pass::Filtered)
    {
        return std::move(resolve(std::span(&question, 1), pass)[0]);
    }

private:
    std::vector<Outcome> find(std::span<const Question> questions);
    // A question whose answer is not known yet, with what is known of it.
    struct Open {
        std::size_t index = 0;
        std::optional<Outcome> so_far;  // its CNAMEs led here
    };
    void ask(std::vector<Open>& open, std::span<const Question> questions, std::vector<Outcome>& outcomes);
    Outcome judge(const Question& question, const Exchanged& answer);
    void conclude(const Question& question, const Outcome& outcome);

    std::function<util::Instant()> now_;
    Exchange exchange_;
    Cache cache_;  // of what has passed no filter: tables may change
    std::optional<Validator> validator_;
    ReplyFilter filter_;
    util::Deadline deadline_ = util::Deadline::never();
};

std::vector<Outcome> Resolver::State::resolve(std::span<const Question> questions, Pass pass)
{
    auto outcomes = find(questions);
    for (std::size_t i = 0; pass == Pass::Filtered && i < questions.size(); ++i)
        filter_.apply(questions[i], outcomes[i]);
    return outcomes;
}

std::vector<Outcome> Resolver::State::find(std::span<const Question> questions)
{
    // Other servers may have other views.
    if (exchange_.refresh()) {
        cache_.clear();
        if (validator_)
            validator_->forget();
    }
    std::vector<Outcome> outcomes(questions.size());
    std::vector<Open> open;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        if (questions[i].name.empty())
            outcomes[i] = no_name();
        else if (auto kept = cache_.find(questions[i], now_()))
            outcomes[i] = std::move(*kept);
        else
            open.push_back({i, std::nullopt});
    }
    // Each round adds a CNAME at least to what stays open, and max_aliases ends that.
    while (!open.empty())
        ask(open, questions, outcomes);
    return outcomes;
}

void Resolver::State::ask(std::vector<Open>& open, std::span<const Question> questions, std::vector<Outcome>& outcomes)
{
    std::vector<Question> now_asked;
    for (const Open& each : open)
        now_asked.push_back({each.so_far ? each.so_far->name : questions[each.index].name, questions[each.index].type});
    std::vector<Exchanged> answers = exchange_.ask(now_asked, validator_.has_value(), deadline_);

    std::vector<Open> still_open;
    for (std::size_t i = 0; i < open.size(); ++i) {
        Outcome outcome = judge(now_asked[i], answers[i]);
        if (open[i].so_far)
            outcome = join(std::move(*open[i].so_far), std::move(outcome));
        std::size_t index = open[i].index;
        if (outcome.incomplete) {
            still_open.push_back({index, std::move(outcome)});
        } else {
            conclude(questions[index], outcome);
            outcomes[index] = std::move(outcome);
        }
    }
    open = std::move(still_open);
}

Outcome Resolver::State::judge(const Question& question, const Exchanged& answer)
{
    if (answer.end != Exchanged::End::Answered) {
        Outcome outcome;
        outcome.name = question.name;
        outcome.status = answer.end == Exchanged::End::Malformed ? Status::Malformed : Status::TryAgain;
        outcome.why = answer.why;
        return outcome;
    }
    Outcome outcome = outcome_of(question, answer.message);
    if (validator_)
        validator_->judge(question, answer.wire, outcome,
                          [&](std::span<const Question> questions) { return exchange_.ask(questions, true, deadline_); });
    else
        outcome.secure = outcome.secure_name = answer.trusted && answer.message.authentic;
    return outcome;
}

void Resolver::State::conclude(const Question& question, const Outcome& outcome)
{
    if (outcome.left_out > 0)
        util::log::warning("name service: name=", question.name, " type=", name_of(question.type), ": ", outcome.left_out,
                           " records beyond ", max_records, " left out");
    cache_.keep(question, outcome, now_());
}

util::Result<Resolver> Resolver::open(Settings settings)
{
    ServerList servers = TRY(ServerList::open(settings));
    std::optional<Validator> validator;
    if (!settings.trust_anchor_file.empty()) {
        std::string text = TRY(util::sys::read_file(settings.trust_anchor_file, max_trust_anchor));
        auto anchors = parse_trust_anchor(text);
        if (!anchors.ok())
            return anchors.take_error().in(settings.trust_anchor_file);
        validator.emplace(anchors.take(), settings.clocks);
    }
    return Resolver(std::make_unique<State>(settings, std::move(servers), std::move(validator)));
}

Resolver::Resolver(std::unique_ptr<State> state) : state_(std::move(state)) {}
Resolver::Resolver(Resolver&&) noexcept = default;
Resolver& Resolver::operator=(Resolver&&) noexcept = default;
Resolver::~Resolver() = default;

void Resolver::set_deadline(util::Deadline deadline)
{
    state_->set_deadline(deadline);
}

void Resolver::set_filter(ReplyFilter filter)
{
    state_->set_filter(std::move(filter));
}

namespace {

// An answer about a text that may be no name.
template <typename T, typename Convert, typename Resolve>
Answer<T> ask(std::string_view text, Type type, Resolve resolve, Convert convert)
{
    Question question{question_name(text).value_or(""), type};
    Outcome outcome = resolve(question);
    if (question.name.empty())
        question.name = util::printable(text, max_name);
    return answer_of<T>(question, std::move(outcome), convert);
}

}  // namespace

Answer<Mx> Resolver::mx(std::string_view domain)
{
    return ask<Mx>(domain, Type::Mx, [&](const Question& question) { return state_->resolve(question); },
                   [](Record record) { return Mx{record.numbers[0], std::move(record.text)}; });
}

Answer<Srv> Resolver::srv(std::string_view name)
{
    return ask<Srv>(name, Type::Srv, [&](const Question& question) { return state_->resolve(question); },
                    [](Record record) {
                        return Srv{record.numbers[0], record.numbers[1], record.numbers[2], std::move(record.text)};
                    });
}

Answer<Tlsa> Resolver::tlsa(std::string_view host, std::uint16_t port)
{
    return ask<Tlsa>(util::concat('_', port, "._tcp.", host), Type::Tlsa,
                     [&](const Question& question) { return state_->resolve(question); },
                     [](Record record) {
                         return Tlsa{std::uint8_t(record.numbers[0]), std::uint8_t(record.numbers[1]),
                                     std::uint8_t(record.numbers[2]), std::move(record.text)};
                     });
}

Answer<std::string> Resolver::text(std::string_view name, Type type, Pass pass)
{
    return ask<std::string>(name, type, [&](const Question& question) { return state_->resolve(question, pass); }, text_of);
}

Answer<std::string> Resolver::txt(std::string_view name) { return text(name, Type::Txt); }
Answer<std::string> Resolver::ns(std::string_view name) { return text(name, Type::Ns); }
Answer<std::string> Resolver::cname(std::string_view name) { return text(name, Type::Cname); }
Answer<std::string> Resolver::soa(std::string_view name) { return text(name, Type::Soa); }

Answer<std::string> Resolver::reverse(std::string_view address)
{
    auto parsed = conf::IpAddress::parse(address);
    return text(parsed.ok() ? reverse_name(*parsed) : util::concat('"', address, '"'), Type::Ptr, Pass::All);
}

std::vector<Answer<std::string>> Resolver::texts(std::span<const std::string> names, std::span<const Type> types, Pass pass)
{
    std::vector<Question> questions;
    for (const std::string& name : names) {
        for (Type type : types)
            questions.push_back({question_name(name).value_or(""), type});
    }
    std::vector<Outcome> outcomes = state_->resolve(questions, pass);
    std::vector<Answer<std::string>> answers;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        if (questions[i].name.empty())
            questions[i].name = util::printable(names[i / types.size()], max_name);
        auto answer = answer_of<std::string>(questions[i], std::move(outcomes[i]), text_of);
        if (i % types.size() == 0)
            answers.push_back(std::move(answer));
        else
            answers.back() = merge(std::move(answers.back()), std::move(answer));
    }
    return answers;
}

std::vector<Answer<std::string>> Resolver::txt(std::span<const std::string> names)
{
    constexpr Type types[] = {Type::Txt};
    return texts(names, types);
}

std::vector<Answer<std::string>> Resolver::addresses(std::span<const std::string> hosts, Families families)
{
    constexpr Type types[] = {Type::A, Type::Aaaa};
    switch (families) {
    case Families::V4:
        return texts(hosts, std::span(types).first(1));
    case Families::V6:
        return texts(hosts, std::span(types).last(1));
    case Families::Both:
        break;
    }
    return texts(hosts, types);
}

Answer<std::string> Resolver::addresses(std::string_view host, Families families)
{
    const std::string hosts[] = {std::string(host)};
    return std::move(addresses(hosts, families)[0]);
}

ClientName Resolver::confirm(std::string_view address)
{
    ClientName client;
    auto parsed = conf::IpAddress::parse(address);
    auto names = reverse(address);
    client.reverse_status = names.status;
    client.text = names.text;
    if (!parsed.ok() || !names.found())
        return client;
    client.reverse = names.records[0];
    if (names.records.size() > max_reverse_names)
        names.records.resize(max_reverse_names);
    const Type family = parsed->length == 4 ? Type::A : Type::Aaaa;
    auto forward = texts(names.records, std::span(&family, 1), Pass::All);
    std::string wanted = parsed->to_text();
    for (std::size_t i = 0; i < forward.size(); ++i) {
        if (std::ranges::find(forward[i].records, wanted) != forward[i].records.end()) {
            client.name = client.reverse = names.records[i];
            client.forward_status = Status::Found;
            client.text.clear();
            return client;
        }
    }
    // One that could not be asked might have been the one.
    auto worst = std::ranges::find_if(forward, [](const auto& answer) { return answer.temporary(); });
    const auto& told = worst != forward.end() ? *worst : forward[0];
    client.forward_status = told.status;
    client.text = told.found() ? util::concat("hostname ", client.reverse, " does not resolve to address ", wanted) : told.text;
    return client;
}

}  // namespace net::dns
