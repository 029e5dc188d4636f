// Templates of notices: whatever is in the file, all four have words, and what is written is read again.
#include "libmail/notice_template.h"
#include "libutil/check.h"
#include "libutil/text.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::vector<mail::NoticeProblem> problems;
    auto read = mail::parse_notice_templates({reinterpret_cast<const char*>(data), size}, problems);
    for (const auto& known : mail::notice_template_names) {
        const mail::NoticeTemplate& notice = read.*known.member;
        CHECK(!notice.from.empty() && !notice.subject.empty() && !notice.postmaster_subject.empty());
        CHECK(util::is_utf8(notice.body));
        std::vector<mail::NoticeProblem> again;
        auto second = mail::parse_notice_templates(mail::to_text(known.name, notice), again);
        // A body may hold the word that ends it here, or grow by its charset.
        if (again.empty())
            CHECK((second.*known.member).subject == notice.subject);
    }
    return 0;
}
