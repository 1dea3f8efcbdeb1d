// Facts: what was found out about a mail and its client, with the evidence. Judges decide from facts and settings only,
// so that the same verdict can be shown, logged and replayed later.
//
// Each policy has its own facts type (policies/<name>/facts.h): a plain value with fields() (gateway/base/fields.h),
// without views into a message, working state, scores, or text made for display. Facts holds at most one value of each
// type and knows none of the types. A copy of Facts shares the values, which never change after put(): so a mail can
// begin with a copy of its connection's facts, and a record can keep them, at no cost.
//
// One loop uses a Facts object at a time. Values may be shared between threads, because they never change.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/field_json.h"
#include "gateway/base/result.h"
#include "gateway/dns/answer.h"
#include "policies/api/auth_result.h"

namespace sallyport::mime {
struct Tree;
class Contents;
}  // namespace sallyport::mime

namespace sallyport::url {
class MailUrls;
}  // namespace sallyport::url

namespace sallyport::policies {

// What facts tell code that does not know their policy.
struct Findings {
  // Fields of the log line: "spf" = "pass", "dnsbl" = "zen,dead" (contract.md, section 6).
  std::vector<std::pair<std::string_view, std::string>> words;
  std::vector<AuthIdentifier> identifiers;
  // The client's forward-confirmed reverse name; empty when there is none.
  std::string client_name;
  // True if that name was looked for, and there is none; false with an empty name: nobody knows.
  bool is_client_nameless = false;
  // All DNS questions with their answers. They point into the facts and are valid as long as those.
  std::vector<const dns::Evidence*> evidence;
  // The mail's parts, from the judges of stage message on, and for gatherings of that stage which run after phase
  // `first`. Null: nobody has looked for them (policy.content is off). Valid as long as the facts.
  const mime::Tree* parts = nullptr;
  // What is decoded of these parts when somebody asks, kept for all who ask; not null when `parts` is not. For use on
  // the mail's loop, while Transaction::message is there.
  mime::Contents* contents = nullptr;
  // The URLs of the mail, found when somebody asks (gateway/url/mail_urls.h); as `contents`.
  url::MailUrls* urls = nullptr;

  void add(const std::vector<dns::Evidence>& asked) {
    for (const dns::Evidence& one : asked) evidence.push_back(&one);
  }
};

// How code that does not know a facts type handles it. Each type has one static object, in the policy's folder: `const
// FactsType spf_facts = facts_type<SpfFacts>("spf", tell_spf);`
struct FactsType {
  std::string_view name;  // the policy's name; the key in JSON
  std::string (*to_json)(const void* facts);
  Result<std::shared_ptr<const void>> (*from_json)(const JsonValue& json);
  void (*tell)(const void* facts, Findings& findings);  // null: adds nothing to Findings
};

// Gives the FactsType of F. Each facts type specializes it beside its declaration: `template <> inline const FactsType&
// type_of<SpfFacts>() { return spf_facts; }`
template <class F>
const FactsType& type_of();

class Facts {
 public:
  // The facts of type F, or null when none were put. Valid until the next put() or drop() of that type.
  template <class F>
  const F* find() const {
    return static_cast<const F*>(find(type_of<F>()));
  }
  // A copy of the facts of type F; a default F when none were put.
  template <class F>
  F get() const {
    const F* found = find<F>();
    return found ? *found : F();
  }
  // Stores the facts; replaces earlier ones of type F.
  template <class F>
  void put(F facts) {
    put(type_of<F>(), std::make_shared<const F>(std::move(facts)));
  }

  // Removes the facts of this type, if there are any.
  void drop(const FactsType& type);

  Findings tell() const;
  Findings tell(const FactsType& type) const;  // for one type
  // All facts that were put, in that order: {"spf": {...}, ...}.
  std::string to_json() const;
  std::string to_json(const FactsType& type) const;  // for one type; "{}" when none were put
  // Reads what to_json() has written; types that are not in `known` are ignored. The error: a value does not fit its
  // type.
  static Result<Facts> from_json(const JsonValue& json, const std::vector<const FactsType*>& known);

 private:
  struct Slot {
    const FactsType* type;
    std::shared_ptr<const void> facts;
  };
  const void* find(const FactsType& type) const;
  void put(const FactsType& type, std::shared_ptr<const void> facts);

  std::vector<Slot> slots_;
};

template <class F>
constexpr FactsType facts_type(std::string_view name, void (*tell)(const void*, Findings&) = nullptr) {
  return {name, [](const void* facts) { return FieldWriter::json(*static_cast<const F*>(facts)); },
          [](const JsonValue& json) -> Result<std::shared_ptr<const void>> {
            auto facts = std::make_shared<F>();
            auto read = FieldReader::read_json(json, *facts);
            if (!read) return std::move(read).error();
            return std::shared_ptr<const void>(std::move(facts));
          },
          tell};
}

}  // namespace sallyport::policies
