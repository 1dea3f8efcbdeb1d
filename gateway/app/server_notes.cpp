#include "gateway/app/server_notes.h"

#include "gateway/base/text.h"

namespace sallyport::app {

namespace {

constexpr auto note_again_after = std::chrono::hours(24);

std::string joined(const std::vector<std::string>& lines) { return text::join(lines, "\n"); }

}  // namespace

std::vector<upstream::LastWord> last_words(const std::vector<state::RememberedServer>& servers) {
  std::vector<upstream::LastWord> words;
  for (const state::RememberedServer& server : servers) {
    upstream::LastWord& word =
        words.emplace_back(upstream::LastWord{server.upstream, server.address, server.name, {""}});
    for (std::string_view rest = server.offers; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      word.ehlo_lines.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return words;
}

void recall_names(const std::vector<state::RememberedServer>& servers, upstream::NameBook& names) {
  for (const state::RememberedServer& server : servers) {
    if (server.name.empty()) continue;
    if (const auto address = SocketAddress::parse(server.address)) names.recall(server.name, address->ip);
  }
}

void ServerNotes::note(const upstream::UpstreamGroups& groups, WallTime now) {
  std::map<std::pair<std::string, std::string>, Noted> noted;
  for (const auto& [name, group] : groups) {
    for (const auto& server : group->servers) {
      const auto extensions = server->extensions();
      if (!extensions) continue;
      const std::pair key{name, server->address().to_string()};
      const std::string offers = joined(smtp::to_ehlo_lines(*extensions));
      const auto before = noted_.find(key);
      if (before != noted_.end() && before->second.offers == offers && now - before->second.at < note_again_after) {
        noted.insert(*before);
        continue;
      }
      noted[key] = {offers, now};
      memory_.remember({name, key.second, server->address().host(), offers}, now);
    }
  }
  noted_ = std::move(noted);
}

}  // namespace sallyport::app
