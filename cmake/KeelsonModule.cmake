# kvs_module(mvcc SRCS store.c txn.c DEPS base backend [LIBS PkgConfig::UV])
#   A folder of lib/ as the static target kvs_mvcc, linked only with what it declares.
function(kvs_module name)
  cmake_parse_arguments(M "" "" "SRCS;DEPS;LIBS" ${ARGN})
  add_library(kvs_${name} STATIC ${M_SRCS})
  target_link_libraries(kvs_${name} PRIVATE kvs_options)
  foreach(dep ${M_DEPS})
    target_link_libraries(kvs_${name} PUBLIC kvs_${dep})
  endforeach()
  target_link_libraries(kvs_${name} PUBLIC ${M_LIBS})
endfunction()

# kvs_program(kvstored SRCS main.c DEPS node client)
function(kvs_program name)
  cmake_parse_arguments(P "" "" "SRCS;DEPS;LIBS" ${ARGN})
  add_executable(${name} ${P_SRCS})
  target_link_libraries(${name} PRIVATE kvs_options ${P_LIBS})
  foreach(dep ${P_DEPS})
    target_link_libraries(${name} PRIVATE kvs_${dep})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY KVS_PROGRAMS ${name})
endfunction()

# kvs_label_tests(unit 120 unit.base_log ...): the label of tests, and their time limit in seconds as
# it is without ThreadSanitizer, which makes a program 5 to 20 times slower. A report ends the
# process at once: a test of its own fails by the status, a server's by its log (test/harness).
# No report is suppressed.
set(KVS_SLOWER_BY 1)
if(KVS_TSAN)
  set(KVS_SLOWER_BY 8)
endif()
function(kvs_label_tests labels seconds)
  math(EXPR limit_s "${seconds} * ${KVS_SLOWER_BY}")
  set_tests_properties(${ARGN} PROPERTIES LABELS "${labels}" TIMEOUT ${limit_s})
  if(KVS_TSAN)
    set_property(TEST ${ARGN} APPEND PROPERTY ENVIRONMENT
      TSAN_OPTIONS=halt_on_error=1:exitcode=66:second_deadlock_stack=1
      KEELSON_SLOW=8 KEELSON_STEP_S=60 KEELSON_READY_S=120)
  endif()
endfunction()

# Every test_<module>_<what>.c of the calling folder is one cmocka program, linked with
# kvs_<module>; it runs under ctest as <label>.<module>_<what>.
function(kvs_cmocka_tests label)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/test_*.c)
  if(KVS_RAFT_CORE STREQUAL "libraft")
    list(FILTER tests EXCLUDE REGEX "/test_replica_core_") # of our own engine
  endif()
  foreach(source ${tests})
    get_filename_component(program ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" what ${program})
    string(REGEX REPLACE "_.*$" "" module ${what})
    if(NOT TARGET kvs_${module})
      continue()
    endif()
    add_executable(${program} ${source})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(${program} PRIVATE kvs_options kvs_${module} PkgConfig::CMOCKA)
    add_test(NAME ${label}.${what} COMMAND ${program})
    kvs_label_tests(${label} 120 ${label}.${what})
  endforeach()
endfunction()
