// Section: the rows of one settings struct, with functions that make and copy the struct for code that does not know
// its type.
//
// A policy's section is defined in its own folder, beside the struct: `const SectionOf<SpfSettings> spf_section{...};`.
// Set keeps one struct of each section, and copies of a set share the structs: 200 tenants that each override one key
// of one policy need 200 structs of that section and one of every other.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/settings/row.h"

namespace sallyport::settings {

// The names that are allowed for a "*".
enum class NameRule : std::uint8_t { identifier, domain, domain_or_wildcard };

// A part of a path where names are chosen freely ("zones.*") or tables are counted ("listen[]").
struct Collection {
  std::string_view key;  // relative to the section
  NameRule names;
  std::string_view doc;
};

// What a section's own check may ask, and where it reports errors. Keys are relative to the section.
class Check {
 public:
  virtual ~Check() = default;
  // The full path as written in files: "policy.arc.seal", or "tenants.acme.policy.arc.seal" for a tenant's override.
  virtual std::string path(std::string_view key) const = 0;
  // True if the configuration has an upstream with that name. Also true when it has no upstream at all, which is
  // reported elsewhere.
  virtual bool has_upstream(std::string_view name) const = 0;
  // Adds an error at the position of the first of these keys that was given, else at the top of the file.
  virtual void fail(std::initializer_list<std::string_view> keys, std::string message) = 0;
};

struct Section {
  // The path below which its keys are: "policy.spf".
  std::string_view path;
  std::span<const Row> rows;
  std::span<const Collection> collections;
  std::shared_ptr<void> (*make)();  // all defaults
  std::shared_ptr<void> (*copy)(const void* settings);
  // Checks whether the values of the section fit each other, which the check of a single value cannot find. May be
  // null.
  void (*check)(const void* settings, Check& check);
};

// A Section whose struct's type is known.
template <class S>
struct SectionOf : Section {
  constexpr SectionOf(std::string_view path, std::span<const Row> rows, std::span<const Collection> collections = {},
                      void (*check)(const void* settings, Check& check) = nullptr)
      : Section{path,
                rows,
                collections,
                [] { return std::shared_ptr<void>(std::make_shared<S>()); },
                [](const void* settings) {
                  return std::shared_ptr<void>(std::make_shared<S>(*static_cast<const S*>(settings)));
                },
                check} {}
};

// CheckIt takes (const S&, Check&).
template <class S, auto CheckIt>
void check_with(const void* settings, Check& check) {
  CheckIt(*static_cast<const S*>(settings), check);
}

class Set {
 public:
  Set() = default;
  // All values are defaults. `sections` must live as long as the program.
  explicit Set(std::span<const Section* const> sections);

  bool is_empty() const { return slots_.empty(); }

  // `section` must be one of the set's.
  template <class S>
  const S& of(const SectionOf<S>& section) const {
    return *static_cast<const S*>(of(static_cast<const Section&>(section)));
  }
  const void* of(const Section& section) const;
  // Gives the struct to be changed; if it is shared with another set, this set gets its own copy first.
  template <class S>
  S& edit(const SectionOf<S>& section) {
    return *static_cast<S*>(edit(static_cast<const Section&>(section)));
  }
  void* edit(const Section& section);

 private:
  struct Slot {
    const Section* section;
    std::shared_ptr<void> settings;
  };
  std::vector<Slot> slots_;
};

}  // namespace sallyport::settings
