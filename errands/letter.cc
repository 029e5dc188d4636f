// From the queue's form to that of mailboxes.
#include "errands/letter.h"

#include "libmail/local_form.h"
#include "libutil/sys.h"

namespace errands {

namespace {

constexpr std::size_t piece_size = 64 * 1024;

mail::LocalForm local_form(LetterForm form)
{
    mail::LocalForm local;
    local.return_path = local.original_to = true;
    local.from_line = form.from_line;
    local.delivered_to = form.delivered_to;
    local.quote_from = local.empty_line = form.mailbox_file;
    return local;
}

}  // namespace

util::Result<void> write_letter(const ipc::RunEntry& order, LetterForm letter_form, std::int64_t now, const LetterSink& sink)
{
    mail::LocalForm form = local_form(letter_form);
    std::string out = mail::local_head({order.sender, order.original_recipient, order.delivered_to}, form, now);
    mail::LocalLines lines(form);
    if (!order.message.valid()) {
        lines.feed(order.content, out);
    } else {
        std::string buffer(piece_size, '\0');
        for (std::uint64_t at = 0; at < order.size;) {
            std::size_t count = TRY(util::sys::pread(order.message.get(), buffer, at));
            if (count == 0)
                return util::temporary("the message is shorter than it was");
            at += count;
            lines.feed(std::string_view(buffer).substr(0, count), out);
            if (out.size() >= piece_size) {
                TRY(sink(out));
                out.clear();
            }
        }
    }
    lines.finish(out);
    if (form.empty_line)
        out += form.line_end;
    return sink(out);
}

}  // namespace errands
