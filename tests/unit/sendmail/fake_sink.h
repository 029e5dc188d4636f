// A sink that keeps what it is given.
#pragma once

#include "tools/sendmail/submit.h"

#include <string>
#include <utility>
#include <vector>

namespace test {

struct Taken {
    ipc::Envelope envelope;
    std::vector<ipc::Recipient> recipients;
    std::string content;
    bool finished = false;
};

class FakeSink : public sendmail::Sink {
public:
    FakeSink(Taken& taken, util::Result<void> answer) : taken_(taken), answer_(std::move(answer)) {}
    void begin(ipc::Envelope envelope, const std::vector<ipc::Recipient>& recipients) override
    {
        taken_.envelope = std::move(envelope);
        taken_.recipients = recipients;
    }
    void write(std::string_view bytes) override { taken_.content += bytes; }
    util::Result<void> finish() override
    {
        taken_.finished = true;
        return answer_;
    }

private:
    Taken& taken_;
    util::Result<void> answer_;
};

}  // namespace test
