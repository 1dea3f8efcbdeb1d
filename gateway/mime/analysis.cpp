#include "gateway/mime/analysis.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/mime/builder.h"
#include "gateway/mime/raw_reader.h"
#include "gateway/mime/splitter.h"
#include "gateway/mime/tnef.h"

namespace sallyport::mime {

namespace {

struct MailHeader {
  ContentFields fields;
  bool has_odd_line =
      false;  // one that is no field, or empty with others behind it: some readers end the section there
  bool is_over_limit = false;
};

MailHeader read_header(std::string_view octets) {
  MailHeader header;
  HeaderReader reader;
  bool was_empty = false;
  while (!octets.empty()) {
    const std::size_t end = std::min(octets.find('\n'), octets.size() - 1);
    std::string_view line = octets.substr(0, end + 1);
    octets.remove_prefix(end + 1);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    header.has_odd_line |= was_empty;
    was_empty = line.empty();
    if (!was_empty) header.has_odd_line |= reader.take(line) != HeaderReader::Line::field;
  }
  header.is_over_limit = reader.is_over_limit();
  header.fields = reader.finish();
  header.is_over_limit |= header.fields.is_over_limit;
  return header;
}

// A job under way: what it reads, and who takes that.
class Running {
 public:
  Running(Builder& builder, Job job, const mail::Message& message)
      : builder_(builder), job_(std::move(job)), reader_(open(message)) {
    switch (job_.kind) {
      case Job::Kind::digest:
        scans_.push_back(std::make_unique<LeafScan>(part().coding, scans_text(part().declared_type, part().coding)));
        break;
      case Job::Kind::redecode:
        for (Coding coding : job_.codings)
          scans_.push_back(std::make_unique<LeafScan>(coding, scans_text(part().declared_type, coding)));
        break;
      case Job::Kind::split:
        splitter_.emplace(builder_, Splitter::Place{job_.part, job_.source, job_.begin, job_.is_alternate, job_.origin},
                          job_.options);
        break;
      case Job::Kind::tnef:
        tnef_.emplace();
        break;
      case Job::Kind::charsets:
      case Job::Kind::cms:
        break;
    }
  }

  // Reads about `most` octets; how many they were. Zero: the job is done.
  std::uint64_t step(std::uint64_t most) {
    std::uint64_t count = 0;
    while (count < most) {
      auto piece = reader_.next();
      if (!piece) {
        builder_.fail(Unscannable::storage);
        return 0;
      }
      if (piece->empty() || builder_.is_over()) {
        finish();
        return 0;
      }
      count += piece->size();
      for (auto& scan : scans_) {
        const std::uint64_t before = scan->octets();
        scan->feed(*piece);
        // What is inflated is work, too: a fourth of what reading it again will be.
        const std::uint64_t decoded = scan->octets() - before;
        count += (decoded - std::min<std::uint64_t>(decoded, piece->size())) / 4;
      }
      if (splitter_) splitter_->feed(*piece);
      if (tnef_) tnef_->feed(*piece);
    }
    return std::max<std::uint64_t>(count * std::max<std::size_t>(scans_.size(), 1), 1);
  }

 private:
  Part& part() { return builder_.part(job_.part); }

  RawReader open(const mail::Message& message) const {
    const Part& about = builder_.tree().parts[job_.part];
    switch (job_.kind) {
      case Job::Kind::digest:
      case Job::Kind::redecode:
        return {message, builder_.tree(), about.source, about.begin, about.end};
      case Job::Kind::tnef:
        return {message, builder_.tree(), job_.part, 0, about.size};
      case Job::Kind::split:
        return {message, builder_.tree(), job_.source, job_.begin, job_.end};
      case Job::Kind::charsets:
      case Job::Kind::cms:
        break;
    }
    return {message, builder_.tree(), job_.part, 0, 0};
  }

  void finish() {
    if (builder_.is_over()) return;
    switch (job_.kind) {
      case Job::Kind::digest:
        scans_.front()->end(part());
        builder_.leaf_ended(job_.part, *scans_.front(), {});
        if (part().coding == Coding::signed_cms || part().coding == Coding::compressed_cms) cms_content_ended();
        break;
      case Job::Kind::redecode:
        add_other_codings();
        break;
      case Job::Kind::split:
        splitter_->end();
        break;
      case Job::Kind::tnef:
        add_tnef_files();
        break;
      case Job::Kind::charsets:
        add_other_charsets();
        break;
      case Job::Kind::cms:
        add_cms_content();
        break;
    }
  }

  void add_other_codings() {
    std::vector<Sha256> known{part().sha256};
    for (std::size_t i = 0; i < scans_.size(); ++i) {
      Part other = part();
      other.coding = job_.codings[i];
      other.is_alternate = true;
      other.oddities = {};
      scans_[i]->end(other);
      if (other.size == 0 || std::find(known.begin(), known.end(), other.sha256) != known.end()) continue;
      known.push_back(other.sha256);
      const auto index = builder_.add(std::move(other));
      if (!index) return;
      builder_.leaf_ended(*index, *scans_[i], {});
    }
  }

  void add_other_charsets() {
    for (std::string& charset : job_.charsets) {
      Part other = part();
      other.charset = std::move(charset);
      other.is_other_charset = true;
      other.is_alternate = true;
      other.names.clear();
      other.oddities = {};
      if (!builder_.add(std::move(other))) return;
    }
  }

  // A part whose content is a range of this part's.
  Part inner(Origin origin, std::uint64_t begin, std::uint64_t end) {
    Part inner;
    inner.parent = job_.part;
    inner.depth = static_cast<std::uint8_t>(part().depth + 1);
    inner.origin = origin;
    inner.is_alternate = job_.is_alternate;
    inner.source = job_.part;
    inner.header_begin = inner.begin = begin;
    inner.end = end;
    return inner;
  }

