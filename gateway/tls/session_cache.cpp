#include "gateway/tls/session_cache.h"

namespace sallyport::tls {

void SessionCache::put(std::string_view server, const SSL_SESSION& session) {
  OwnedSession copy(SSL_SESSION_dup(&session));
  if (!copy) return;
  std::scoped_lock lock(mutex_);
  auto place = sessions_.find(server);
  if (place != sessions_.end()) {
    place->second = std::move(copy);
  } else if (sessions_.size() < max_servers) {
    sessions_.emplace(server, std::move(copy));
  }
}

OwnedSession SessionCache::get(std::string_view server) const {
  std::scoped_lock lock(mutex_);
  auto place = sessions_.find(server);
  if (place == sessions_.end() || SSL_SESSION_is_resumable(place->second.get()) != 1) return nullptr;
  return OwnedSession(SSL_SESSION_dup(place->second.get()));
}

}  // namespace sallyport::tls
