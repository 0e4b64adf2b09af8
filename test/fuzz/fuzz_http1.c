/* An HTTP/1.1 connection of arbitrary bytes, cut into arbitrary pieces. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rpc_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream s;
    size_t piece;

    if (size < 2) {
        return 0;
    }
    service_init();
    fake_accept(&s);
    piece = data[0] == 0 ? size : data[0];
    s.deaf = data[1] == 1;
    for (size_t at = 2; at < size; at += piece) {
        fake_receive(service_loop, &s, data + at, piece < size - at ? piece : size - at);
    }
    fake_end(service_loop, &s);
    service_check_idle();
    return 0;
}
