// The lists of rules that web servers have, fetched by one worker for all: over its own connections, resolver and TLS,
// as rules ask web servers themselves.
#pragma once

#include "gateway/async/task.h"
#include "gateway/base/log.h"
#include "gateway/io/http_client.h"
#include "gateway/io/resolver.h"
#include "gateway/state/url_lists.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

// Looks each second which list is due. All references must outlive the task.
Task<void> fetch_lists_for_ever(uv::Loop& loop, state::UrlLists& lists, io::HttpClient& http, io::Resolver& resolver,
                                Log& log);

}  // namespace sallyport::app
