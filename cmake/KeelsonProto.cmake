# kvs_proto: what protobuf-c makes of proto/*.proto. The product does not use it (lib/rpc has its
# own codec); the tests compare the two.
if(NOT PROTOC_C)
  return()
endif()
set(proto_dir ${CMAKE_SOURCE_DIR}/proto)
set(proto_out ${CMAKE_BINARY_DIR}/proto)
file(MAKE_DIRECTORY ${proto_out})
set(proto_sources)
foreach(name kv rpc health)
  add_custom_command(
    OUTPUT ${proto_out}/${name}.pb-c.c ${proto_out}/${name}.pb-c.h
    COMMAND ${PROTOC_C} -I ${proto_dir} --c_out=${proto_out} ${proto_dir}/${name}.proto
    DEPENDS ${proto_dir}/${name}.proto ${proto_dir}/kv.proto
    VERBATIM)
  list(APPEND proto_sources ${proto_out}/${name}.pb-c.c)
endforeach()
add_library(kvs_proto STATIC EXCLUDE_FROM_ALL ${proto_sources})
target_include_directories(kvs_proto SYSTEM PUBLIC ${proto_out})
target_link_libraries(kvs_proto PUBLIC PkgConfig::PROTOBUFC)
