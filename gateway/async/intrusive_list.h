// A doubly linked list whose links are stored in the elements (derive from ListNode). It allocates nothing; the
// destructor of an element removes the element from its list.
#pragma once

namespace sallyport::async {

class ListNode {
 public:
  ListNode() noexcept = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { unlink(); }

  bool is_linked() const noexcept { return next_ != nullptr; }
  void unlink() noexcept {
    if (!next_) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class ListHead;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

class ListHead {
 public:
  ListHead() noexcept { root_.next_ = root_.previous_ = &root_; }
  ListHead(const ListHead&) = delete;
  ListHead& operator=(const ListHead&) = delete;
  ~ListHead() {
    while (!empty()) front()->unlink();
    root_.next_ = nullptr;  // so that ~ListNode does not unlink the root from itself
  }

  bool empty() const noexcept { return root_.next_ == &root_; }
  ListNode* front() const noexcept { return root_.next_; }
  ListNode* back() const noexcept { return root_.previous_; }
  void push_back(ListNode& node) noexcept {
    node.unlink();
    node.previous_ = root_.previous_;
    node.next_ = &root_;
    root_.previous_->next_ = &node;
    root_.previous_ = &node;
  }
  void push_front(ListNode& node) noexcept {
    node.unlink();
    node.next_ = root_.next_;
    node.previous_ = &root_;
    root_.next_->previous_ = &node;
    root_.next_ = &node;
  }
  // `before` is an element of this list.
  void insert_before(ListNode& before, ListNode& node) noexcept {
    node.unlink();
    node.previous_ = before.previous_;
    node.next_ = &before;
    before.previous_->next_ = &node;
    before.previous_ = &node;
  }
  // The element behind one of this list's; null behind the last.
  ListNode* after(const ListNode& node) const noexcept { return node.next_ == &root_ ? nullptr : node.next_; }
  // Moves all elements of `other` to the end of this list.
  void take_all(ListHead& other) noexcept {
    while (!other.empty()) push_back(*other.front());
  }

 private:
  ListNode root_;
};

}  // namespace sallyport::async
