#include "gateway/mime/transfer.h"

namespace sallyport::mime {

std::unique_ptr<TransferDecoder> make_decoder(Coding coding) {
  switch (coding) {
    case Coding::identity:
      return nullptr;
    case Coding::quoted_printable:
    case Coding::quoted_printable_dropping:
    case Coding::quoted_printable_skipping:
      return make_quoted_printable_decoder(coding);
    case Coding::base64:
    case Coding::base64_to_padding:
    case Coding::base64_zero_padding:
    case Coding::base64_no_padding:
    case Coding::base64_padded_groups:
    case Coding::base64_by_line:
    case Coding::base64_by_group:
    case Coding::base64_to_junk:
    case Coding::base64_url:
    case Coding::base64_from_line_2:
      return make_base64_decoder(coding);
    case Coding::uuencode:
      return make_uuencode_decoder();
    case Coding::yenc:
      return make_yenc_decoder();
    case Coding::binhex:
      return make_binhex_decoder();
    case Coding::signed_cms:
      return make_cms_decoder();
    case Coding::compressed_cms:
      return make_compressed_cms_decoder();
    case Coding::compressed_rtf:
      return make_compressed_rtf_decoder();
  }
  return nullptr;
}

}  // namespace sallyport::mime
