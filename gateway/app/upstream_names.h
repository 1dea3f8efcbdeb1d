// The names of the upstreams' servers, looked up while the gateway serves.
#pragma once

#include "gateway/app/common_parts.h"
#include "gateway/io/resolver.h"
#include "gateway/upstream/name_book.h"
#include "gateway/uv/loop.h"

namespace sallyport::app {

// Looks up those of `names` that are due (gateway/upstream/name_book.h), for 5 seconds at most, and logs what has
// changed. True: a name stands for other addresses now. Runs on `loop`; the hosts file is read on the work pool.
Task<bool> refresh_names(upstream::Names names, CommonParts& common, io::Resolver& dns, uv::Loop& loop);

// Logs one name each: its addresses, or why it keeps those of before or has none.
void log_names(const std::vector<upstream::NameBook::News>& news, Log& log);

}  // namespace sallyport::app
