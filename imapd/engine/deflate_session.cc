// COMPRESS=DEFLATE around a session.
#include "imapd/engine/deflate_session.h"

#include "imapd/syntax/bye.h"
#include "libipc/parking.h"
#include "libstore/codec.h"
#include "libutil/check.h"
#include "libutil/log.h"
#include "libutil/text.h"

#include <zlib.h>

namespace imapd::engine {

namespace {

// Raw deflate (RFC 4978 §4).  Out: a window of 8 kB and small tables, 100 kB in all, where the defaults
// take 270; in: whatever the client uses, which may be 32 kB.
constexpr int deflate_window = -13;
constexpr int deflate_memory = 7;
constexpr int inflate_window = -15;
constexpr std::size_t piece = 16U << 10;
constexpr std::size_t largest_window = 32U << 10;
// After a flush: between two blocks, and between two bytes (inflate() in zlib.h).
constexpr int at_block_boundary = 128;
constexpr int in_last_block = 64;
// A client's layer ends behind this, if it is the command that it looks like (RFC 8437 §4.1).
constexpr std::string_view last_word = " UNAUTHENTICATE\r\n";

}  // namespace

struct Deflate {
    Deflate() { CHECK(::deflateInit2(&stream, 6, Z_DEFLATED, deflate_window, deflate_memory, Z_DEFAULT_STRATEGY) == Z_OK); }
    ~Deflate() { ::deflateEnd(&stream); }
    Deflate(const Deflate&) = delete;
    Deflate& operator=(const Deflate&) = delete;

    void write(std::string_view bytes, int flush, std::string& out)
    {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream.avail_in = uInt(bytes.size());
        char buffer[piece];
        do {
            stream.next_out = reinterpret_cast<Bytef*>(buffer);
            stream.avail_out = sizeof buffer;
            ::deflate(&stream, flush);
            out.append(buffer, sizeof buffer - stream.avail_out);
        } while (stream.avail_out == 0);
    }

    z_stream stream{};
};

struct Inflate {
    Inflate() { CHECK(::inflateInit2(&stream, inflate_window) == Z_OK); }
    ~Inflate() { ::inflateEnd(&stream); }
    Inflate(const Inflate&) = delete;
    Inflate& operator=(const Inflate&) = delete;

