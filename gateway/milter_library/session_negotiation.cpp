// What a Session agrees on with the MTA.
#include "gateway/milter/negotiation.h"
#include "gateway/milter_library/session.h"

namespace sallyport::milter_library {

namespace {

using milter::Terms;
namespace action = milter::action;
namespace option = milter::option;

// Any of these can be pretended: the MTA hears `c` where the filter is silent.
constexpr std::uint32_t silent = option::silent_header | option::silent_connect | option::silent_helo |
                                 option::silent_mail | option::silent_rcpt | option::silent_data |
                                 option::silent_unknown | option::silent_end_of_header | option::silent_body;

// Libraries and MTAs use these between themselves.
constexpr std::uint32_t internal = SMFI_INTERNAL;

}  // namespace

bool Session::negotiate(std::string_view data) {
  milter::DataReader reader(data);
  Terms offered;
  // More may follow, for milters that understand it.
  if (!reader.u32(offered.version) || !reader.u32(offered.actions) || !reader.u32(offered.options)) {
    host_->report("the MTA has sent a malformed offer");
    return false;
  }
  // An MTA that says nothing means those of version 1.
  if (offered.actions == 0) offered.actions = action::of_version_1;
  if (offered.options == 0) offered.options = option::of_version_1;
  offered.options &= ~internal;
  Terms wanted{milter::newest_version, static_cast<std::uint32_t>(host_->filter.callbacks.xxfi_flags),
               host_->filter.declined};
  if (host_->filter.callbacks.xxfi_negotiate != nullptr && !ask_filter(offered, wanted)) return false;
  const auto agreed = milter::answer_to(offered, wanted);
  if (!agreed) {
    host_->report("the MTA does not offer what the filter needs");
    return false;
  }
  actions_ = static_cast<std::uint16_t>(agreed->actions & action::all);
  options_ = agreed->options;
  wanted_options_ = wanted.options;
  state_ = State::negotiated;
  answer_negotiation(*agreed);
  return true;
}

bool Session::ask_filter(const Terms& offered, Terms& wanted) {
  const std::uint32_t standard = host_->filter.declined | (offered.options & option::skip);
  unsigned long actions = offered.actions;
  unsigned long options = standard;
  unsigned long third = 0;
  unsigned long fourth = 0;
  const sfsistat verdict = host_->filter.callbacks.xxfi_negotiate(context(), offered.actions, offered.options | silent,
                                                                  0, 0, &actions, &options, &third, &fourth);
  if (verdict == SMFIS_ALL_OPTS) {
    wanted.actions = offered.actions;
    wanted.options = standard;
    return true;
  }
  if (verdict != SMFIS_CONTINUE) {
    host_->report("the filter's xxfi_negotiate has refused the connection");
    return false;
  }
  wanted.actions = static_cast<std::uint32_t>(actions);
  wanted.options = static_cast<std::uint32_t>(options) & ~internal;
  return true;
}

bool Session::set_macro_list(int stage, const char* names) {
  if (stage < 0 || stage >= static_cast<int>(milter::macro_stages) || names == nullptr || *names == '\0') return false;
  std::string& list = rarities().macro_lists[static_cast<std::size_t>(stage)];
  if (!list.empty()) return false;
  list = names;
  return true;
}

void Session::answer_negotiation(const Terms& terms) {
  milter::Negotiated negotiated{terms, {}};
  if (rarities_ && (terms.actions & action::set_macro_list) != 0) {
    for (std::size_t i = 0; i < rarities_->macro_lists.size(); ++i) {
      const std::string& names = rarities_->macro_lists[i];
      if (!names.empty()) negotiated.macros.push_back({static_cast<milter::MacroStage>(i), names});
    }
  }
  milter::encode(host_->answers, negotiated);
  // A reply set here stays.
  if (rarities_ && rarities_->reply.empty()) rarities_.reset();
}

}  // namespace sallyport::milter_library
