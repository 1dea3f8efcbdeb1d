// The client's side of a dry run: sends one mail, command by command, and waits for each reply before the next command.
#pragma once

#include <vector>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/explain/explanation.h"
#include "gateway/io/stream.h"

namespace sallyport::explain {

// Sends the mail made of `envelope` and `content` over `stream`, then QUIT, and closes the stream; stops early when the
// server closes the connection. Every command and its reply are appended to `dialogue`, except QUIT and the content
// itself. Runs on the loop of `scheduler`; the arguments must outlive the task.
Task<void> say_mail(io::Stream& stream, async::Scheduler& scheduler, const Envelope& envelope, std::string_view content,
                    std::vector<Exchange>& dialogue);

}  // namespace sallyport::explain
