/* The store against the naive model, driven by the fuzzer's bytes: entries, storing, crashes,
 * restarts, snapshots and questions. Any difference aborts. */
#include <stddef.h>
#include <stdint.h>

#include "../unit/mvcc_drive.h"

#define STEPS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {.bytes = data, .len = size};
    struct drive d;

    if (data == NULL) {
        return 0;
    }
    drive_init(&d, choices);
    for (int i = 0; i < STEPS_MAX && choices_left(&d.c); i++) {
        drive_step(&d);
    }
    drive_fini(&d);
    return 0;
}
