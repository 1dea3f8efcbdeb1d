#include "gateway/mime/builder.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "gateway/base/charset.h"
#include "gateway/mime/mismatch.h"
#include "gateway/mime/text_charset.h"

namespace sallyport::mime {

namespace {

std::size_t octets_of(const Part& part) {
  std::size_t octets = sizeof(Part);
  for (const std::string* text : {&part.declared_type, &part.charset}) {
    if (text->size() > 15) octets += text->size() + 1;
  }
  for (const Name& name : part.names) octets += sizeof(Name) + (name.text.size() > 15 ? name.text.size() + 1 : 0);
  return octets;
}

bool is_base64(Coding coding) { return coding >= Coding::base64 && coding <= Coding::base64_from_line_2; }

// The other ways to take base64 in which these faults make a difference.
std::vector<Coding> other_base64(const CodingFaults& faults, bool begins_with_word) {
  std::vector<Coding> codings;
  if (faults.padding_inside) {
    codings = {Coding::base64_to_padding, Coding::base64_zero_padding, Coding::base64_no_padding,
               Coding::base64_padded_groups};
  }
  if (faults.padding_inside || faults.uneven_lines) {
    codings.push_back(Coding::base64_by_line);
    codings.push_back(Coding::base64_by_group);
  }
  if (faults.junk) codings.push_back(Coding::base64_to_junk);
  if (faults.url_digits) codings.push_back(Coding::base64_url);
  if (faults.odd_first_line || begins_with_word) codings.push_back(Coding::base64_from_line_2);
  return codings;
}

bool is_cms_type(std::string_view type) {
  return type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

// The last arcs of the content type that a CMS structure names: PKCS #7's, or those of S/MIME.
std::string_view cms_arcs(std::string_view head) {
  constexpr std::string_view pkcs = "\x2a\x86\x48\x86\xf7\x0d\x01";
  const std::size_t at = head.substr(0, 32).find(pkcs);
  return at == std::string_view::npos ? std::string_view() : head.substr(at + pkcs.size(), 5);
}

bool has_extension(const Part& part, std::initializer_list<std::string_view> wanted) {
  const std::vector<std::string> extensions = extensions_of(part.names);
  return std::any_of(extensions.begin(), extensions.end(), [&wanted](const std::string& one) {
    return std::find(wanted.begin(), wanted.end(), one) != wanted.end();
  });
}

bool has_message_name(const Part& part) { return has_extension(part, {"eml", "mht", "mhtml", "nws"}); }

bool has_cms_name(const Part& part) { return has_extension(part, {"p7m", "p7z", "p7c"}); }

// Whether both are of the same octets, whatever their codings.
bool is_of_same_octets(const Part& one, const Part& other) {
  return !one.is_container && one.source == other.source && one.begin == other.begin && one.end == other.end;
}

}  // namespace

bool scans_text(std::string_view type, Coding coding) {
  if (coding == Coding::signed_cms || coding == Coding::compressed_cms) return false;  // an entity, which is split
  if (type.empty() || type.starts_with("text/") || type.starts_with("message/") || is_multipart_type(type)) return true;
  return !is_base64(coding);
}

std::optional<PartIndex> Builder::add(Part part) {
  if (is_over()) return std::nullopt;
  if (part.depth > limits_.depth) {
    fail(Unscannable::depth);
    return std::nullopt;
  }
  if (tree_.parts.size() >= limits_.parts) {
    fail(Unscannable::parts);
    return std::nullopt;
  }
  octets_ += octets_of(part);
  if (octets_ > limits_.tree_octets) {
    fail(Unscannable::memory);
    return std::nullopt;
  }
  if (has_deceptive_name(part)) part.oddities.add(Oddity::deceptive_name);
  tree_.parts.push_back(std::move(part));
  return static_cast<PartIndex>(tree_.parts.size() - 1);
}

void Builder::take_back() {
  octets_ -= octets_of(tree_.parts.back());
  tree_.parts.pop_back();
}

void Builder::want(Job job) {
  const std::uint64_t how = (job.options.is_loose ? 1U : 0U) | (job.options.ends_header_early ? 2U : 0U) |
                            (job.options.boundary ? 4U : 0U) | (job.source ? 8U : 0U);
  const PartIndex where = job.kind == Job::Kind::split ? job.source.value_or(the_message) : job.part;
  JobKey key{static_cast<int>(job.kind), where, job.begin, job.end, how, job.options.boundary.value_or("")};
  if (!known_jobs_.insert(std::move(key)).second) return;
  if (known_jobs_.size() > max_jobs) return fail(Unscannable::work);
  jobs_.push_back(std::move(job));
}

std::optional<Job> Builder::next_job() {
  if (jobs_.empty() || is_over()) return std::nullopt;
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

bool Builder::is_another_reading(PartIndex index) const {
  const Part& part = tree_.parts[index];
  return std::any_of(tree_.parts.begin(), tree_.parts.end(), [&part](const Part& one) {
    return &one != &part && is_of_same_octets(one, part) && one.coding != part.coding;
  });
}

bool Builder::is_known(const Part& part) const {
  return std::any_of(tree_.parts.begin(), tree_.parts.end(), [&part](const Part& one) {
    return &one != &part && is_of_same_octets(one, part) && one.coding == part.coding;
  });
}

void Builder::leaf_ended(PartIndex index, const LeafScan& scan, const ContentFields& fields) {
  Part& leaf = part(index);
  if (scan.raw().has_nul && leaf.coding != Coding::yenc) leaf.oddities.add(Oddity::nul);
  if (scan.faults().any()) {
    const bool is_qp = leaf.coding == Coding::quoted_printable;
    const bool is_rtf = leaf.coding == Coding::compressed_rtf;
    leaf.oddities.add(is_base64(leaf.coding) ? Oddity::bad_base64
                      : is_qp                ? Oddity::bad_quoted_printable
                      : is_rtf               ? Oddity::truncated
                                             : Oddity::bad_uuencode);
  }
  if (!leaf.charset.empty() && is_text(leaf) && !is_known_charset(leaf.charset))
    leaf.oddities.add(Oddity::unknown_charset);
  if (is_mismatch(leaf)) leaf.oddities.add(Oddity::type_mismatch);
  want_other_codings(index, scan, fields);

  const std::string_view type = leaf.declared_type;
  const std::uint64_t size = leaf.size;
  const bool is_alternate = leaf.is_alternate;
  if (is_message_type(type) && size > 0) {
    // An attached message that was encoded, or one whose encoding is a lie.
    leaf.is_container = true;
    Job job{.kind = Job::Kind::split,
            .part = index,
            .source = index,
            .begin = 0,
            .end = size,
            .is_alternate = is_alternate};
    want(job);
    if (scan.raw().begins_with_field && leaf.coding != Coding::identity) {
      leaf.oddities.add(Oddity::encoding_mismatch);
      want({.kind = Job::Kind::split,
            .part = index,
            .source = leaf.source,
            .begin = leaf.begin,
            .end = leaf.end,
            .is_alternate = true});
    }
  }
  // A message that was attached as a file.
  const bool is_file_of_message = leaf.real_types.has(FileType::message) && !type.starts_with("message/") &&
                                  !is_alternate && (!is_text(leaf) || has_message_name(leaf));
  if (is_file_of_message) want({.kind = Job::Kind::split, .part = index, .source = index, .begin = 0, .end = size});
  if (leaf.real_types.has(FileType::tnef)) want({.kind = Job::Kind::tnef, .part = index, .is_alternate = is_alternate});
  if (is_cms_type(type) || leaf.real_types.has(FileType::cms)) {
    const std::string_view arcs = cms_arcs(scan.head());
    if (arcs.starts_with("\x07\x03") || arcs.starts_with("\x07\x06") || arcs == "\x09\x10\x01\x17" ||
        fields.smime_type.starts_with("enveloped") || fields.smime_type.starts_with("authenveloped"))
      leaf.is_encrypted = true;
    // By type or, whatever the type is, by name (RFC 8551, 3.9), but for signatures that stand beside their content.
    const bool is_entity = is_cms_type(type) || has_cms_name(leaf);
    Job job{.kind = Job::Kind::cms, .part = index, .is_alternate = is_alternate};
    job.is_optional = !is_cms_type(type) || fields.smime_type == "certs-only";
    if (arcs.starts_with("\x07\x02")) job.codings = {Coding::signed_cms};
    if (arcs.starts_with("\x09\x10\x01\x09")) job.codings = {Coding::compressed_cms};
    if (is_entity && !job.codings.empty()) want(std::move(job));
  }
  if (type == "application/pgp-encrypted") leaf.is_encrypted = true;
  want_other_charsets(index, scan, fields);
  if (!is_message_type(type)) want_hidden(index, scan.text());  // adds parts, which moves all of them
}

void Builder::want_other_charsets(PartIndex index, const LeafScan& scan, const ContentFields& fields) {
  const Part& leaf = part(index);
  if (leaf.size == 0 || !(is_text(leaf) || is_html(leaf))) return;
  std::vector<std::string> declared = fields.charsets;
  if (declared.empty() && !leaf.charset.empty()) declared.push_back(leaf.charset);
  std::vector<std::string> others = other_charsets(scan.head(), declared, is_html(leaf));
  if (!others.empty()) want({.kind = Job::Kind::charsets, .part = index, .charsets = std::move(others)});
}

void Builder::want_other_codings(PartIndex index, const LeafScan& scan, const ContentFields& fields) {
  Part& leaf = part(index);
  std::vector<Coding> codings;
  const CodingFaults& faults = scan.faults();
  if (leaf.coding == Coding::base64)
    codings = other_base64(faults, fields.oddities.has(Oddity::unknown_encoding) && faults.junk);
  if (leaf.coding == Coding::quoted_printable && faults.bad_escape) {
    codings = {Coding::quoted_printable_dropping, Coding::quoted_printable_skipping};
  } else if (leaf.coding == Coding::quoted_printable && faults.lower_case && fields.oddities.empty() &&
             !is_text(leaf)) {
    codings = {Coding::quoted_printable_skipping};
  }
  for (Coding coding : fields.codings) {
    if (coding != leaf.coding && coding != Coding::identity) codings.push_back(coding);
  }
  // Some readers decode nothing of what is told as a list, and show text that is evidently no base64 as it is.
  const bool is_unclear = fields.oddities.has_any(Oddities(Oddity::unknown_encoding) | Oddity::conflicting_encoding);
  const bool is_no_base64 = leaf.coding == Coding::base64 && faults.junk && is_text(leaf);
  if (leaf.coding != Coding::identity && !leaf.is_alternate && (is_unclear || is_no_base64))
    codings.push_back(Coding::identity);
  if (leaf.coding == Coding::identity && is_unclear && fields.codings.empty()) {
    if (scan.begins_as_base64()) codings.push_back(Coding::base64);
    codings.push_back(Coding::quoted_printable);
  }
  const bool is_plain = leaf.coding == Coding::identity || leaf.coding == Coding::quoted_printable;
  // What was decoded before, and is now read as it stands, is not decoded once more.
  const bool is_undecoded = leaf.is_alternate && leaf.coding == Coding::identity && is_another_reading(index);
  const bool is_like_base64 = !is_undecoded && scan.raw().base64_lines >= (is_text(leaf) ? 3U : 1U);
  if (is_plain && is_like_base64 && !leaf.real_types.has(FileType::pem) && !leaf.real_types.has(FileType::pgp)) {
    leaf.oddities.add(Oddity::encoding_mismatch);
    if (std::find(codings.begin(), codings.end(), Coding::base64) == codings.end()) codings.push_back(Coding::base64);
  }
  const bool is_cms_as_text =
      is_plain && leaf.real_types.has(FileType::pem) && (is_cms_type(leaf.declared_type) || has_cms_name(leaf));
  if (is_cms_as_text) codings.push_back(Coding::base64_from_line_2);
  if (codings.empty() || leaf.begin == leaf.end) return;
  // What other readers get is for each of them what it is; it is read once for all.
  want({.kind = Job::Kind::redecode, .part = index, .is_alternate = true, .codings = std::move(codings)});
}

void Builder::want_hidden(PartIndex index, const TextFindings& found) {
  for (const EmbeddedFile& file : found.files) {
    Part embedded;
    embedded.parent = index;
    embedded.depth = static_cast<std::uint8_t>(part(index).depth + 1);
    embedded.origin = Origin::embedded;
    embedded.is_alternate = part(index).is_alternate;
    embedded.source = index;
    embedded.header_begin = embedded.begin = file.begin;
    embedded.end = file.end;
    embedded.coding = file.coding;
    embedded.is_attachment = true;
    if (!file.name.empty()) embedded.names.push_back({to_name_text(file.name), NameSource::uuencode});
    if (const auto added = add(std::move(embedded))) {
      part(index).oddities.add(Oddity::hidden_content);
      want({.kind = Job::Kind::digest, .part = *added});
    }
  }
  const std::uint64_t size = part(index).size;
  if (found.structure) {
    part(index).oddities.add(Oddity::undeclared_structure);
    Job job{.kind = Job::Kind::split,
            .part = index,
            .source = index,
            .begin = found.structure->begin,
            .end = size,
            .is_alternate = true};
    job.options.boundary = found.structure->boundary;
    job.options.is_loose = true;
    want(std::move(job));
  }
  // Not again for what another reading has made of it, or each reading would lead to the next.
  if (found.begins_with_fields && !part(index).is_alternate && !is_message_type(part(index).declared_type)) {
    part(index).oddities.add(Oddity::undeclared_structure);
    want({.kind = Job::Kind::split, .part = index, .source = index, .begin = 0, .end = size, .is_alternate = true});
  }
}

}  // namespace sallyport::mime
