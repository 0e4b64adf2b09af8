#include "core_sim.h"
const char *sim_scenario_name(size_t i)
{
    (void)i;
    return NULL;
}
bool sim_scenario_run(const char *name, uint64_t seed, bool trace)
{
    (void)name;
    (void)seed;
    (void)trace;
    return false;
}
