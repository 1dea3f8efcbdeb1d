#include "policies/spf/client_names.h"

#include <algorithm>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/dns/reverse_name.h"

namespace sallyport::policies::spf {

namespace {

constexpr std::size_t most_names = 10;

enum class Nearness { same, below, elsewhere };

Nearness nearness(std::string_view name, std::string_view domain) {
  if (name == domain) return Nearness::same;
  const bool is_below =
      name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.';
  return is_below ? Nearness::below : Nearness::elsewhere;
}

}  // namespace

Task<bool> ClientNames::find() {
  are_known_ = true;
  const dns::Answer* answer = co_await questions_.ask(dns::reverse_name(client_), dns::Type::PTR);
  const std::size_t count = std::min(answer->records.size(), most_names);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* name = std::get_if<std::string>(&answer->records[i]);
    if (name && is_domain_name(*name)) names_.push_back({text::to_lower(*name), std::nullopt});
  }
  co_return !answer->is_absent();
}

Task<bool> ClientNames::any_within(std::string domain) {
  for (Name& name : names_) {
    if (nearness(name.name, domain) == Nearness::elsewhere) continue;
    if (co_await confirm(name)) co_return true;
  }
  co_return false;
}

Task<std::string> ClientNames::best_for(std::string domain) {
  for (Nearness wanted : {Nearness::same, Nearness::below, Nearness::elsewhere}) {
    for (Name& name : names_) {
      if (nearness(name.name, domain) != wanted) continue;
      if (co_await confirm(name)) co_return name.name;
    }
  }
  co_return "unknown";
}

Task<bool> ClientNames::confirm(Name& name) {
  if (!name.is_confirmed) {
    const dns::Answer* answer = co_await questions_.ask(name.name, client_.is_v4() ? dns::Type::A : dns::Type::AAAA);
    const dns::RecordData wanted = client_;
    name.is_confirmed = std::find(answer->records.begin(), answer->records.end(), wanted) != answer->records.end();
  }
  co_return *name.is_confirmed;
}

}  // namespace sallyport::policies::spf