    z_stream stream{};
};

namespace {

// What the client's next bytes may refer to is mostly commands, which become short.
std::string packed(std::string_view bytes)
{
    std::string out;
    Deflate deflate;
    deflate.write(bytes, Z_FINISH, out);
    return out;
}

util::Result<std::string> unpacked(std::string_view bytes)
{
    std::string out(largest_window, '\0');
    Inflate inflate;
    auto& stream = inflate.stream;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = uInt(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = uInt(out.size());
    int result = ::inflate(&stream, Z_FINISH);
    if (result != Z_STREAM_END || stream.avail_in > 0)
        return util::invalid("what was kept of the compression is not as it should be");
    out.resize(out.size() - stream.avail_out);
    return out;
}

}  // namespace

DeflateSession::DeflateSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}

DeflateSession::DeflateSession(std::unique_ptr<Session> session, std::string_view state) : session_(std::move(session))
{
    auto restored = restore(state);
    if (!restored.ok()) {
        util::log::error("a parked session cannot go on: ", restored.error().text);
        session_->terminate("The session cannot go on, please log in again");
    }
    settle();
}

// The compressor begins anew: after a flush nothing refers to what it has said before.  What the client's
// compressor refers to is kept.
util::Result<void> DeflateSession::restore(std::string_view state)
{
    store::Reader reader(state);
    bool compressed = reader.u8() != 0;
    auto window = reader.text();
    if (!reader.ok())
        return util::invalid("what was kept of the session is too short");
    if (compressed) {
        begin_compression();
        auto dictionary = TRY(unpacked(window));
        if (!dictionary.empty())
            CHECK(::inflateSetDictionary(&inflate_->stream, reinterpret_cast<const Bytef*>(dictionary.data()),
                                         uInt(dictionary.size())) == Z_OK);
    }
    return session_->restore(reader.left(), compressed);
}

void DeflateSession::begin_compression()
{
    compressed_ = true;
    deflate_ = std::make_unique<Deflate>();
    inflate_ = std::make_unique<Inflate>();
}

ipc::ProtocolSession::Waits DeflateSession::waits() const
{
    if (compressed_ && (!input_.empty() || pending_ || input_ended_ || broken_ || !output_.empty()))
        return Waits::No;
    return session_->waits();
}

std::optional<ipc::Resting> DeflateSession::rest() const
{
    auto resting = waits() == Waits::No ? std::nullopt : session_->rest();
    if (!resting)
        return resting;
    std::string state;
    store::Writer writer(state);
    writer.u8(compressed_);
    if (!compressed_) {
        writer.text({});
    } else {
        auto& stream = inflate_->stream;
        if (stream.data_type != at_block_boundary && stream.total_in > 0)
            return std::nullopt;
        std::string window(largest_window, '\0');
        uInt size = 0;
        if (::inflateGetDictionary(&stream, reinterpret_cast<Bytef*>(window.data()), &size) != Z_OK)
            return std::nullopt;
        window.resize(size);
        writer.text(packed(window));
        resting->late = packed(resting->late);
        resting->farewell = packed(resting->farewell);
    }
    state += resting->state;
    if (state.size() > ipc::max_parked_state)
        return std::nullopt;
    resting->state = std::move(state);
    return resting;
}

void DeflateSession::catch_up()
{
    session_->catch_up();
    settle();
}

DeflateSession::~DeflateSession() = default;

void DeflateSession::feed(std::string_view bytes)
{
    if (!compressed_) {
        session_->feed(bytes);
    } else {
        input_ += bytes;
        if (closing_)
            close_layer();
        else
            inflate_some();
    }
    settle();
}

bool DeflateSession::wants_input() const
{
    if (closing_)
        return input_.empty();
    return !finished() && !can_inflate() && input_.empty() && session_->wants_input();
}

bool DeflateSession::can_inflate() const
{
    return compressed_ && !closing_ && !finished() && (pending_ || !input_.empty()) && session_->wants_input() &&
           !session_->output_full() && !(may_be_last_word() && !session_->has_done_all());
}

// Then what follows may be no part of the stream, which only the session can tell.
bool DeflateSession::may_be_last_word() const
{
    return at_boundary_ && util::equal_nocase(last_word_, last_word);
}

std::size_t DeflateSession::inflate_block(char* out, std::size_t room, std::size_t& used, int& result)
{
    auto& stream = inflate_->stream;
    stream.next_in = reinterpret_cast<Bytef*>(input_.data() + used);
    stream.avail_in = uInt(input_.size() - used);
    stream.next_out = reinterpret_cast<Bytef*>(out);
    stream.avail_out = uInt(room);
    result = ::inflate(&stream, Z_BLOCK);
    used = input_.size() - stream.avail_in;
    std::size_t count = room - stream.avail_out;
    at_boundary_ = stream.data_type & at_block_boundary;
    flushed_ = count == 0 && (flushed_ || at_boundary_);
    stream_ended_ = result == Z_STREAM_END;
    last_word_.append(out, count);
    if (last_word_.size() > last_word.size())
        last_word_.erase(0, last_word_.size() - last_word.size());
    return count;
}

// One piece: the host calls again while there is more (has_work).
void DeflateSession::inflate_some()
{
    if (!can_inflate())
        return;
    char buffer[piece];
    std::size_t used = 0, count = 0;
    int result = Z_OK;
    bool last = false;
    do {
        count += inflate_block(buffer + count, sizeof buffer - count, used, result);
        last = at_boundary_ && (inflate_->stream.data_type & in_last_block);
    } while (result == Z_OK && at_boundary_ && (last || used < input_.size()) && count < sizeof buffer && !may_be_last_word());
    input_.erase(0, used);
    pending_ = count == sizeof buffer || (last && result == Z_OK);
    if (result != Z_OK && result != Z_BUF_ERROR) {
        // The end of the stream, or what is none: nothing that can be understood follows.
        broken_ = result != Z_STREAM_END;
        input_.clear();
        pending_ = false;
        input_ended_ = true;
    }
    if (count > 0)
        session_->feed({buffer, count});
}

// The session has left, and its client's layer ends behind the command: with a flush, which leaves a block without
// content, or with the end of the stream, or with both.  No command begins with the bytes that such a block begins with.
void DeflateSession::close_layer()
{
    std::size_t used = 0;
    auto is_over = [&] {
        return stream_ended_ || (flushed_ && inflate_->stream.data_type == at_block_boundary &&
                                 (used == input_.size() || (input_[used] != '\0' && input_[used] != '\x03')));
    };
    while (!is_over()) {
        char byte;
        int result = Z_OK;
        bool last = at_boundary_ && (inflate_->stream.data_type & in_last_block);
        if (used == input_.size() && !last)
            break;
        std::size_t count = inflate_block(&byte, 1, used, result);
        if (count > 0 || (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)) {
            broken_ = true;   // it goes on
            break;
        }
    }
    closing_ = !broken_ && !is_over();
    input_.erase(0, used);
}

std::optional<std::string> DeflateSession::left_over() const
{
    if (!compressed_)
        return session_->left_over();
    if (broken_ || closing_ || !session_->is_unauthenticated())
        return std::nullopt;
    return input_;
}

std::optional<util::Instant> DeflateSession::deadline() const
{
    return closing_ ? std::optional(closing_until_) : session_->deadline();
}

bool DeflateSession::may_end() const
{
    return input_ended_ && !ended_ && input_.empty() && !pending_ && !finished();
}

void DeflateSession::end_of_input()
{
    input_ended_ = true;
    broken_ = broken_ || closing_;   // its layer will not end
    closing_ = false;
    if (may_end()) {
        ended_ = true;
        session_->end_of_input();
    }
    settle();
}

std::string& DeflateSession::output()
{
    // What other users' mailboxes have answered comes without a call from the host.
    settle();
    session_->set_beyond(compressed_ ? output_.size() : 0);
    return compressed_ ? output_ : session_->output();
}

bool DeflateSession::has_work() const
{
    return session_->has_work() || can_inflate() || may_end();
}

void DeflateSession::work()
{
    if (session_->has_work()) {
        session_->work();
    } else if (can_inflate()) {
        inflate_some();
    } else if (may_end()) {
        ended_ = true;
        session_->end_of_input();
    }
    settle();
}

void DeflateSession::store_changed(std::uint64_t mailbox)
{
    session_->store_changed(mailbox);
    settle();
}

void DeflateSession::durable_grew()
{
    session_->durable_grew();
    settle();
}

void DeflateSession::deadline_passed(util::Instant now)
{
    if (now >= closing_until_)
        say_bye_when_closing("The end of the compression did not come");
    session_->deadline_passed(now);
    settle();
}

// Its own layer is over already: the client hears that as plain text.
void DeflateSession::say_bye_when_closing(std::string_view reason)
{
    if (!std::exchange(closing_, false))
        return;
    broken_ = true;
    output_ += syntax::bye(reason);
}

void DeflateSession::terminate(std::string_view reason)
{
    say_bye_when_closing(reason);
    session_->terminate(reason);
    settle();
}

void DeflateSession::settle()
{
    if (!compressed_) {
        if (!session_->is_compressed())
            return;
        // All that was said so far, the answer to COMPRESS among it, is plain.
        begin_compression();
        output_ = std::move(session_->output());
        session_->output().clear();
        return;
    }
    if (finished_)
        return;
    finished_ = session_->finished() || broken_;
    if (finished_ && session_->is_unauthenticated() && !input_ended_) {
        closing_ = true;
        closing_until_ = util::now() + closing_time;
        close_layer();
    }
    if (session_->output().empty() && !finished_)
        return;
    deflate_->write(session_->output(), finished_ ? Z_FINISH : Z_SYNC_FLUSH, output_);
    session_->output().clear();
}

}  // namespace imapd::engine
