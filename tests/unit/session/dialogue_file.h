// A dialogue file: what a client says, what it hears, and what the upstream sees of it; written for people, run by the
// tests. The words it is written in are listed in tests/dialogues/README.md.
//
// One file is played in many manners (in the clear and over TLS, whole and in pieces, with bare line ends mended and
// refused), and has to go the same way each time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace sallyport::session {

struct Manner {
  enum class Pieces {
    whole,           // what the file says together arrives together
    octet_by_octet,  // over TLS each octet is a record, and the record's octets arrive one at a time too
    cut_in_two,      // each segment is cut at `cut_at`, as far as it is longer
  };
  Pieces pieces = Pieces::whole;
  std::size_t cut_at = 0;
  bool over_tls = false;
  bool rejects_bare_newlines = false;  // unless the file says what it wants

  // "over TLS, cut at 17, rejecting bare line ends": for a failure's message.
  std::string to_string() const;
};

class Dialogue {
 public:
  explicit Dialogue(const std::filesystem::path& file);

  // What is not as it should be: "file:line: what (manner)"; empty when all is well.
  std::string run(const Manner& manner) const;

  // The dialogue lives by what arrives together: not to be cut.
  bool is_whole_only() const { return whole_only_; }
  // It is about what comes before TLS or instead of it.
  bool is_plain_only() const { return plain_only_; }
  bool names_bare_newline() const { return names_bare_newline_; }
  // The most octets that the client sends in one go.
  std::size_t longest_segment() const { return longest_segment_; }

 private:
  std::string name_;
  std::vector<std::string> lines_;
  bool whole_only_ = false;
  bool plain_only_ = false;
  bool names_bare_newline_ = false;
  std::size_t longest_segment_ = 0;
};

}  // namespace sallyport::session
