#include "gateway/mime/html.h"

#include <gumbo.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/mime/html_reading.h"
#include "gateway/mime/html_stripper.h"
#include "gateway/mime/plain_html.h"

namespace sallyport::mime {

namespace {

// gumbo's time and memory are not linear in its input: for each tag it searches the elements that are open, and it
// opens formatting elements again in each block. So the nesting of what it gets is bounded, and its memory as well.
constexpr std::size_t most_nesting = 400;
constexpr std::size_t arena_base = std::size_t{1} << 20;
constexpr std::size_t arena_factor = 24;

// All that gumbo allocates for one document, released at once: releasing its tree by itself would recurse as deep as
// the document is nested. When the memory is used up, gumbo is left by longjmp: it has no way to be told.
class Arena {
 public:
  explicit Arena(std::size_t most) : left_(most) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    while (blocks_ != nullptr) {
      Block* next = blocks_->next;
      std::free(blocks_);
      blocks_ = next;
    }
  }

  static void* allocate(void* arena, std::size_t size) { return static_cast<Arena*>(arena)->take(size); }
  static void release(void*, void*) {}

  std::jmp_buf is_used_up;

 private:
  struct Block {
    Block* next;
  };
  static constexpr std::size_t block_octets = std::size_t{64} * 1024;
  static constexpr std::size_t alignment = 16;

  void* take(std::size_t size) {
    size = (size + alignment - 1) / alignment * alignment;
    if (size > left_) std::longjmp(is_used_up, 1);
    left_ -= size;
    if (size > room_) {
      const std::size_t octets = std::max(size + alignment, block_octets);
      auto* block = static_cast<Block*>(std::malloc(octets));
      if (block == nullptr) std::longjmp(is_used_up, 1);
      block->next = blocks_;
      blocks_ = block;
      at_ = reinterpret_cast<char*>(block) + alignment;
      room_ = octets - alignment;
    }
    void* taken = at_;
    at_ += size;
    room_ -= size;
    return taken;
  }

