// CheckedConfig: the parameters of bounce(8) with the templates of notices read.
#pragma once

#include "bounce/config.h"
#include "libipc/notice_templates.h"

namespace bounce {

struct CheckedConfig : Config {
    // Whatever is wrong in $bounce_template_file must not keep a notice from being written: the words
    // that are built in stand in for it.
    struct Words {
        mail::NoticeTemplates templates;
        conf::Problems problems;
    };
    explicit CheckedConfig(Words& words) : words_(words) {}
    void verify(const conf::MainCf& settings, conf::Problems& problems) const override;
    void check(const conf::MainCf& settings, conf::Problems& problems) const override;

private:
    Words& words_;
};

}  // namespace bounce
