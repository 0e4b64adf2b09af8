# Third-party libraries, all from packages (tools/deps names them). Nothing is copied in.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(PROTOBUFC REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
find_program(PROTOC_C protoc-c)

find_library(LMDB_LIBRARY lmdb REQUIRED)
find_path(LMDB_INCLUDE lmdb.h REQUIRED)
add_library(lmdb INTERFACE)
target_link_libraries(lmdb INTERFACE ${LMDB_LIBRARY})
target_include_directories(lmdb SYSTEM INTERFACE ${LMDB_INCLUDE})

# JSON of the objects. Debian 12 has it from trixie.
pkg_check_modules(YYJSON REQUIRED IMPORTED_TARGET yyjson)
# Time zones of cron schedules.
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0)

# The engine of the Raft core: our own, or libraft, which has to be asked for (docs/decisions/011).
# With our own, libraft is only built into a second simulator, if it is there.
set(KVS_RAFT_CORE own CACHE STRING "engine of the Raft core: own or libraft")
set_property(CACHE KVS_RAFT_CORE PROPERTY STRINGS own libraft)
if(NOT KVS_RAFT_CORE MATCHES "^(own|libraft)$")
  message(FATAL_ERROR "KVS_RAFT_CORE is own or libraft, not ${KVS_RAFT_CORE}")
endif()
pkg_check_modules(RAFT IMPORTED_TARGET raft)
if(KVS_RAFT_CORE STREQUAL "libraft" AND NOT RAFT_FOUND)
  message(FATAL_ERROR "KVS_RAFT_CORE=libraft needs libraft-dev")
endif()
# YAML of applied objects.
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
