# libevent_generate_rpc(<target> <file>.rpc...)
#
# Generate <file>.gen.h and <file>.gen.c in the current binary folder, and add them to the target.

get_filename_component(_libevent_rpc_prefix "${CMAKE_CURRENT_LIST_DIR}" ABSOLUTE)
find_program(LIBEVENT_RPCGEN NAMES event_rpcgen event_rpcgen.py
  HINTS "${_libevent_rpc_prefix}/../../../bin" "${_libevent_rpc_prefix}/../../../../bin")

function(libevent_generate_rpc target)
  if(NOT LIBEVENT_RPCGEN)
    message(FATAL_ERROR "libevent_generate_rpc: event_rpcgen is not installed")
  endif()
  foreach(input ${ARGN})
    get_filename_component(name "${input}" NAME_WE)
    get_filename_component(path "${input}" ABSOLUTE)
    set(outputs "${CMAKE_CURRENT_BINARY_DIR}/${name}.gen.h" "${CMAKE_CURRENT_BINARY_DIR}/${name}.gen.c")
    add_custom_command(OUTPUT ${outputs}
      COMMAND "${LIBEVENT_RPCGEN}" --quiet "${path}" ${outputs}
      DEPENDS "${path}" "${LIBEVENT_RPCGEN}" VERBATIM)
    target_sources(${target} PRIVATE ${outputs})
  endforeach()
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
