#include "lua/trial/trial_lists.h"

namespace sallyport::lua {

class TrialLists::List final : public io::LiveList {
 public:
  List(std::shared_ptr<const EntryList> opened, bool is_there) : opened_(std::move(opened)), was_there_(is_there) {}

  std::shared_ptr<const EntryList> now() const override { return said_ ? said_ : opened_; }
  bool is_there() const override { return was_there_ || said_; }
  void set(std::shared_ptr<const EntryList> said) { said_ = std::move(said); }

 private:
  const std::shared_ptr<const EntryList> opened_;
  const bool was_there_;
  std::shared_ptr<const EntryList> said_;  // by the test
};

Result<std::shared_ptr<const io::LiveList>> TrialLists::open(const std::string& path, EntryKind kind) {
  auto& list = lists_[{path, kind}];
  if (!list) {
    auto read = EntryList::read(path, kind);
    if (!read) return std::move(read).error();
    list = std::make_shared<List>(std::move(*read), true);
  }
  return std::shared_ptr<const io::LiveList>(list);
}

Result<std::shared_ptr<const io::LiveList>> TrialLists::open(const io::ListAddress& address, EntryKind kind) {
  auto& list = lists_[{address.url, kind}];
  if (!list) {
    auto empty = EntryList::parse({}, kind);
    if (!empty) return std::move(empty).error();
    list = std::make_shared<List>(std::move(*empty), false);
  }
  return std::shared_ptr<const io::LiveList>(list);
}

Result<Done> TrialLists::set(const std::string& name, std::string_view entries) {
  bool is_known = false;
  for (auto& [key, list] : lists_) {
    if (key.first != name || !list) continue;
    auto parsed = EntryList::parse(entries, key.second);
    if (!parsed) return std::move(parsed).error();
    list->set(std::move(*parsed));
    is_known = true;
  }
  if (!is_known) return Failure{"no rule has opened such a list"};
  return Done{};
}

void TrialLists::reset() {
  for (auto& [key, list] : lists_) {
    if (list) list->set(nullptr);
  }
}

}  // namespace sallyport::lua
