// A dialogue file: what a client sends, what it receives, and what the upstream sees of it; people read it and the
// tests run it. tests/dialogues/README.md lists its commands.
//
// Each file is played in several manners (in the clear and over TLS, whole and in pieces, with bare line ends
// normalized and rejected), and must give the same result each time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace sallyport::session {

struct Manner {
  enum class Pieces {
    whole,           // lines that follow each other in the file arrive together
    octet_by_octet,  // each octet alone; over TLS each octet is a record, and the record's octets arrive one at a time
    cut_in_two,      // each segment that is long enough is cut at `cut_at`
  };
  Pieces pieces = Pieces::whole;
  std::size_t cut_at = 0;
  bool over_tls = false;
  bool rejects_bare_newlines = false;  // unless the file sets bare_newline itself

  // For a failure's message: "over TLS, cut at 17, rejecting bare line ends".
  std::string to_string() const;
};

class Dialogue {
 public:
  explicit Dialogue(const std::filesystem::path& file);

  // Plays the file. Returns "file:line: what is wrong (manner)", or an empty text when all is as the file says.
  std::string run(const Manner& manner) const;

  // True if the dialogue depends on octets that arrive together, so that it must not be cut.
  bool is_whole_only() const { return whole_only_; }
  // True if the dialogue tests what comes before TLS or without it.
  bool is_plain_only() const { return plain_only_; }
  bool names_bare_newline() const { return names_bare_newline_; }
  // The largest number of octets that the client sends at once.
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
