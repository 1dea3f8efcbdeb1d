#include "policies/api/facts.h"

namespace sallyport::policies {

const void* Facts::find(const FactsType& type) const {
  for (const Slot& slot : slots_) {
    if (slot.type == &type) return slot.facts.get();
  }
  return nullptr;
}

void Facts::put(const FactsType& type, std::shared_ptr<const void> facts) {
  for (Slot& slot : slots_) {
    if (slot.type != &type) continue;
    slot.facts = std::move(facts);
    return;
  }
  slots_.push_back({&type, std::move(facts)});
}

void Facts::drop(const FactsType& type) {
  std::erase_if(slots_, [&type](const Slot& slot) { return slot.type == &type; });
}

Findings Facts::tell() const {
  Findings findings;
  if (slots_.empty()) return findings;
  // Most mails have no more than this, and then nothing grows while it is filled.
  findings.words.reserve(8);
  findings.identifiers.reserve(4);
  findings.evidence.reserve(16);
  for (const Slot& slot : slots_) {
    if (slot.type->tell) slot.type->tell(slot.facts.get(), findings);
  }
  return findings;
}

Findings Facts::tell(const FactsType& type) const {
  Findings findings;
  const void* facts = find(type);
  if (facts != nullptr && type.tell != nullptr) type.tell(facts, findings);
  return findings;
}

std::string Facts::to_json() const {
  std::string json = "{";
  for (const Slot& slot : slots_) {
    if (json.size() > 1) json += ',';
    json.append("\"").append(slot.type->name).append("\":").append(slot.type->to_json(slot.facts.get()));
  }
  return json + "}";
}

std::string Facts::to_json(const FactsType& type) const {
  const void* facts = find(type);
  return facts ? type.to_json(facts) : "{}";
}

Result<Facts> Facts::from_json(const JsonValue& json, const std::vector<const FactsType*>& known) {
  Facts facts;
  for (const FactsType* type : known) {
    const auto member = json.member(type->name);
    if (!member) continue;
    auto read = type->from_json(*member);
    if (!read) return Failure{std::string(type->name) + ": " + read.error().message};
    facts.put(*type, std::move(*read));
  }
  return facts;
}

}  // namespace sallyport::policies
