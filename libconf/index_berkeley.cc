// Berkeley DB files.
#include "libconf/index_types.h"

#include "libutil/handle.h"
#include "libutil/sys.h"
#include "libutil/text.h"

#include <db.h>
#include <sys/file.h>

namespace conf {

using util::concat;
using util::Result;

namespace {

int close_now(DB* db) { return db->close(db, 0); }
void close_db(DB* db) { close_now(db); }
void close_cursor(DBC* cursor) { cursor->close(cursor); }
using Database = util::Handle<DB, close_db>;
using Cursor = util::Handle<DBC, close_cursor>;

util::Error db_error(std::string_view what, std::string_view path, int code)
{
    if (code > 0 && code != EINVAL)
        return util::system_error(concat(what, ' ', path), code);
    return util::temporary(concat(what, ' ', path, ": ", db_strerror(code)));
}

Result<Database> new_database()
{
    DB* db = nullptr;
    int code = db_create(&db, nullptr, 0);
    if (code != 0)
        return util::temporary(concat("Berkeley DB: ", db_strerror(code)));
    // What it has to say comes back as a code; it must not write to descriptor 2.
    db->set_errcall(db, [](const DB_ENV*, const char*, const char*) {});
    db->set_msgcall(db, [](const DB_ENV*, const char*) {});
    return Database(db);
}

DBT dbt_of(std::string_view text)
{
    DBT dbt = {};
    dbt.data = const_cast<char*>(text.data());  // Berkeley DB only reads it
    dbt.size = std::uint32_t(text.size());
    return dbt;
}

std::string_view text_of(const DBT& dbt)
{
    return shown_form({static_cast<const char*>(dbt.data), dbt.size});
}

// A writer in place (not ours, which rename) holds an exclusive lock meanwhile.
class SharedLock {
public:
    explicit SharedLock(int fd) : fd_(fd), held_(::flock(fd, LOCK_SH | LOCK_NB) == 0) {}
    SharedLock(const SharedLock&) = delete;
    SharedLock& operator=(const SharedLock&) = delete;
    ~SharedLock()
    {
        if (held_)
            ::flock(fd_, LOCK_UN);
    }
    bool held() const { return held_; }

private:
    int fd_;
    bool held_;
};

class BerkeleyIndex final : public Index {
public:
    BerkeleyIndex(std::string path, Database db, int fd) : path_(std::move(path)), db_(std::move(db)), fd_(fd) {}

    Result<std::optional<std::string>> lookup(std::string_view key) override
    {
        SharedLock lock(fd_);
        locked_ = !lock.held();
        if (locked_)
            return util::temporary(concat(path_, ": locked by a writer"));
        if (form_ == Form::Unknown)
            TRY(find_form());
        std::string stored = form_ == Form::Plain ? std::string(key) : stored_form(key);
        DBT wanted = dbt_of(stored), value = {};
        int code = db_->get(db_.get(), nullptr, &wanted, &value, 0);
        if (code == 0)
            return std::optional(std::string(text_of(value)));
        if (code != DB_NOTFOUND)
            return db_error("read", path_, code);
        return std::optional<std::string>();
    }

    bool locked() const override { return locked_; }

    Result<void> each(const std::function<bool(std::string_view, std::string_view)>& take) override
    {
        SharedLock lock(fd_);
        if (!lock.held())
            return util::temporary(concat(path_, ": locked by a writer"));
        DBC* raw = nullptr;
        int code = db_->cursor(db_.get(), nullptr, &raw, 0);
        if (code != 0)
            return db_error("read", path_, code);
        Cursor cursor(raw);
        while (true) {
            DBT key = {}, value = {};
            code = cursor->get(cursor.get(), &key, &value, DB_NEXT);
            if (code == DB_NOTFOUND)
                return {};
            if (code != 0)
                return db_error("read", path_, code);
            if (!take(text_of(key), text_of(value)))
                return {};
        }
    }

private:
    enum class Form : unsigned char { Unknown, Nul, Plain };

