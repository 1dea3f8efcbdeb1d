#include "gateway/report/gzip.h"

#include <zlib.h>

#include <cstdint>
#include <new>

#include "gateway/base/ensure.h"

namespace sallyport::report {

std::string gzip(std::string_view octets) {
  constexpr int gzip_format = 16;  // added to the window bits, it asks for a gzip header instead of zlib's
  ensure(octets.size() < UINT32_MAX, "gzip: too much for one call");
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzip_format, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string packed(deflateBound(&stream, octets.size()), '\0');
  // The const_cast is safe: zlib only reads from next_in.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  ensure(status == Z_STREAM_END, "gzip: the bound was too small");
  return packed;
}

}  // namespace sallyport::report
