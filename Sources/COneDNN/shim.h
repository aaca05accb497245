// oneDNN's C API. 2.x and 3.x differ; `onednn_shim.h` in CKernels hides the difference.
#include <oneapi/dnnl/dnnl.h>
