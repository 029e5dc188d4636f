// hash:, btree: and lmdb: tables: an index file, opened anew when it was replaced.
#include "libconf/index.h"
#include "libconf/table_types.h"
#include "libconf/watched_file.h"
#include "libutil/text.h"

namespace conf {

using util::concat;
using util::Result;

namespace {

constexpr auto retry_pause = std::chrono::seconds(60);

class IndexTable final : public Table {
public:
    IndexTable(std::string_view name, IndexType type, std::string path) :
        Table(std::string(name)), type_(type), file_(std::move(path))
    {
    }

    Result<Answer> lookup(std::string_view key) override
    {
        if (key.empty() || key.size() > max_table_key)
            return Answer();
        TRY(update());
        auto answer = index_->lookup(util::lower(key));
        if (!answer) {
            // Damage does not heal, and Berkeley DB does not free all of a handle that met it: so the
            // file is opened again when it was replaced, or after a while.
            if (!index_->locked()) {
                index_.reset();
                fault_ = answer.error().text;
                retry_ = util::now() + retry_pause;
            }
            return util::temporary(concat("table ", name(), ": ", answer.error().text));
        }
        return answer;
    }

    void refresh() override { file_.look_now(); }
    util::Result<std::optional<uid_t>> owner() const override { return file_.owner(); }

    Result<void> check() override
    {
        auto verified = verify_index(type_, file_.path());
        if (!verified)
            return util::temporary(concat("table ", name(), ": ", verified.error().text));
        return {};
    }

private:
    Result<void> update()
    {
        auto changed = file_.changed();
        if (changed && !*changed && index_)
            return {};
        if (changed && !*changed && !fault_.empty() && util::now() < retry_)
            return util::temporary(concat("table ", name(), ": ", fault_));
        fault_.clear();
        index_.reset();
        if (changed) {
            auto opened = open_index(type_, file_.path());
            if (opened) {
                index_ = opened.take();
                return {};
            }
            file_.forget();
            return util::temporary(concat("table ", name(), ": ", opened.error().text));
        }
        return util::temporary(concat("table ", name(), ": ", changed.error().text));
    }

    IndexType type_;
    WatchedFile file_;
    std::unique_ptr<Index> index_;
    std::string fault_;  // of what was read, until retry_
    util::Instant retry_ = util::Instant::min();
};

OpenedTable open_index_table(std::string_view name, std::string_view what, IndexType type)
{
    std::string path = TRY(table_path(name, what));
    return OpenedTable(std::make_unique<IndexTable>(name, type, index_path(type, path)));
}

}  // namespace

OpenedTable open_hash(std::string_view name, std::string_view what)
{
    return open_index_table(name, what, IndexType::Hash);
}
OpenedTable open_btree(std::string_view name, std::string_view what)
{
    return open_index_table(name, what, IndexType::Btree);
}
OpenedTable open_lmdb(std::string_view name, std::string_view what)
{
    return open_index_table(name, what, IndexType::Lmdb);
}

}  // namespace conf
