// The signals by which the supervising process commands the serving one.
//
// They are real-time signals: none is lost when several come at once. SIGTERM, SIGINT and SIGHUP do nothing to the
// serving process. A terminal or a service manager sends these to all processes of a group at the same moment, and one
// SIGTERM that arrives directly and again through the supervisor would count as two, which breaks off mails.
#pragma once

#include <csignal>

namespace sallyport::supervise {

// End: the first asks for a drain, the second breaks off what is under way, the third waits for nothing.
inline int end_command() { return SIGRTMIN; }
// Take the configuration anew.
inline int reload_command() { return SIGRTMIN + 1; }
// Another process accepts at the same sockets from now on: accept nobody more, and end when the sessions have ended.
inline int hand_over_command() { return SIGRTMIN + 2; }

}  // namespace sallyport::supervise
