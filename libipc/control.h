// What tern(1) asks master(8), over the socket private/master; root and master's own uid may.
#pragma once

#include "libipc/wire.h"

namespace server {

constexpr std::string_view control_socket_name = "master";

enum class ControlCommand : unsigned char { status, reload, stop, who, kick, last_ = kick };

struct ControlRequest {
    static constexpr std::string_view message_name = "control_request";
    ControlCommand command = ControlCommand::status;
    std::int32_t pid = 0;   // of kick: a worker with a client
    static void fields(auto& message, auto& visit)
    {
        visit("command", message.command);
        visit("pid", message.pid);
    }
};

// A worker that serves a client, as it says itself (Process::note).
struct WorkerNote {
    std::string service;    // its name in master.cf
    std::string program;
    std::int32_t pid = 0;
    std::string note;
    static void fields(auto& message, auto& visit)
    {
        visit("service", message.service);
        visit("program", message.program);
        visit("pid", message.pid);
        visit("note", message.note);
    }
};

// To `who`; a long answer comes in several, the last with `last`.
struct WhoServed {
    static constexpr std::string_view message_name = "who_served";
    std::vector<WorkerNote> workers;
    bool last = false;
    static void fields(auto& message, auto& visit)
    {
        visit("worker", message.workers);
        visit("last", message.last);
    }
};

struct ServiceStatus {
    std::string name;
    std::string type;
    std::string command;
    std::uint32_t processes = 0;
    std::uint32_t busy = 0;
    std::uint32_t draining = 0;   // of the processes: those that finish under an old configuration
    std::uint32_t limit = 0;
    std::uint64_t started = 0;    // processes since master's start
    bool throttled = false;       // it died at its start and waits
    static void fields(auto& message, auto& visit)
    {
        visit("name", message.name);
        visit("type", message.type);
        visit("command", message.command);
        visit("processes", message.processes);
        visit("busy", message.busy);
        visit("draining", message.draining);
        visit("limit", message.limit);
        visit("started", message.started);
        visit("throttled", message.throttled);
    }
};

struct ControlAnswer {
    static constexpr std::string_view message_name = "control_answer";
    bool ok = false;
    std::string text;  // what is wrong, one problem a line; warnings too when ok
    std::int32_t pid = 0;
    std::int64_t running_seconds = 0;
    std::vector<ServiceStatus> services;
    static void fields(auto& message, auto& visit)
    {
        visit("ok", message.ok);
        visit("text", message.text);
        visit("pid", message.pid);
        visit("running_seconds", message.running_seconds);
        visit("services", message.services);
    }
};

}  // namespace server