  std::size_t left_;
  Block* blocks_ = nullptr;
  char* at_ = nullptr;
  std::size_t room_ = 0;
};

// Null when the document needs more memory than it may have. Holds no object that longjmp would pass over.
GumboOutput* parse(std::string_view html, Arena& arena) {
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Arena::allocate;
  options.deallocator = Arena::release;
  options.userdata = &arena;
  options.max_errors = 0;
  if (setjmp(arena.is_used_up) != 0) return nullptr;
  return gumbo_parse_with_options(&options, html.data(), html.size());
}

HtmlAttributes attributes_of(const GumboNode& node) {
  HtmlAttributes all;
  const GumboVector& attributes = node.v.element.attributes;
  for (unsigned i = 0; i < attributes.length; ++i) {
    const auto& one = *static_cast<const GumboAttribute*>(attributes.data[i]);
    const std::string name = text::to_lower(one.name);
    if (name == "hidden") all.is_hidden = true;
    if (HtmlAttributes::is_code(name)) all.has_code = true;
    std::string_view* const place = all.find(name);
    if (place != nullptr && place->data() == nullptr) *place = one.value;
  }
  return all;
}

HtmlTag tag_of(const GumboNode& node) {
  return node.v.element.tag == GUMBO_TAG_UNKNOWN ? HtmlTag::other
                                                 : mime::tag_of(gumbo_normalized_tagname(node.v.element.tag));
}

const GumboVector& children_of(const GumboNode& node) {
  return node.type == GUMBO_NODE_DOCUMENT ? node.v.document.children : node.v.element.children;
}
const GumboNode& child_of(const GumboNode& node, unsigned index) {
  return *static_cast<const GumboNode*>(children_of(node).data[index]);
}

// False: what is within does not count.
bool enter(const GumboNode& node, HtmlReading& reading) {
  const HtmlTag tag = tag_of(node);
  const bool counts = reading.enter(tag, attributes_of(node));
  if (tag != HtmlTag::style) return counts;
  for (unsigned i = 0; i < children_of(node).length; ++i) {
    const GumboNode& child = child_of(node, i);
    if (child.type == GUMBO_NODE_TEXT) reading.style(child.v.text.text);
  }
  return false;
}

// Walks the tree with a stack of its own.
void walk(const GumboNode& root, HtmlReading& reading) {
  struct Step {
    const GumboNode* node;
    bool is_leaving;
  };
  std::vector<Step> steps{{&root, false}};
  while (!steps.empty()) {
    const Step step = steps.back();
    steps.pop_back();
    const GumboNode& node = *step.node;
    if (step.is_leaving) {
      reading.leave();
      continue;
    }
    switch (node.type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_CDATA:
      case GUMBO_NODE_WHITESPACE:
        reading.text(node.v.text.text);
        break;
      case GUMBO_NODE_COMMENT:
        reading.comment(node.v.text.text);
        break;
      case GUMBO_NODE_ELEMENT:
      case GUMBO_NODE_TEMPLATE:
        if (!enter(node, reading)) break;
        steps.push_back({&node, true});
        [[fallthrough]];
      case GUMBO_NODE_DOCUMENT:
        for (unsigned i = children_of(node).length; i-- > 0;) steps.push_back({&child_of(node, i), false});
        break;
    }
  }
}

// The links of another form of the document, as far as they are new.
void add_links(std::string_view document, const HtmlLimits& limits, Html& html) {
  Arena arena(arena_base + arena_factor * document.size());
  const GumboOutput* parsed = parse(document, arena);
  if (parsed == nullptr) return;
  Html other;
  HtmlReading reading(limits, other);
  walk(*parsed->document, reading);
  for (Link& link : other.links) {
    const bool is_known = std::any_of(html.links.begin(), html.links.end(), [&link](const Link& one) {
      return one.kind == link.kind && one.target == link.target;
    });
    if (!is_known && html.links.size() < limits.links) html.links.push_back(std::move(link));
  }
}

Html read(std::string_view utf8, const HtmlLimits& limits, bool by_tree_only) {
  Html html;
  html.is_whole = utf8.size() <= limits.source;
  HtmlReading reading(limits, html);
  std::size_t left = limits.source;
  const auto read_document = [&](std::string_view document) {
    document = document.substr(0, left);
    left -= document.size();
    // What is shown of most documents, so that the text is seldom moved as it grows.
    if (html.text.empty()) html.text.reserve(std::min(limits.text, document.size() / 4));
    if (!by_tree_only && read_plain_html(document, reading)) return;
    if (nesting_of(document) > most_nesting) {
      html.is_whole = false;
      return strip(document, limits, html);
    }
    Arena arena(arena_base + arena_factor * document.size());
    const GumboOutput* parsed = parse(document, arena);
    if (parsed == nullptr) {
      html.is_whole = false;
      return strip(document, limits, html);
    }
    walk(*parsed->document, reading);
    if (const auto other = without_repeated_attributes(document)) add_links(*other, limits, html);
  };
  read_document(utf8);
  // Each of them may hold further ones, which are shorter.
  for (std::size_t i = 0; i < reading.conditional().size() && left > 0; ++i) {
    const std::string document = std::move(reading.conditional()[i]);
    reading.begin_document();
    read_document(trim_white_space(document));
  }
  // A cut may have left half a character.
  for (std::string* text : {&html.text, &html.hidden_text}) {
    while (!text->empty() && text->size() + 4 > limits.text && !text::is_utf8(*text)) text->pop_back();
  }
  return html;
}

}  // namespace

Html read_html(std::string_view utf8, const HtmlLimits& limits) { return read(utf8, limits, false); }

Html read_html_by_tree(std::string_view utf8, const HtmlLimits& limits) { return read(utf8, limits, true); }

}  // namespace sallyport::mime
