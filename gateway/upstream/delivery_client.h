// DeliveryClient: what a Delivery asks about the client whose mail it sends. The session implements it.
#pragma once

namespace sallyport::upstream {

class DeliveryClient {
 public:
  virtual ~DeliveryClient() = default;
  // True if the client's connection has broken: a reset or an error has been seen. One that has only ended its side has
  // said all that it will say, and may listen. Asked when its whole content is here, right before the end of it is
  // written (threats.md U13). It may read what has arrived, which makes earlier views of the client's input invalid.
  virtual bool has_left() = 0;
  // True if the client has left, and nothing that it has sent before completes a mail. Asked while its mail waits for a
  // connection, and reads nothing.
  virtual bool has_gone() const = 0;
};

}  // namespace sallyport::upstream
