# The simulated cluster of Raft cores. The second program is built from the core's sources with
# deliberate faults that can be switched on, to prove that each would be noticed; nothing of that
# is in the product.
file(GLOB core_sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/core_sim*.c)
file(GLOB core_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lib/replica/core*.c)

add_executable(core_sim ${core_sim_sources} ${core_sources})
target_link_libraries(core_sim PRIVATE kvs_options kvs_base)

# The same lives with libraft as the engine (docs/decisions/009-libraft-oracle.md).
if(RAFT_FOUND)
  set(libraft_sources ${core_sources})
  list(REMOVE_ITEM libraft_sources ${KVS_ENGINE_OWN})
  add_executable(core_sim_libraft ${core_sim_sources} ${libraft_sources} ${KVS_ENGINE_LIBRAFT})
  target_link_libraries(core_sim_libraft PRIVATE kvs_options kvs_base PkgConfig::RAFT)
  set_target_properties(core_sim_libraft PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endif()

add_executable(core_sim_sabotaged ${core_sim_sources} ${core_sources})
target_compile_definitions(core_sim_sabotaged PRIVATE KVS_SABOTAGE)
target_link_libraries(core_sim_sabotaged PRIVATE kvs_options kvs_base)

set_target_properties(core_sim core_sim_sabotaged PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)

# Other seeds than these: core_sim --seeds N --start S.
set(lives 500)
if(KVS_TSAN)
  set(lives 100) # one thread: nothing to find in more of them
endif()
add_test(NAME sim.core_random COMMAND core_sim --seeds ${lives})
add_test(NAME sim.core_repeatable COMMAND core_sim --repeat 42)
# A life of single-entry messages that settles slowly, but does.
add_test(NAME sim.core_slow_settling COMMAND core_sim --seed 1033142)
kvs_label_tests(sim 120 sim.core_random sim.core_repeatable sim.core_slow_settling)

foreach(scenario
    change-not-first-in-batch two-changes-rolled-back append-below-compaction
    sole-voter-takes-new-term stale-snapshot-reply commit-never-goes-back
    promotion-and-leader-loss pre-vote-teaches-the-term leader-removes-itself
    conflict-walks-back-by-term duplicate-snapshot stale-rejection
    removed-server-disturbs-nobody change-waits-for-own-term
    figure-8 vote-survives-a-crash commit-only-what-matches no-disjoint-majorities
    old-leader-serves-no-reads)
  add_test(NAME sim.core_${scenario} COMMAND core_sim --scenario ${scenario})
  kvs_label_tests(sim 60 sim.core_${scenario})
endforeach()

foreach(mutant
    vote-before-persist ack-before-persist self-vote-before-persist own-disk-counts-early
    commit-old-term apply-before-commit follower-commits-unmatched read-without-quorum
    read-before-own-term truncate-always joint-ignores-old vote-ignores-log
    conf-not-rolled-back leave-joint-early vote-twice no-joint candidate-reuses-term)
  add_test(NAME sim.core_sabotage_${mutant}
    COMMAND core_sim_sabotaged --mutant ${mutant} --seeds 3000)
  kvs_label_tests("sim;sabotage" 120 sim.core_sabotage_${mutant})
  set_tests_properties(sim.core_sabotage_${mutant} PROPERTIES
    PASS_REGULAR_EXPRESSION "FAILED seed")
endforeach()
