# How every line of this project is compiled and linked: one interface target, `warifu_flags`.
#
# Every flag that some compiler may refuse is probed first, so that g++ 12 is the reference and
# newer or other compilers take what they know. Rules kept here:
#   - run-time checks stay on in every build: no NDEBUG, bounds-checked standard library;
#   - warnings become errors only where developers work (option WARIFU_WERROR), never for a user
#     who builds a release with a newer compiler; a dropped result is an error everywhere;
#   - the sanitizers bring their own checks and replace the hardening flags instead of adding to
#     them; FORTIFY_SOURCE works only with optimisation.

include_guard(GLOBAL)
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported(LANGUAGES CXX)

add_library(warifu_flags INTERFACE)

# Adds a compiler flag when the compiler knows it.
function(warifu_probe_compile flag)
  string(MAKE_C_IDENTIFIER "WARIFU_HAS_${flag}" known)
  check_cxx_compiler_flag("-Werror ${flag}" ${known})
  if(${known})
    target_compile_options(warifu_flags INTERFACE ${flag})
  endif()
endfunction()

# Adds a linker flag when the linker knows it.
function(warifu_probe_link flag)
  string(MAKE_C_IDENTIFIER "WARIFU_LINKS_${flag}" known)
  check_linker_flag(CXX "${flag}" ${known})
  if(${known})
    target_link_options(warifu_flags INTERFACE ${flag})
  endif()
endfunction()

target_compile_options(warifu_flags INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Wsign-conversion
  -Wunused-result -Werror=unused-result
  -fno-strict-aliasing)
if(WARIFU_WERROR)
  target_compile_options(warifu_flags INTERFACE -Werror)
endif()
foreach(flag IN ITEMS -Wtrampolines -Wbidi-chars=any)
  warifu_probe_compile(${flag})
endforeach()
target_compile_definitions(warifu_flags INTERFACE _GLIBCXX_ASSERTIONS)

# Tests are compiled once and run for seconds: they get -O1 where others get -O2.
add_library(warifu_test_flags INTERFACE)
target_compile_options(warifu_test_flags INTERFACE $<$<CONFIG:Release>:-O1>)

if(WARIFU_SANITIZE)
  target_compile_options(warifu_flags INTERFACE
    -O1 -fno-omit-frame-pointer -fsanitize=${WARIFU_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(warifu_flags INTERFACE -fsanitize=${WARIFU_SANITIZE})
  # The instrumentation makes g++ see paths that do not exist.
  warifu_probe_compile(-Wno-error=maybe-uninitialized)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(warifu_flags INTERFACE -fno-sanitize=function)
  endif()
else()
  foreach(flag IN ITEMS
      -fstack-clash-protection
      -fstack-protector-strong
      -fcf-protection=full
      -ftrivial-auto-var-init=zero
      -fzero-call-used-regs=used-gpr
      -fno-delete-null-pointer-checks
      -fno-strict-overflow
      -fstrict-flex-arrays=3
      -fzero-init-padding-bits=all)
    warifu_probe_compile(${flag})
  endforeach()
  target_compile_options(warifu_flags INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
    $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=3>)
endif()

if(WARIFU_COVERAGE)
  target_compile_options(warifu_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(warifu_flags INTERFACE --coverage)
endif()

foreach(flag IN ITEMS -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
  warifu_probe_link(${flag})
endforeach()

# A fast linker changes build time only. A caller's own choice of linker wins.
find_program(WARIFU_MOLD mold)
if(WARIFU_MOLD AND NOT CMAKE_EXE_LINKER_FLAGS MATCHES "-fuse-ld=")
  warifu_probe_link(-fuse-ld=mold)
endif()
