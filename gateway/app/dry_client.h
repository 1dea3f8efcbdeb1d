// The client's side of a dry run: one mail, command by command, each answered before the next.
#pragma once

#include <vector>

#include "gateway/app/explanation.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"

namespace sallyport::app {

// Says the mail of `envelope` and `content` over `stream` and leaves with QUIT, or where the server hangs up.
// `dialogue` has all that was said, but for the content.
Task<void> say_mail(io::Stream& stream, async::Scheduler& scheduler, const Envelope& envelope, std::string_view content,
                    std::vector<Exchange>& dialogue);

}  // namespace sallyport::app
