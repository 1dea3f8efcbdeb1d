// Builder: the tree while it grows, its bounds, and the list of what is to be read again (see analysis.h).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/mime/content_fields.h"
#include "gateway/mime/leaf_scan.h"
#include "gateway/mime/limits.h"
#include "gateway/mime/tree.h"

namespace sallyport::mime {

// How a splitter reads.
struct SplitOptions {
  // Not empty: what is read is the content of a multipart with this boundary. Empty: an entity, header section first.
  std::optional<std::string> boundary;
  bool is_loose = false;           // a line that begins like a delimiter is one, whatever follows or stands before it
  bool ends_header_early = false;  // a header section ends at its first line that is no field
};

// Something to be read again.
struct Job {
  enum class Kind : std::uint8_t {
    digest,    // the content of `part`
    split,     // a range, for parts below `part`
    redecode,  // the content of `part`, with other codings
    tnef,      // the files in `part`
    charsets,  // `part` in `charsets` as well; nothing is read
    cms,       // the content that is signed or compressed in `part`; `codings` has which
  };
  Kind kind = Kind::digest;
  PartIndex part = the_message;
  std::optional<PartIndex> source = {};  // of a range
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  SplitOptions options = {};
  Origin origin = Origin::attached;  // of the entity that a range is
  bool is_alternate = false;         // what is found is another reading
  bool is_optional = false;          // of CMS: without content it is nothing, and not unscannable
  std::vector<Coding> codings = {};
  std::vector<std::string> charsets = {};
};

class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  const Limits& limits() const { return limits_; }
  Tree& tree() { return tree_; }
  const Tree& tree() const { return tree_; }
  Part& part(PartIndex index) { return tree_.parts[index]; }

  // Notes that not all parts can be read. Nothing is added from now on.
  void fail(Unscannable reason) {
    if (tree_.unscannable == Unscannable::no) tree_.unscannable = reason;
  }
  bool is_over() const { return tree_.unscannable != Unscannable::no; }

  // Adds a part. Nothing when a limit has been met.
  std::optional<PartIndex> add(Part part);
  // Takes back the part that was added last.
  void take_back();

  // Adds a job, unless the same was added before.
  void want(Job job);
  std::optional<Job> next_job();

  // The end of a leaf: notes what was odd about its content, and what is to be read again. `fields` are those of its
  // entity; empty for what has none.
  void leaf_ended(PartIndex index, const LeafScan& scan, const ContentFields& fields);

  // Of the content of one more short text.
  std::size_t room_for_content() const { return max_kept_octets - kept_octets_; }
  // `octets` of content are kept: no more than there was room for.
  void note_kept(std::size_t octets) { kept_octets_ += octets; }

  // True if another part holds the same octets, decoded in the same way.
  bool is_known(const Part& part) const;

 private:
  // Whether another part is of the same octets, decoded in another way.
  bool is_another_reading(PartIndex index) const;
  void want_other_charsets(PartIndex index, const LeafScan& scan, const ContentFields& fields);
  void want_other_codings(PartIndex index, const LeafScan& scan, const ContentFields& fields);
  void want_hidden(PartIndex index, const TextFindings& found);

  using JobKey = std::tuple<int, PartIndex, std::uint64_t, std::uint64_t, std::uint64_t, std::string>;
  static constexpr std::size_t max_jobs = 256;

  Limits limits_;
  Tree tree_;
  std::size_t octets_ = 0;
  std::size_t kept_octets_ = 0;
  std::deque<Job> jobs_;
  std::set<JobKey> known_jobs_;
};

// Whether content of this type and coding is searched for what hides in text.
bool scans_text(std::string_view type, Coding coding);

}  // namespace sallyport::mime
