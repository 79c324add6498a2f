# One folder under src/ = one component = one library target `warifu_<folder>`.
#
#   warifu_component(NAME keypool LAYER 3 SOURCES pool.cc journal.cc
#                    DEPS base secret os LIBS OpenSSL::Crypto)
#   warifu_test(NAME pool COMPONENT keypool SOURCES pool_test.cc LIBS warifu_testing)
#   warifu_program(NAME warifu COMPONENT apps SOURCES main.cc)
#
# The include root is src/, so that every include names its component ("keypool/pool.h").
# A component may depend on lower layers, and on its own layer only where the layer table says so;
# the test `structure` reads the same calls and holds them, and every #include, against that table.

include_guard(GLOBAL)
include(GoogleTest)

# The standard library, parsed once for all components, a seventh of the time that they take to
# compile; and with GoogleTest for all tests, two thirds of theirs. Developers' presets leave it off,
# so that a missing #include shows.
set(warifu_headers <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <expected>
  <filesystem> <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <string>
  <string_view> <thread> <vector>)
if(WARIFU_PCH)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/cmake/headers.cc" CONTENT "")
  add_library(warifu_headers STATIC "${CMAKE_BINARY_DIR}/cmake/headers.cc")
  target_link_libraries(warifu_headers PRIVATE warifu_flags Threads::Threads)
  target_precompile_headers(warifu_headers PRIVATE ${warifu_headers})
endif()
if(WARIFU_TESTING AND WARIFU_PCH)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/cmake/test_headers.cc" CONTENT "int main() {}\n")
  # A program like the tests, not a library: those are compiled with other options.
  add_executable(warifu_test_headers "${CMAKE_BINARY_DIR}/cmake/test_headers.cc")
  target_link_libraries(warifu_test_headers PRIVATE warifu_flags warifu_test_flags GTest::gtest)
  target_precompile_headers(warifu_test_headers PRIVATE <gtest/gtest.h> ${warifu_headers})
endif()

# A static library, or an interface library when there is nothing to compile.
function(warifu_component)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SEPARATE" "NAME;LAYER" "SOURCES;DEPS;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT DEFINED arg_LAYER)
    message(FATAL_ERROR
      "warifu_component needs NAME and LAYER; not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT arg_LAYER MATCHES "^[0-7]$")
    message(FATAL_ERROR "warifu_component(${arg_NAME}): LAYER '${arg_LAYER}' is not 0 to 7")
  endif()

  set(target "warifu_${arg_NAME}")
  set(compiled ${arg_SOURCES})
  list(FILTER compiled INCLUDE REGEX "\\.(cc|S)$")
  if(compiled)
    add_library(${target} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE warifu_flags)
    if(TARGET warifu_headers)
      target_precompile_headers(${target} REUSE_FROM warifu_headers)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  # The upper layers are many small files that read the same headers. The lower ones stay apart:
  # kernels are compiled each for its own kind of machine. SEPARATE: names would clash.
  if(WARIFU_UNITY AND compiled AND arg_LAYER GREATER 3 AND NOT arg_SEPARATE)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
  target_include_directories(${target} ${scope} "${CMAKE_SOURCE_DIR}/src")
  set_target_properties(${target} PROPERTIES WARIFU_LAYER ${arg_LAYER})

  foreach(dep IN LISTS arg_DEPS)
    if(NOT TARGET warifu_${dep})
      message(FATAL_ERROR "warifu_component(${arg_NAME}): '${dep}' is not a component above this "
        "one in src/CMakeLists.txt")
    endif()
    get_target_property(dep_layer warifu_${dep} WARIFU_LAYER)
    if(dep_layer GREATER arg_LAYER)
      message(FATAL_ERROR "warifu_component(${arg_NAME}): layer ${arg_LAYER} may not use "
        "'${dep}' of layer ${dep_layer}")
    endif()
    target_link_libraries(${target} ${scope} warifu_${dep})
  endforeach()
  target_link_libraries(${target} ${scope} ${arg_LIBS})
endfunction()

# A GoogleTest executable; every TEST in it becomes a ctest named <NAME>.<suite>.<test>. The root of
# the repository is on its include path, so that a test can include "testing/...".
function(warifu_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;COMPONENT;TIMEOUT" "SOURCES;LIBS;LABELS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_COMPONENT OR NOT arg_SOURCES)
    message(FATAL_ERROR "warifu_test needs NAME, COMPONENT and SOURCES; not understood: "
      "'${arg_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT WARIFU_TESTING)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()

  set(target "${arg_COMPONENT}_${arg_NAME}_test")
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE
    warifu_flags warifu_test_flags warifu_${arg_COMPONENT} ${arg_LIBS} GTest::gtest_main
    GTest::gmock)
  if(TARGET warifu_test_headers)
    target_precompile_headers(${target} REUSE_FROM warifu_test_headers)
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX "${arg_COMPONENT}/${arg_NAME}."
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "unit;${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# An executable that is shipped: it stands at the top of the build folder (build/release/warifu).
function(warifu_program)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;COMPONENT" "SOURCES;LIBS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_COMPONENT OR NOT arg_SOURCES)
    message(FATAL_ERROR "warifu_program needs NAME, COMPONENT and SOURCES; not understood: "
      "'${arg_UNPARSED_ARGUMENTS}'")
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  if(WARIFU_UNITY)
    set_target_properties(${arg_NAME} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
  target_link_libraries(${arg_NAME} PRIVATE warifu_flags warifu_${arg_COMPONENT} ${arg_LIBS})
  set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()
