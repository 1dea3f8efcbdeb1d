// Changes: what a milter wants to have changed of a message, collected until its end, and how header fields change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sallyport::milter {

// One field: its name, and its value with the blank behind the colon and CRLF between its lines, without the last one.
struct HeaderField {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderField&, const HeaderField&) = default;
};

// In the order in which the milter has asked for them, which matters: each sees what those before have done.
struct HeaderChange {
  enum class Kind : std::uint8_t { append, insert, change };
  Kind kind = Kind::append;
  // insert: before the field of this number from 0 on, at the end when there are fewer; change: the number among the
  // fields of that name, from 1 on (0 is taken for 1).
  std::uint32_t index = 0;
  HeaderField field;
  bool removes = false;  // of change
};

struct EnvelopeRcpt {
  std::string path;
  std::string parameters;
  friend bool operator==(const EnvelopeRcpt&, const EnvelopeRcpt&) = default;
};

struct Changes {
  std::vector<HeaderChange> header;
  std::optional<std::string> body;  // all of it
  std::vector<EnvelopeRcpt> added_rcpts;
  std::vector<std::string> deleted_rcpts;
  std::optional<EnvelopeRcpt> sender;
  std::optional<std::string> quarantine;  // the reason

  bool is_empty() const {
    return header.empty() && !body && added_rcpts.empty() && deleted_rcpts.empty() && !sender && !quarantine;
  }
};

// Does the changes to the fields, which stand in their order from the top. A change of a field that is not there adds
// it at the end, unless it removes.
void apply_changes(const std::vector<HeaderChange>& changes, std::vector<HeaderField>& fields);

}  // namespace sallyport::milter
