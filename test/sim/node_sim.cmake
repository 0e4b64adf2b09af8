# The simulated cluster of whole nodes. The second program is built from the library's sources with
# deliberate faults that can be switched on; nothing of that is in the product.
file(GLOB node_sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/node_*.c)
set(sim_lib ${CMAKE_SOURCE_DIR}/lib)

# The node without sockets: what kvstored adds to it has tests of its own.
file(GLOB node_pure_sources CONFIGURE_DEPENDS
  ${sim_lib}/node/node.c ${sim_lib}/node/node_*.c ${sim_lib}/node/ident*.c
  ${sim_lib}/node/digest.c)
add_executable(node_sim ${node_sim_sources} ${node_pure_sources})
target_link_libraries(node_sim PRIVATE kvs_options kvs_base kvs_backend kvs_mvcc kvs_lease kvs_watch
  kvs_apply kvs_replica kvs_sim_disk PkgConfig::OPENSSL)
set_target_properties(node_sim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)

set(lives 200)
if(KVS_TSAN)
  set(lives 40) # one thread: nothing to find in more of them
endif()
add_test(NAME sim.node_random COMMAND node_sim --seeds ${lives} --jobs 2)
add_test(NAME sim.node_repeatable COMMAND node_sim --repeat 42)
kvs_label_tests(sim 180 sim.node_random sim.node_repeatable)

# Lives that once failed. What a seed lives through changes with the code; what it showed has a unit
# test as well (test_node_peers, test_replica_guests).
#   23638, 20270  restarted while only the log named the member whose vote was needed: no leader
#   20004         slept while the others were replaced: refused its leader
foreach(seed 23638 20270 20004)
  add_test(NAME sim.node_seed_${seed} COMMAND node_sim --seed ${seed})
  set_tests_properties(sim.node_seed_${seed} PROPERTIES LABELS sim TIMEOUT 180)
endforeach()

# --- sabotage ---

set(sabotage_sources ${node_pure_sources})
foreach(module mvcc lease watch apply)
  file(GLOB sources CONFIGURE_DEPENDS ${sim_lib}/${module}/*.c)
  list(APPEND sabotage_sources ${sources})
endforeach()
file(GLOB sources CONFIGURE_DEPENDS ${sim_lib}/replica/*.c)
list(FILTER sources EXCLUDE REGEX "/peer_(conn|guest|info|link|parser|transport)\\.c$")
list(APPEND sabotage_sources ${sources})
add_executable(node_sim_sabotaged ${node_sim_sources} ${sabotage_sources} sim_disk.c)
target_compile_definitions(node_sim_sabotaged PRIVATE KVS_SABOTAGE)
target_link_libraries(node_sim_sabotaged PRIVATE kvs_options kvs_base kvs_backend
  PkgConfig::OPENSSL)
set_target_properties(node_sim_sabotaged PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)

add_test(NAME sim.node_sabotage COMMAND node_sim_sabotaged --mutants --seeds 3000)
kvs_label_tests("sim;sabotage;slow" 3000 sim.node_sabotage)

add_custom_target(sim-2000
  COMMAND node_sim --seeds 2000 --jobs 2
  COMMAND core_sim --seeds 2000
  USES_TERMINAL)
