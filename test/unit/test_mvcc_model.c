/* The store against a naive model, under long random sequences: see mvcc_drive.h. A failure prints
 * the seed; MVCC_SEED and MVCC_STEPS run one seed, MVCC_SEEDS more of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mvcc_drive.h"

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void run_seed(uint64_t seed, uint64_t steps)
{
    struct choices choices = {0};
    struct drive d;

    rng_init(&choices.rng, seed);
    drive_init(&d, choices);
    for (uint64_t i = 0; i < steps; i++) {
        drive_step(&d);
    }
    fprintf(stderr, "entries %llu, versions %d, revision %lld, compacted %lld\n",
            (unsigned long long)d.n_log, d.model.n_versions, (long long)d.model.revision,
            (long long)d.model.compact);
    drive_fini(&d);
}

static void test_store_behaves_like_model(void **state)
{
    uint64_t first = number_from("MVCC_SEED", 1);
    uint64_t seeds = number_from("MVCC_SEEDS", getenv("MVCC_SEED") != NULL ? 1 : 6);
    uint64_t steps = number_from("MVCC_STEPS", 1500);

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        fprintf(stderr, "MVCC_SEED=%llu MVCC_STEPS=%llu\n", (unsigned long long)seed,
                (unsigned long long)steps);
        run_seed(seed, steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_behaves_like_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
