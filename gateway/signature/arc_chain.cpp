#include "gateway/signature/arc_chain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/signature/canonical.h"
#include "gateway/signature/header_input.h"

namespace sallyport::signature {

namespace {

enum class Kind : std::uint8_t { results, message, seal };

std::optional<Kind> kind_of(std::string_view name) {
  if (text::equals_ignoring_case(name, "ARC-Authentication-Results")) return Kind::results;
  if (text::equals_ignoring_case(name, "ARC-Message-Signature")) return Kind::message;
  if (text::equals_ignoring_case(name, "ARC-Seal")) return Kind::seal;
  return std::nullopt;
}

std::optional<unsigned> parse_instance(std::string_view digits) {
  if (digits.size() > 2) return std::nullopt;
  const auto number = text::to_number(digits, max_arc_instance);
  if (!number || *number == 0) return std::nullopt;
  return static_cast<unsigned>(*number);
}

struct Results {
  unsigned instance;
  std::string_view text;
};

// "i=1; mx.example; spf=pass": the instance comes first; the rest is not a tag list.
std::optional<Results> parse_results(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  const std::string_view tag = value.substr(0, semicolon);
  const std::size_t equals = tag.find('=');
  if (equals == std::string_view::npos || trim_folding(tag.substr(0, equals)) != "i") return std::nullopt;
  const auto instance = parse_instance(trim_folding(tag.substr(equals + 1)));
  if (!instance) return std::nullopt;
  return Results{*instance, value.substr(semicolon + 1)};
}

std::optional<ChainValidation> parse_validation(std::string_view word) {
  for (ChainValidation validation : {ChainValidation::none, ChainValidation::pass, ChainValidation::fail}) {
    if (text::equals_ignoring_case(word, name(validation))) return validation;
  }
  return std::nullopt;
}

void note(ArcChain& chain, std::string_view problem) {
  if (chain.problem.empty()) chain.problem = problem;
}

// Sorts the fields into sets: one field of each kind per instance.
class Collector {
 public:
  explicit Collector(ArcChain& chain) : chain_(chain) {}

  void add(Kind kind, const mail::HeaderField& field) {
    if (kind == Kind::results) return add_results(field);
    const auto tags = TagList::parse(field.value);
    const auto instance = tags ? parse_instance(tags->value("i").value_or("")) : std::nullopt;
    if (!instance)
      return note(chain_, kind == Kind::seal ? "ARC-Seal is malformed" : "ARC-Message-Signature is malformed");
    ArcSet& set = at(*instance);
    const mail::HeaderField*& place = kind == Kind::seal ? set.seal_field : set.message_field;
    if (place) return note(chain_, "two ARC fields of one instance");
    place = &field;
    if (kind == Kind::seal) {
      read_seal(*tags, set);
    } else {
      set.message = parse_arc_message_signature(*tags);
    }
  }

  // Stores the sets in the chain if they are complete and without gaps.
  void finish() {
    sets_.resize(chain_.highest);
    for (const ArcSet& set : sets_) {
      if (!set.results_field || !set.message_field || !set.seal_field) return note(chain_, "an ARC set is not whole");
    }
    chain_.sets = std::move(sets_);
  }

 private:
  ArcSet& at(unsigned instance) {
    chain_.highest = std::max(chain_.highest, instance);
    if (sets_.size() < instance) sets_.resize(instance);
    sets_[instance - 1].instance = instance;
    return sets_[instance - 1];
  }

  void add_results(const mail::HeaderField& field) {
    const auto results = parse_results(field.value);
    if (!results) return note(chain_, "ARC-Authentication-Results has no instance");
    ArcSet& set = at(results->instance);
    if (set.results_field) return note(chain_, "two ARC fields of one instance");
    set.results_field = &field;
    set.results = results->text;
  }

  static void read_seal(const TagList& tags, ArcSet& set) {
    read_common_tags(tags, set.seal);
    const auto validation = parse_validation(tags.value("cv").value_or(""));
    set.validation = validation.value_or(ChainValidation::fail);
    if (!set.seal.problem.empty()) return;
    if (!validation) set.seal.problem = "no cv= in ARC-Seal";
    // RFC 8617, 4.1.3: a seal's coverage is fixed; h= makes it invalid.
    if (tags.find("h")) set.seal.problem = "h= in ARC-Seal";
  }

  ArcChain& chain_;
  std::vector<ArcSet> sets_;
};

std::string_view problem_of(const ArcSet& set) {
  if (!set.seal.is_well_formed()) return set.seal.problem;
  const ChainValidation expected = set.instance == 1 ? ChainValidation::none : ChainValidation::pass;
  return set.validation == expected ? std::string_view() : "cv= does not fit the instance";
}

}  // namespace

std::string_view name(ChainValidation validation) {
  constexpr std::array<std::string_view, 3> names{"none", "pass", "fail"};
  return names[std::size_t(validation)];
}

ArcChain read_arc_chain(const mail::HeaderSection& section) {
  ArcChain chain;
  std::vector<std::pair<Kind, const mail::HeaderField*>> fields;
  for (const mail::HeaderField& field : section.fields()) {
    if (const auto kind = kind_of(field.name)) fields.emplace_back(*kind, &field);
  }
  if (fields.size() > std::size_t{3} * max_arc_instance) {
    chain.problem = "more than 50 ARC sets";
    chain.highest = max_arc_instance + 1;
    return chain;
  }
  Collector collector(chain);
  for (const auto& [kind, field] : fields) collector.add(kind, *field);
  collector.finish();
  if (chain.sets.empty()) return chain;

  const ArcSet& newest = chain.sets.back();
  chain.ended = newest.validation == ChainValidation::fail && newest.seal.is_well_formed();
  if (chain.ended) note(chain, "the last sealer found the chain broken");
  for (const ArcSet& set : chain.sets) {
    if (const std::string_view problem = problem_of(set); !problem.empty()) note(chain, problem);
  }
  return chain;
}

void append_arc_field(std::string& out, const mail::HeaderField& field) {
  append_canonical(out, field, Canonicalization::relaxed);
}

std::string seal_input(const std::vector<ArcSet>& sets, std::size_t of, std::string& prefix) {
  const ArcSet& set = sets[of];
  append_arc_field(prefix, *set.results_field);
  append_arc_field(prefix, *set.message_field);
  std::string input = prefix;
  append_own_field(input, *set.seal_field, set.seal.raw_value, Canonicalization::relaxed);
  append_arc_field(prefix, *set.seal_field);
  return input;
}

}  // namespace sallyport::signature
