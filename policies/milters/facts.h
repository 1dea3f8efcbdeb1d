// What milters have said about a connection and its mails.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/mail/message.h"
#include "gateway/milter/changes.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace policies {

// The last word of a milter about a stage. `failed`: it could not be asked, or has broken the protocol.
enum class MilterWord : std::uint8_t { go_on, accept, discard, reject, tempfail, shutdown, failed };

struct MilterAnswer {
  Stage stage = Stage::connect;
  MilterWord word = MilterWord::go_on;
  // The milter's own words with reject and tempfail; 0 and empty where it gave none.
  int code = 0;
  std::string dsn;
  std::vector<std::string> lines;
  std::string problem;  // of failed, in words of ours

  template <class V>
  void fields(V& visit) {
    visit("stage", stage);
    visit("word", word);
    visit("code", code);
    visit("dsn", dsn);
    visit("lines", lines);
    visit("problem", problem);
  }
};

struct MilterFacts {
  std::string name;
  std::vector<MilterAnswer> answers;  // at most one for each stage, the last one that was given
  milter::Changes changes;            // what it wants to have changed; empty until it has answered the whole mail
  std::uint64_t body_octets = 0;      // of a body in place of the mail's own
  // No field: that body, while the mail is there.
  std::shared_ptr<const mail::Message> body;

  const MilterAnswer* at(Stage stage) const;

  template <class V>
  void fields(V& visit) {
    visit("name", name);
    visit("answers", answers);
    visit("changes", changes);
    visit("body_octets", body_octets);
  }
};

struct MiltersFacts {
  std::vector<MilterFacts> milters;  // those that were asked, in that order

  const MilterFacts* find(std::string_view name) const;
  MilterFacts& of(const std::string& name);  // added where it is not there

  template <class V>
  void fields(V& visit) {
    visit("milters", milters);
  }
};

extern const FactsType milters_facts;
template <>
inline const FactsType& type_of<MiltersFacts>() {
  return milters_facts;
}

}  // namespace policies

template <>
inline constexpr auto words_of<policies::MilterWord> =
    std::to_array<std::string_view>({"continue", "accept", "discard", "reject", "tempfail", "shutdown", "failed"});

}  // namespace sallyport
