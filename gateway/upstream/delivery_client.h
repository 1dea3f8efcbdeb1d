// DeliveryClient: what a Delivery asks about the client whose mail it sends. The session implements it.
#pragma once

namespace sallyport::upstream {

class DeliveryClient {
 public:
  virtual ~DeliveryClient() = default;
  // True if the client has left: an end or an error of its connection has been seen. Asked right before the end of the
  // content is written (threats.md U13). It may read what has arrived, which makes earlier views of the client's input
  // invalid.
  virtual bool has_left() = 0;
  // True if the client has left, and nothing that it has sent before can complete a mail. Asked while its mail waits
  // for a connection, and reads nothing.
  virtual bool has_gone() const = 0;
};

}  // namespace sallyport::upstream
