// Answering questions.
#include "tables/answers.h"

#include "libutil/log.h"
#include "libutil/text.h"

#include <algorithm>

namespace tables {

namespace {

constexpr std::string_view prefix = "proxy:";

ipc::LookUpAnswer answer_of(ipc::LookUpAnswer::Result result, std::string value)
{
    ipc::LookUpAnswer answer;
    answer.result = result;
    answer.value = std::move(value);
    return answer;
}

}  // namespace

util::Result<Answers> Answers::open(const std::vector<std::string>& words)
{
    Answers answers;
    for (const std::string& word : words) {
        if (!word.starts_with(prefix))
            continue;
        std::string name = word.substr(prefix.size());
        if (!answers.tables_.contains(name))
            answers.tables_.emplace(name, TRY(conf::open_table(name)));
    }
    return answers;
}

ipc::LookUpAnswer Answers::answer(const ipc::LookUp& question)
{
    using enum ipc::LookUpAnswer::Result;
    auto table = tables_.find(question.table);
    if (table == tables_.end()) {
        util::log::warning("table ", util::printable(question.table, 200), " is not in proxy_read_maps");
        return answer_of(Refused, "it is not in proxy_read_maps");
    }
    auto found = question.domain ? table->second->lookup_domain(question.key) : table->second->lookup(question.key);
    if (!found.ok()) {
        util::log::warning(found.error().text);
        return answer_of(Failed, found.error().text);
    }
    if (!*found)
        return answer_of(NotFound, {});
    if ((*found)->size() > ipc::max_remote_value)
        return answer_of(Failed, util::concat("an answer of more than ", ipc::max_remote_value, " bytes"));
    return answer_of(Found, std::move(**found));
}

std::vector<std::string> Answers::directories() const
{
    std::vector<std::string> all;
    for (const auto& entry : tables_) {
        std::string_view path = util::split_first(entry.first, ':').second;
        if (path.starts_with('/'))
            all.emplace_back(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
    }
    return all;
}

}  // namespace tables