  void add_tnef_files() {
    tnef_->end();
    if (tnef_->is_broken()) {
      part().oddities.add(Oddity::truncated);
      builder_.fail(Unscannable::tnef);
      return;
    }
    for (const TnefFile& file : tnef_->files()) {
      Part added = inner(Origin::tnef, file.begin, file.end);
      added.is_attachment = file.body == TnefBody::none;
      if (file.body != TnefBody::none) added.declared_type = type_of(file.body);
      if (file.body == TnefBody::wide_text || file.body == TnefBody::wide_html) added.charset = "utf-16le";
      if (file.body == TnefBody::rtf) added.coding = Coding::compressed_rtf;
      for (const std::string& name : file.names) added.names.push_back({name, NameSource::tnef});
      if (added.names.size() > 1) added.oddities.add(Oddity::conflicting_name);
      const auto index = builder_.add(std::move(added));
      if (!index) return;
      builder_.want({.kind = Job::Kind::digest, .part = *index});
    }
  }

  static std::string_view type_of(TnefBody body) {
    switch (body) {
      case TnefBody::html:
      case TnefBody::wide_html:
        return "text/html";
      case TnefBody::rtf:
        return "text/rtf";
      case TnefBody::text:
      case TnefBody::wide_text:
      case TnefBody::none:
        break;
    }
    return "text/plain";
  }

  void add_cms_content() {
    const Coding coding = job_.codings.front();
    Part added =
        inner(coding == Coding::signed_cms ? Origin::signed_content : Origin::compressed_content, 0, part().size);
    added.coding = coding;
    const auto index = builder_.add(std::move(added));
    if (index) builder_.want({.kind = Job::Kind::digest, .part = *index, .is_optional = job_.is_optional});
  }

  // What is signed or compressed is an entity of MIME.
  void cms_content_ended() {
    if (job_.is_optional && part().size == 0) {
      if (job_.part + 1 == builder_.tree().parts.size()) builder_.take_back();
      return;
    }
    if (scans_.front()->faults().incomplete || scans_.front()->faults().junk || part().size == 0)
      return builder_.fail(Unscannable::smime);
    builder_.want({.kind = Job::Kind::split,
                   .part = job_.part,
                   .source = job_.part,
                   .begin = 0,
                   .end = part().size,
                   .is_alternate = part().is_alternate});
    part().is_container = true;
  }

  Builder& builder_;
  Job job_;
  RawReader reader_;
  std::vector<std::unique_ptr<LeafScan>> scans_;
  std::optional<Splitter> splitter_;
  std::optional<TnefScan> tnef_;
};

}  // namespace

struct Analysis::State {
  explicit State(const Limits& limits) : builder(limits) {}

  Builder builder;
  std::optional<Splitter> body;
  std::uint64_t octets = 0;
  std::uint64_t reread = 0;
  std::optional<Job> next;
  std::optional<Running> running;
};

Analysis::Analysis(std::string_view header, const Limits& limits) : state_(std::make_unique<State>(limits)) {
  MailHeader read = read_header(header);
  state_->octets = header.size();
  state_->body.emplace(state_->builder, std::move(read.fields), header.size(), read.has_odd_line);
  if (read.is_over_limit) state_->builder.fail(Unscannable::header);
}
Analysis::Analysis(Analysis&&) noexcept = default;
Analysis& Analysis::operator=(Analysis&&) noexcept = default;
Analysis::~Analysis() = default;

void Analysis::feed(std::string_view octets) {
  state_->octets += octets.size();
  state_->body->feed(octets);
}

void Analysis::end() {
  State& state = *state_;
  state.body->end();
  state.body.reset();
  if (!state.builder.tree().parts.empty()) {
    Part& message = state.builder.part(the_message);
    message.end = state.octets;
    if (message.is_container) message.size = message.end - message.begin;
  }
  state.next = state.builder.next_job();
}

bool Analysis::has_more() const { return (state_->running || state_->next) && !state_->builder.is_over(); }

void Analysis::step(const mail::Message& message, std::uint64_t most) {
  State& state = *state_;
  const Limits& limits = state.builder.limits();
  std::uint64_t count = 0;
  while (count < most && has_more()) {
    if (!state.running)
      state.running.emplace(state.builder, std::move(*std::exchange(state.next, std::nullopt)), message);
    const std::uint64_t read = state.running->step(most - count);
    count += std::max<std::uint64_t>(read, 1);
    state.reread += read;
    if (state.reread > std::max(limits.least_rereading, limits.rereadings * state.octets))
      state.builder.fail(Unscannable::work);
    if (read > 0) continue;
    state.running.reset();
    state.next = state.builder.next_job();
  }
}

Tree Analysis::take() {
  State& state = *state_;
  if (has_more()) state.builder.fail(Unscannable::work);
  Tree tree = std::move(state.builder.tree());
  for (const Part& part : tree.parts) tree.oddities.add(part.oddities);
  return tree;
}

Tree read_tree(const mail::Message& message, const Limits& limits) {
  Analysis analysis(message.header_octets(), limits);
  mail::Message::BodyPieces pieces = message.body();
  while (true) {
    auto piece = pieces.next();
    if (!piece) {
      Tree tree = analysis.take();
      tree.unscannable = Unscannable::storage;
      return tree;
    }
    if (piece->empty()) break;
    analysis.feed(*piece);
  }
  analysis.end();
  while (analysis.has_more()) analysis.step(message, std::uint64_t{1} << 20);
  return analysis.take();
}

}  // namespace sallyport::mime
