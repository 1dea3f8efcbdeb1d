// Every key of the configuration, once: what it is called, what it may be, what it means and where it is kept.
//
// The loader, `check`, `config explain`, `config show` and the JSON Schema all read this table and cannot drift apart.
// To add a key: its field in a settings struct, its row here, its line in packaging/sallyport.toml.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/field.h"
#include "gateway/config/value.h"

namespace sallyport::config {

// When a changed value takes effect after a reload.
enum class Reload : std::uint8_t {
  live,             // at once
  new_connections,  // for connections accepted from then on; running sessions keep what they started with
  restart,          // at the next start of the program
};

struct Key {
  // Segments joined by dots: "limits.hops". "*" stands for any name ("upstreams.*.servers"), "[]" for each entry of an
  // array of tables ("listen[].address").
  std::string_view path;
  Type type;
  // As the value would be written, texts without their quotes. Without a default the key must be given in each table
  // that has it; at the top, always.
  std::optional<std::string_view> by_default;
  std::string_view least;
  std::string_view most;
  Reload reload;
  Field field;
  std::string_view doc;                          // one sentence
  std::span<const std::string_view> words = {};  // of Type::word when the field is no enumeration
  std::uint16_t port = 0;                        // see Shape
  std::string_view falls_back_to = {};           // the key whose value counts when this one is not given
  std::string_view stands_for = {};              // sugar: the key, of the instance "default", that this one sets

  Shape shape() const;
  // The default as TOML.
  std::string default_toml() const;
};

const std::vector<Key>& settings_table();

// What the names behind a "*" may be.
enum class NameRule : std::uint8_t { identifier, domain, domain_or_wildcard };

// A place where names are free ("upstreams.*") or tables are counted ("listen[]").
struct Collection {
  std::string_view path;
  NameRule names;
  std::string_view doc;
};

std::span<const Collection> collections();

// "live", "new connections", "restart".
std::string_view name(Reload reload);

}  // namespace sallyport::config
