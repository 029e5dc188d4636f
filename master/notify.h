// What master tells the service manager that started it: systemd's notification protocol,
// sd_notify(3), one datagram of NAME=VALUE lines to the socket that $NOTIFY_SOCKET names.
#pragma once

#include <string>
#include <string_view>

namespace master {

class Notifier {
public:
    // Reads the socket's name and takes it out of the environment: it is for master alone.
    static Notifier from_environment();

    void ready() const { tell("READY=1\nSTATUS=running"); }
    // RELOADING=1 with the time, as Type=notify-reload wants it; ready() ends it.
    void reloading() const;
    void stopping() const { tell("STOPPING=1\nSTATUS=finishing what was accepted"); }

private:
    // Without a service manager this does nothing; one that does not listen is no reason to fail.
    void tell(std::string_view text) const;

    std::string path_;
};

}  // namespace master
