// The client of tables(8).
#include "libipc/table_lookup.h"

#include "libipc/connection.h"

#include <memory>

namespace ipc {

conf::RemoteLookup remote_tables(std::string socket, util::Duration timeout)
{
    // Shared, since a std::function is copied; there is one copy that is used.
    auto kept = std::make_shared<Connection>();
    return [socket = std::move(socket), timeout, kept](std::string_view table, std::string_view key,
                                                       bool domain) -> util::Result<conf::Answer> {
        LookUp question;
        question.table = table;
        question.key = key;
        question.domain = domain;
        bool fresh = !kept->valid();
        if (fresh)
            *kept = TRY(Connection::connect(socket, timeout));
        auto answer = kept->call<LookUpAnswer>(question);
        if (!answer.ok() && !fresh) {
            // It was closed since, as it may be at any time.
            *kept = TRY(Connection::connect(socket, timeout));
            answer = kept->call<LookUpAnswer>(question);
        }
        if (!answer.ok()) {
            kept->close();
            return answer.take_error();
        }
        switch (answer->result) {
        case LookUpAnswer::Result::Found: return conf::Answer(std::move(answer->value));
        case LookUpAnswer::Result::NotFound: return conf::Answer();
        case LookUpAnswer::Result::Failed:
        case LookUpAnswer::Result::Refused: break;
        }
        return util::temporary(answer->value);
    };
}

}  // namespace ipc
