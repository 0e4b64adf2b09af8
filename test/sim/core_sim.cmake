# The simulated cluster of Raft cores. The second program is built from the core's sources with
# deliberate faults that can be switched on, to prove that each would be noticed; nothing of that
# is in the product.
file(GLOB core_sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/core_sim*.c)
file(GLOB core_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lib/replica/core*.c)

set(libraft_sources ${core_sources} ${KVS_ENGINE_LIBRAFT})
list(REMOVE_ITEM libraft_sources ${KVS_ENGINE_OWN})

function(core_sim_program name engine)
  if(engine STREQUAL "libraft")
    add_executable(${name} ${core_sim_sources} ${libraft_sources})
    target_link_libraries(${name} PRIVATE PkgConfig::RAFT)
  else()
    add_executable(${name} ${core_sim_sources} ${core_sources})
  endif()
  target_link_libraries(${name} PRIVATE kvs_options kvs_base)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
endfunction()

# The second one lives the same lives on libraft (docs/decisions/011-libraft-oracle.md).
core_sim_program(core_sim ${KVS_RAFT_CORE})
if(RAFT_FOUND)
  core_sim_program(core_sim_libraft libraft)
endif()

add_executable(core_sim_sabotaged ${core_sim_sources} ${core_sources})
target_compile_definitions(core_sim_sabotaged PRIVATE KVS_SABOTAGE)
target_link_libraries(core_sim_sabotaged PRIVATE kvs_options kvs_base)

set_target_properties(core_sim_sabotaged PROPERTIES
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

set(core_scenarios
  change-not-first-in-batch two-changes-rolled-back append-below-compaction
  sole-voter-takes-new-term stale-snapshot-reply commit-never-goes-back
  promotion-and-leader-loss pre-vote-teaches-the-term leader-removes-itself
  conflict-walks-back-by-term duplicate-snapshot stale-rejection
  removed-server-disturbs-nobody change-waits-for-own-term
  figure-8 vote-survives-a-crash commit-only-what-matches no-disjoint-majorities
  old-leader-serves-no-reads two-single-changes-rolled-back sole-voter-by-single-steps
  snapshot-of-the-first-entry newer-snapshot-after-a-failed-one)
# Several voters at once: libraft has no joint consensus.
set(joint_scenarios two-changes-rolled-back sole-voter-takes-new-term no-disjoint-majorities)
set(single_scenarios ${core_scenarios})
list(REMOVE_ITEM single_scenarios ${joint_scenarios})

if(KVS_RAFT_CORE STREQUAL "libraft")
  set(core_scenarios ${single_scenarios})
endif()
foreach(scenario ${core_scenarios})
  add_test(NAME sim.core_${scenario} COMMAND core_sim --scenario ${scenario})
  kvs_label_tests(sim 60 sim.core_${scenario})
endforeach()

if(TARGET core_sim_libraft)
  add_test(NAME sim.core_libraft_random COMMAND core_sim_libraft --seeds 200)
  set_tests_properties(sim.core_libraft_random PROPERTIES LABELS sim TIMEOUT 300)
  foreach(scenario ${single_scenarios})
    add_test(NAME sim.core_libraft_${scenario} COMMAND core_sim_libraft --scenario ${scenario})
    set_tests_properties(sim.core_libraft_${scenario} PROPERTIES LABELS sim TIMEOUT 60)
  endforeach()
  # Both engines, the same 2,000 lives.
  add_custom_target(oracle
    COMMAND core_sim --seeds 2000
    COMMAND core_sim_libraft --seeds 2000
    USES_TERMINAL)
else()
  add_test(NAME sim.core_libraft_random
    COMMAND sh -c "echo 'skipped: libraft-dev is not installed (tools/deps)'; exit 77")
  set_tests_properties(sim.core_libraft_random PROPERTIES LABELS sim SKIP_RETURN_CODE 77)
endif()

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