    // Do keys end with NUL here?  As the first one does; of an empty file it stays unknown.
    Result<void> find_form()
    {
        DBC* raw = nullptr;
        int code = db_->cursor(db_.get(), nullptr, &raw, 0);
        if (code != 0)
            return db_error("read", path_, code);
        Cursor cursor(raw);
        DBT key = {}, value = {};
        code = cursor->get(cursor.get(), &key, &value, DB_FIRST);
        if (code == DB_NOTFOUND)
            return {};
        if (code != 0)
            return db_error("read", path_, code);
        bool nul = key.size > 0 && static_cast<const char*>(key.data)[key.size - 1] == '\0';
        form_ = nul ? Form::Nul : Form::Plain;
        return {};
    }

    std::string path_;
    Database db_;
    int fd_;  // the database's own
    Form form_ = Form::Unknown;
    bool locked_ = false;
};

class BerkeleyWriter final : public IndexWriter {
public:
    BerkeleyWriter(std::string path, Database db) : path_(std::move(path)), db_(std::move(db)) {}

    Result<Put> put(std::string_view key, std::string_view value, bool replace) override
    {
        std::string stored_key = stored_form(key), stored_value = stored_form(value);
        DBT wanted = dbt_of(stored_key), data = dbt_of(stored_value);
        int code = db_->put(db_.get(), nullptr, &wanted, &data, DB_NOOVERWRITE);
        if (code == 0)
            return Put::Added;
        if (code == DB_KEYEXIST && !replace)
            return Put::Kept;
        if (code == DB_KEYEXIST)
            code = db_->put(db_.get(), nullptr, &wanted, &data, 0);
        if (code != 0)
            return db_error("write", path_, code);
        return Put::Replaced;
    }

    Result<bool> remove(std::string_view key) override
    {
        std::string stored = stored_form(key);
        DBT wanted = dbt_of(stored);
        int code = db_->del(db_.get(), nullptr, &wanted, 0);
        if (code != 0 && code != DB_NOTFOUND)
            return db_error("write", path_, code);
        return code == 0;
    }

    Result<void> commit() override
    {
        int code = db_->sync(db_.get(), 0);
        if (code == 0)
            code = close_now(db_.release());
        if (code != 0)
            return db_error("write", path_, code);
        return {};
    }

private:
    std::string path_;
    Database db_;
};

DBTYPE db_type(IndexType type) { return type == IndexType::Hash ? DB_HASH : DB_BTREE; }

}  // namespace

Result<std::unique_ptr<Index>> open_berkeley(IndexType type, const std::string& path)
{
    Database db = TRY(new_database());
    int code = db->open(db.get(), nullptr, path.c_str(), nullptr, DB_UNKNOWN,
                        DB_RDONLY | DB_NOMMAP, 0);  // a mapping of a damaged file can fault
    if (code != 0)
        return code == EINVAL ? util::temporary(concat(path, ": not a file of Berkeley DB"))
                              : db_error("open", path, code);
    DBTYPE found = DB_UNKNOWN;
    db->get_type(db.get(), &found);
    if (found != db_type(type))
        return util::temporary(concat(path, ": of another type than ", name_of(type)));
    int fd = -1;
    code = db->fd(db.get(), &fd);
    if (code != 0)
        return db_error("open", path, code);
    TRY(util::sys::set_close_on_exec(fd, true));
    return std::unique_ptr<Index>(std::make_unique<BerkeleyIndex>(path, std::move(db), fd));
}

Result<std::unique_ptr<IndexWriter>> create_berkeley(IndexType type, const std::string& path)
{
    Database db = TRY(new_database());
    db->set_cachesize(db.get(), 0, 64 * 1024 * 1024, 1);
    // Each page has a checksum, so that damage is an error and not another answer.
    int code = db->set_flags(db.get(), DB_CHKSUM);
    if (code == 0)
        code = db->open(db.get(), nullptr, path.c_str(), nullptr, db_type(type), DB_CREATE | DB_EXCL, 0600);
    if (code != 0)
        return db_error("create", path, code);
    return std::unique_ptr<IndexWriter>(std::make_unique<BerkeleyWriter>(path, std::move(db)));
}

}  // namespace conf
