#include "gateway/tls/settings.h"

#include <array>
#include <utility>

namespace sallyport::tls {

namespace {

using settings::element;
using settings::Form;
using settings::Member;
using settings::Node;
using settings::quote;
using settings::Reading;
using settings::row;
using Certificates = std::vector<CertificateFiles>;

constexpr std::array<std::string_view, 2> versions{"1.2", "1.3"};

bool is_file_name(const Node& node) { return node.kind == Node::Kind::text && settings::is_plain_text(node.text); }

bool read_pair(const Node& node, const Reading& reading, Certificates& files) {
  CertificateFiles pair;
  bool good = true;
  for (const Member& member : node.members) {
    std::string* file = member.key == "chain" ? &pair.chain : member.key == "key" ? &pair.key : nullptr;
    if (file == nullptr) {
      reading.errors.push_back(
          {member.at, "unknown key " + quote(member.key) + ": a certificate has \"chain\" and \"key\""});
      good = false;
    } else if (!is_file_name(member.value)) {
      good =
          reading.fail(member.value, "expected a file name, not " + std::string(settings::describe(member.value.kind)));
    } else {
      *file = reading.resolve(member.value.text);
    }
  }
  if (good && (pair.chain.empty() || pair.key.empty()))
    good = reading.fail(
        node, std::string("a certificate needs both files: ") + (pair.chain.empty() ? "chain" : "key") + " is missing");
  if (good) files.push_back(std::move(pair));
  return good;
}

// A directory, or a table with the two files.
bool read_certificate(const Node& node, const Reading& reading, Certificates& files) {
  if (is_file_name(node)) {
    const std::string directory = reading.resolve(node.text);
    files.push_back({directory + "/fullchain.pem", directory + "/privkey.pem"});
    return true;
  }
  if (node.kind != Node::Kind::table) return reading.mismatch(node);
  return read_pair(node, reading, files);
}

bool read_certificates(const Node& node, const Reading& reading, void* value) {
  Certificates files;
  bool good = true;
  if (node.kind == Node::Kind::array) {
    for (const Node& item : node.items) good = read_certificate(item, reading, files) && good;
  } else {
    good = read_certificate(node, reading, files);
  }
  return good && settings::give(std::move(files), value);
}

std::string certificates_to_toml(const void* value) {
  std::string text = "[";
  for (const CertificateFiles& files : *static_cast<const Certificates*>(value)) {
    if (text.size() > 1) text += ", ";
    text += "{ chain = " + quote(files.chain) + ", key = " + quote(files.key) + " }";
  }
  return text + "]";
}

#define ONE_CERTIFICATE                                                                                   \
  R"({"type": "string", "minLength": 1}, {"type": "object", "properties": {"chain": {"type": "string"},)" \
  R"( "key": {"type": "string"}}, "required": ["chain", "key"], "additionalProperties": false})"

constexpr settings::TypeOf<Certificates> certificates{
    {"certificates",
     Form::other,
     "a directory with fullchain.pem and privkey.pem, { chain = \"...\", key = \"...\" }, or an array of these",
     {},
     R"({"oneOf": [)" ONE_CERTIFICATE R"(, {"type": "array", "items": {"oneOf": [)" ONE_CERTIFICATE "]}}]}",
     read_certificates,
     certificates_to_toml}};

constexpr settings::Row rows[] = {
    row<&ServerTlsSettings::certificates>(
        "cert", certificates,
        "The certificate for clients, or several with different kinds of keys; without one STARTTLS is not offered."),
    row<&ServerTlsSettings::min_version>("min_version", settings::one_of<versions>,
                                         "The oldest version of TLS that clients may use."),
    row<&ServerTlsSettings::sni, element>("sni.*.cert", certificates,
                                          "The certificate for clients that ask for this name.", {.required = true}),
};

constexpr settings::Collection collections[] = {
    {"sni.*", settings::NameRule::domain_or_wildcard, "A certificate by the name that clients ask for."},
};

}  // namespace

constinit const settings::SectionOf<ServerTlsSettings> server_tls_section{"tls", rows, collections};

}  // namespace sallyport::tls
